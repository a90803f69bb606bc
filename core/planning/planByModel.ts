import { type Answer, type Model, ModelError } from '../llm/model.ts'
import { clip } from './clip.ts'
import { type Converted, convertDraft } from './convertDraft.ts'
import type { PlaceFacts } from './placeFacts.ts'
import { PlanDraft } from './planDraft.ts'
import type { PlanOutcome, PlanSource } from './planOutcome.ts'
import type { Untrusted } from './untrusted.ts'
import { SYSTEM_PROMPT, writePrompt, writeRepair } from './writePrompt.ts'

type Input = {
  request: string
  place: PlaceFacts
  version: number
  signal?: AbortSignal | undefined
  context?: readonly Untrusted[] | undefined
  lookId?: string | undefined
  forRun?: { id: string; personId: string | null } | undefined
}
const REPHRASE = 'Say it in other words, or use /run with the command.'

async function ask(model: Model, purpose: string, user: string, { signal, forRun }: Input): Promise<Answer> {
  return model.complete({
    ...{ purpose, system: SYSTEM_PROMPT, user, schema: PlanDraft, schemaName: 'plan' },
    ...(signal ? { signal } : {}),
    ...(forRun ? { runId: forRun.id } : {}),
    ...(forRun?.personId ? { personId: forRun.personId } : {}),
  })
}

/** What a model was shown beside the request: what nobody here wrote, and which memories. Pure. */
function shownOf(context: readonly Untrusted[]): { from?: string[]; memories?: number[] } {
  const outside = context.filter(({ trusted }) => trusted !== true)
  const from = [...new Set(outside.map(({ origin }) => origin))]
  const memories = context.flatMap(({ memory }) => memory ?? [])
  return { ...(from.length > 0 ? { from } : {}), ...(memories.length > 0 ? { memories } : {}) }
}

/** What all questions of one plan cost together, and who answered last; the cost is null where one is not known. */
function sourceOf(model: Model, answers: readonly Answer[], { context = [], lookId }: Input): PlanSource {
  const sum = (field: 'tokens_in' | 'tokens_out' | 'ms') => answers.reduce((total, a) => total + a[field], 0)
  const costs = answers.map((answer) => answer.cost_usd ?? null)
  const cost_usd = costs.every((cost) => cost !== null)
    ? costs.reduce((total, cost) => total + cost, 0)
    : null
  const last = answers.at(-1)
  return {
    kind: 'model',
    provider: last?.provider ?? model.provider,
    model: last?.model ?? model.model,
    tokens_in: sum('tokens_in'),
    tokens_out: sum('tokens_out'),
    cost_usd,
    ms: sum('ms'),
    ...shownOf(context),
    ...(lookId ? { look: lookId } : {}),
  }
}

function outcomeOf(converted: Converted, source: PlanSource): PlanOutcome {
  if ('plan' in converted) return { kind: 'planned', plan: converted.plan, source }
  if ('cannot' in converted) return { kind: 'failed', reason: converted.cannot, hint: REPHRASE }
  return {
    kind: 'failed',
    reason: `The model gave no usable plan: ${clip(converted.fault, 300)}`,
    hint: REPHRASE,
  }
}

/**
 * Plans by a language model: asks, checks, and asks once more with the exact fault when the answer cannot be used.
 * A provider's fault becomes `failed`; only the abort of `signal` throws, with its reason.
 */
export async function planByModel(model: Model, input: Input): Promise<PlanOutcome> {
  const { place, version } = input
  const prompt = writePrompt(input)
  try {
    const first = await ask(model, 'plan', prompt, input)
    const converted = convertDraft(first.value, place, version)
    if (!('fault' in converted)) return outcomeOf(converted, sourceOf(model, [first], input))
    const second = await ask(model, 'repair', writeRepair(prompt, first.text, converted.fault), input)
    return outcomeOf(convertDraft(second.value, place, version), sourceOf(model, [first, second], input))
  } catch (error) {
    if (!(error instanceof ModelError)) throw error
    return { kind: 'failed', reason: error.message, hint: error.hint }
  }
}
