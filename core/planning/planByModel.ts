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
}
const REPHRASE = 'Say it in other words, or use /run with the command.'

async function ask(
  model: Model,
  purpose: string,
  user: string,
  signal: AbortSignal | undefined,
): Promise<Answer> {
  const question = { purpose, system: SYSTEM_PROMPT, user, schema: PlanDraft, schemaName: 'plan' }
  return model.complete(signal ? { ...question, signal } : question)
}

/** What all questions of one plan cost together. A provider on one's own machine costs nothing; else it is not known. */
function sourceOf(model: Model, answers: readonly Answer[], { context = [], lookId }: Input): PlanSource {
  const sum = (field: 'tokens_in' | 'tokens_out' | 'ms') => answers.reduce((total, a) => total + a[field], 0)
  const cost_usd = model.provider === 'ollama' ? 0 : null
  return {
    kind: 'model',
    provider: model.provider,
    model: model.model,
    tokens_in: sum('tokens_in'),
    tokens_out: sum('tokens_out'),
    cost_usd,
    ms: sum('ms'),
    ...(context.length > 0 ? { from: [...new Set(context.map(({ origin }) => origin))] } : {}),
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
  const { place, version, signal } = input
  const prompt = writePrompt(input)
  try {
    const first = await ask(model, 'plan', prompt, signal)
    const converted = convertDraft(first.value, place, version)
    if (!('fault' in converted)) return outcomeOf(converted, sourceOf(model, [first], input))
    const second = await ask(model, 'repair', writeRepair(prompt, first.text, converted.fault), signal)
    return outcomeOf(convertDraft(second.value, place, version), sourceOf(model, [first, second], input))
  } catch (error) {
    if (!(error instanceof ModelError)) throw error
    return { kind: 'failed', reason: error.message, hint: error.hint }
  }
}
