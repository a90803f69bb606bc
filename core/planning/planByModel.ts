import { labelOf } from '../config/model.ts'
import { type Answer, type Model, ModelError, type Need } from '../llm/model.ts'
import { clip } from './clip.ts'
import { type Converted, convertDraft } from './convertDraft.ts'
import { type Estimate, estimate, MOST_TOKENS, maxTokensFor, needFor, type PastUse } from './estimate.ts'
import { keepSpecs } from './keepSpecs.ts'
import type { PlaceFacts } from './placeFacts.ts'
import { PlanDraft } from './planDraft.ts'
import type { PlanOutcome, PlanSource } from './planOutcome.ts'
import type { Untrusted } from './untrusted.ts'
import { type Revise, SYSTEM_PROMPT, writePrompt, writeRepair } from './writePrompt.ts'

export type ModelInput = {
  request: string
  place: PlaceFacts
  version: number
  signal?: AbortSignal | undefined
  context?: readonly Untrusted[] | undefined
  lookId?: string | undefined
  /** What plans of the past took, the newest first. */
  uses?: readonly PastUse[] | undefined
  /** Whose question it is, for the record. */
  forRun?: { id: string; personId: string | null } | undefined
  /** A plan to change, instead of a request to plan. */
  revise?: Revise | undefined
  /** Told the text of the answer as it comes; it starts anew with each question. */
  onText?: ((soFar: string) => void) | undefined
}
const REPHRASE = 'Say it in other words, or use /run with the command.'
const OTHER_MODEL = 'Ask again in a minute, or put another provider first in AI_PROVIDER_PRIORITY.'
/** Times that an answer which cannot be used is sent back with what is wrong with it. */
const MAX_REPAIRS = 2

type Question = { purpose: 'plan' | 'repair'; user: string; need: Need; maxTokens: number }

/** One question; an answer that was cut off is asked for once more with all the room there is. */
async function ask(model: Model, question: Question, input: ModelInput): Promise<Answer> {
  const { signal, forRun, onText } = input
  const common = {
    system: SYSTEM_PROMPT,
    schema: PlanDraft,
    schemaName: 'plan',
    ...(signal ? { signal } : {}),
    ...(forRun ? { runId: forRun.id } : {}),
    ...(forRun?.personId ? { personId: forRun.personId } : {}),
    ...(onText ? { onText } : {}),
  }
  try {
    return await model.complete({ ...common, ...question })
  } catch (error) {
    const wasCut = error instanceof ModelError && error.fault === 'cut' && question.maxTokens < MOST_TOKENS
    if (!wasCut) throw error
    return model.complete({ ...common, ...question, maxTokens: MOST_TOKENS })
  }
}

/** What a model was shown beside the request: what nobody here wrote, and which memories. Pure. */
function shownOf(context: readonly Untrusted[]): { from?: string[]; memories?: number[] } {
  const outside = context.filter(({ trusted }) => trusted !== true)
  const from = [...new Set(outside.map(({ origin }) => origin))]
  const memories = context.flatMap(({ memory }) => memory ?? [])
  return { ...(from.length > 0 ? { from } : {}), ...(memories.length > 0 ? { memories } : {}) }
}

/** What all questions of one plan cost together, and who answered last; the cost is null where one is not known. */
function sourceOf(model: Model, asked: Asked, { context = [], lookId }: ModelInput): PlanSource {
  const { answers, expected } = asked
  const sum = (field: 'tokens_in' | 'tokens_out' | 'ms') => answers.reduce((total, a) => total + a[field], 0)
  const last = answers.at(-1)
  return {
    kind: 'model',
    provider: last?.provider ?? model.provider,
    model: last?.model ?? model.model,
    tokens_in: sum('tokens_in'),
    tokens_out: sum('tokens_out'),
    cost_usd: costOf(answers),
    ms: sum('ms'),
    ...shownOf(context),
    ...(lookId ? { look: lookId } : {}),
    estimate: expected,
    ...(last && last.tokens_out > 0 ? { used: last.tokens_out } : {}),
  }
}

function costOf(answers: readonly Answer[]): number | null {
  const costs = answers.map(({ cost_usd }) => cost_usd ?? null)
  return costs.every((cost) => cost !== null) ? costs.reduce((total, cost) => total + cost, 0) : null
}

type Asked = { answers: Answer[]; converted: Converted; expected: Estimate }

function outcomeOf(model: Model, asked: Asked, input: ModelInput): PlanOutcome {
  const { converted } = asked
  if ('plan' in converted)
    return { kind: 'planned', plan: converted.plan, source: sourceOf(model, asked, input) }
  if ('cannot' in converted) return { kind: 'failed', reason: converted.cannot, hint: REPHRASE }
  return {
    ...{ kind: 'failed', reason: unusable(model, asked.answers, converted), hint: OTHER_MODEL },
    details: clip(converted.fault, 1000),
  }
}

const times = ['never', 'once', 'twice', 'three times']

/** What people are told of answers that cannot be used; what exactly is wrong with them helps only the model. Pure. */
function unusable(model: Model, answers: readonly Answer[], { noPlan }: { noPlan?: true }): string {
  const last = answers.at(-1)
  const who = `${clip(last?.model ?? model.model, 60)} at ${labelOf(last?.provider ?? model.provider)}`
  const what = noPlan ? 'answered something that is no plan' : 'made a plan that cannot be carried out here'
  return `The model (${who}) ${what}, ${times[answers.length] ?? `${answers.length} times`}.`
}

/** The answer as a plan; of a revision, with every step that stayed the same as it was. */
function convert(answer: Answer | undefined, { place, version, revise }: ModelInput): Converted {
  const converted = convertDraft(answer?.value, place, version)
  return 'plan' in converted && revise ? { plan: keepSpecs(converted.plan, revise.plan) } : converted
}

/**
 * Asks for a draft until it can be used: each time with the exact fault of the one before, twice at most, and no more
 * once the same fault came again.
 */
async function askUntilUsable(model: Model, input: ModelInput): Promise<Asked> {
  const expected = estimate(input.request, input.uses ?? [])
  const maxTokens = maxTokensFor(expected)
  const prompt = writePrompt(input)
  const answers = [
    await ask(model, { purpose: 'plan', user: prompt, need: needFor(expected), maxTokens }, input),
  ]
  let converted = convert(answers[0], input)
  for (let repairs = 0; 'fault' in converted && repairs < MAX_REPAIRS; repairs++) {
    const { fault } = converted
    const user = writeRepair(prompt, answers.at(-1)?.text ?? '', fault)
    const need = needFor(expected) === 'quick' ? 'balanced' : needFor(expected)
    answers.push(await ask(model, { purpose: 'repair', user, need, maxTokens }, input))
    converted = convert(answers.at(-1), input)
    if ('fault' in converted && converted.fault === fault) break
  }
  return { answers, converted, expected }
}

/**
 * Plans by a language model: asks, checks, and sends back what cannot be used with the exact fault. A provider's fault
 * becomes `failed`; only the abort of `signal` throws, with its reason.
 */
export async function planByModel(model: Model, input: ModelInput): Promise<PlanOutcome> {
  try {
    return outcomeOf(model, await askUntilUsable(model, input), input)
  } catch (error) {
    if (!(error instanceof ModelError)) throw error
    const { message, hint, details } = error
    return { kind: 'failed', reason: message, hint, ...(details === null ? {} : { details }) }
  }
}
