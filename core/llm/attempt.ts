import { randomUUID } from 'node:crypto'
import { failpoint } from '../config/failpoint.ts'
import type { OutputMode } from '../config/model.ts'
import { type EndedCall, isCounted, type NewCall } from './callLedger.ts'
import { callModel, parseAnswer } from './callModel.ts'
import { costOf, priceOf } from './catalogue.ts'
import type { Candidate } from './chooseModels.ts'
import { modelError } from './explainFault.ts'
import { estimateTokens, Meter } from './meter.ts'
import { type Answer, ModelError, type ModelFault } from './model.ts'
import type { Asked, RouterDeps } from './routerDeps.ts'

/** Why a request was broken off by us; `slow`: it had been silent for long when another one answered. */
export class Superseded extends Error {
  override name = 'Superseded'
  readonly slow: boolean
  constructor(slow: boolean) {
    super('another was sooner')
    this.slow = slow
  }
}
/** Its model was silent for too long. */
class Silence extends Error {}

/** How one request to one model ended. */
export type Ended =
  | { kind: 'answered'; answer: Answer }
  /** It answered, but not in JSON. */
  | { kind: 'nonsense'; answer: Answer; error: ModelError }
  | { kind: 'failed'; error: ModelError }
  /** Broken off: by the asker, or since another one was sooner. */
  | { kind: 'stopped'; slow: boolean }

export type Attempt = {
  candidate: Candidate
  meter: Meter
  /** Breaks it off, on the wire too. */
  stop(reason: unknown): void
  /** Never rejects. */
  ended: Promise<Ended>
}

/** Faults by which a provider says that it did nothing. */
const unpaid: ReadonlySet<string> = new Set<ModelFault>([
  'key',
  'quota',
  'rate',
  'unknown_model',
  'request',
  'schema',
  'busy',
  'budget',
])

/** Tokens of a question; told schemas count too. */
export const promptTokens = ({ system, user, schema }: Pick<Asked, 'system' | 'user' | 'schema'>): number =>
  estimateTokens(system) + estimateTokens(user) + estimateTokens(JSON.stringify(schema))

type Options = {
  hedge: boolean
  /** Given up after so many milliseconds without a sign of life, also halfway; and after so many in all. */
  silenceMs: number
  leftMs: number
  mode: OutputMode
  onFirst: (attempt: Attempt) => void
  onText: (attempt: Attempt, soFar: string) => void
}

/** Begins one request. What it reserves, and how it ends, is written down; its health is noted. */
export function begin(deps: RouterDeps, asked: Asked, candidate: Candidate, options: Options): Attempt {
  const control = new AbortController()
  const quiet = setTimeout(() => control.abort(new Silence()), options.silenceMs)
  const limit = setTimeout(() => control.abort(new Silence()), options.leftMs)
  const meter = new Meter((first) => {
    quiet.refresh()
    if (first) options.onFirst(attempt)
  })
  const attempt: Attempt = {
    candidate,
    meter,
    stop: (reason) => control.abort(reason),
    ended: Promise.resolve({ kind: 'stopped', slow: false }),
  }
  attempt.ended = run(deps, asked, attempt, control.signal, options).finally(() => {
    clearTimeout(quiet)
    clearTimeout(limit)
  })
  return attempt
}

async function run(
  deps: RouterDeps,
  asked: Asked,
  attempt: Attempt,
  signal: AbortSignal,
  options: Options,
): Promise<Ended> {
  const { candidate, meter } = attempt
  const call = newCall(deps, asked, candidate, options.hedge)
  const seconds = Math.max(1, Math.round(Math.min(options.silenceMs, options.leftMs) / 1000))
  const at = { ...candidate.at, model: candidate.model }
  const noted = deps.records.begin(call)
  const refused = deps.records.waits(call) ? await noted : null
  if (refused) return { kind: 'failed', error: refused }
  const ended = await ask().catch((error: unknown): Ended => {
    if (signal.reason instanceof Silence) return { kind: 'failed', error: modelError('timeout', at, seconds) }
    if (error instanceof ModelError) return { kind: 'failed', error }
    return { kind: 'stopped', slow: signal.reason instanceof Superseded && signal.reason.slow }
  })
  const end = endOf(deps, asked, attempt, ended)
  deps.health.note({
    ...candidate,
    ...end,
    reach: reachOf(ended),
    at: deps.now(),
    retryAt: retryAt(deps, end),
  })
  // The answer does not wait for it.
  deps.written(noted.then(() => deps.records.end(call, end)))
  if (ended.kind === 'answered' || ended.kind === 'nonsense') Object.assign(ended.answer, priced(end))
  return ended

  async function ask(): Promise<Ended> {
    const release =
      candidate.provider === 'ollama'
        ? await deps.pool?.prepare(candidate.model, promptTokens(asked), signal)
        : null
    try {
      return await converse()
    } finally {
      release?.()
    }
  }

  async function converse(): Promise<Ended> {
    const client = await deps.client(candidate.at)
    const question = {
      ...{ system: asked.system, user: asked.user, schemaName: asked.schemaName, schema: asked.schema },
      ...{ mode: options.mode, maxTokens: asked.maxTokens, signal },
      onText: (soFar: string) => options.onText(attempt, soFar),
    }
    failpoint('model.asked:before')
    await callModel(client, at, question, meter, seconds)
    failpoint('model.asked:after')
    const value = parseAnswer(meter.text)
    const answer: Answer = {
      ...{ value, text: meter.text, tokens_in: 0, tokens_out: 0, ms: meter.ms },
      ...{ provider: candidate.provider, model: candidate.model },
    }
    return value === undefined
      ? { kind: 'nonsense', answer, error: modelError('answer', at, seconds) }
      : { kind: 'answered', answer }
  }
}

const reachOf = (ended: Ended) => (ended.kind === 'failed' ? ended.error.reach : 'model')
const retryAt = (deps: RouterDeps, { retryAfterMs }: EndedCall): number | null =>
  retryAfterMs === null ? null : deps.now() + retryAfterMs

const priced = (end: EndedCall): Partial<Answer> => ({
  tokens_in: end.tokensIn,
  tokens_out: end.tokensOut,
  tokens_cached: end.tokensCached,
  cost_usd: end.costUsd,
})

function newCall(deps: RouterDeps, asked: Asked, { provider, model }: Candidate, hedge: boolean): NewCall {
  const price = priceOf(provider, model, deps.settings.prices, new Date(deps.now()))
  const input = promptTokens(asked)
  return {
    ...{ id: randomUUID(), questionId: asked.id, provider, model, purpose: asked.purpose, need: asked.need },
    ...{ runId: asked.runId, personId: asked.personId, hedge },
    reservedTokens: isCounted(provider) ? input + asked.maxTokens : 0,
    reservedUsd: price && costOf(price, { in: input, out: asked.maxTokens, cached: 0 }),
  }
}

/** What to write down. A request that was refused cost nothing; one that was broken off is estimated. */
function endOf(deps: RouterDeps, asked: Asked, { candidate, meter }: Attempt, ended: Ended): EndedCall {
  const { provider, model } = candidate
  const outcome = outcomeOf(ended)
  const idle = unpaid.has(outcome) || (['server', 'unreachable'].includes(outcome) && meter.text === '')
  const told = meter.counted(idle ? 0 : promptTokens(asked))
  const price = priceOf(provider, model, deps.settings.prices, new Date(deps.now()))
  return {
    outcome,
    ...{ tokensIn: told.in, tokensOut: told.out, tokensCached: told.cached },
    estimated: told.estimated && !idle,
    costUsd: told.cost ?? (idle ? 0 : price && costOf(price, told)),
    ms: meter.ms,
    firstMs: meter.firstMs,
    retryAfterMs: ended.kind === 'failed' ? ended.error.retryAfterMs : null,
  }
}

function outcomeOf(ended: Ended): string {
  if (ended.kind === 'failed') return ended.error.fault
  if (ended.kind === 'stopped') return ended.slow ? 'slow' : 'cancelled'
  return ended.kind === 'answered' ? 'answered' : 'answer'
}
