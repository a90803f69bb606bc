import { randomUUID } from 'node:crypto'
import type { OpenAI } from 'openai'
import type { Logger } from '../config/logger.ts'
import type { ModelSettings, ProviderSettings } from '../config/model.ts'
import { redactor } from '../redaction/redact.ts'
import type { Database } from '../storage/openDatabase.ts'
import { adaptSchema } from './adaptSchema.ts'
import { AnswerCache } from './answerCache.ts'
import { askModels } from './askModels.ts'
import { promptTokens } from './attempt.ts'
import { recentCalls } from './callLedger.ts'
import { openClient } from './callModel.ts'
import { priceOf } from './catalogue.ts'
import { type Candidate, chooseModels } from './chooseModels.ts'
import { restError } from './explainFault.ts'
import { HealthBook } from './health.ts'
import { type Answer, type Completion, type Model, ModelError } from './model.ts'
import { mostTelling } from './mostTelling.ts'
import { type OllamaPool, openOllamaPool } from './ollamaPool.ts'
import { ledgerRecords, noRecords } from './records.ts'
import type { Asked, RouterDeps } from './routerDeps.ts'

const MAX_ANSWER_TOKENS = 16_000
/** What others recorded is read again after so long. */
const NEWS_MS = 5000
/** What is read at the start. */
const PAST_MS = 3_600_000

export type RouterOptions = {
  /** Where calls are recorded and what others recorded is read; without it there is neither record nor budget. */
  db?: Pick<Database, 'query' | 'tx'>
  log?: Pick<Logger, 'warn'>
  now?: () => number
}

/**
 * The one door to language models: for each question the models that fit it, in order, the next one when one fails.
 * Null when none is set up. Opens no connection; a wrong key shows at the first question. All that is sent is redacted
 * of `secrets` and of what looks like one.
 */
export async function openModel(
  settings: ModelSettings,
  secrets: readonly string[] = [],
  options: RouterOptions = {},
): Promise<Model | null> {
  const [first] = settings.providers
  if (!first) return null
  const keys = settings.providers.flatMap(({ apiKey }) => apiKey ?? [])
  const router = new Router(settings, redactor([...secrets, ...keys]), options)
  return {
    provider: first.name,
    model: first.models[0],
    budgets: settings.budgets,
    complete: (req) => router.complete(req),
    warm: () => router.warm(),
    settled: () => router.settled(),
  }
}

class Router {
  readonly #deps: RouterDeps
  readonly #options: RouterOptions
  readonly #redact: (text: string) => string
  readonly #cache: AnswerCache
  readonly #clients = new Map<string, Promise<OpenAI>>()
  readonly #known = new Set<string>()
  readonly #pool: OllamaPool | null
  readonly #writing = new Set<Promise<unknown>>()
  #news: Promise<void> | null = null
  #newsAt = 0

  constructor(settings: ModelSettings, redact: (text: string) => string, options: RouterOptions) {
    const { db, log = { warn: () => undefined as never } } = options
    const now = options.now ?? Date.now
    this.#options = options
    this.#redact = redact
    this.#cache = new AnswerCache(settings.cacheMs, now)
    this.#pool = openOllamaPool(settings)
    this.#deps = {
      settings,
      now,
      health: new HealthBook(),
      records: db ? ledgerRecords({ db, log }, settings.budgets) : noRecords,
      pool: this.#pool,
      written: (record) => {
        this.#writing.add(record)
        void record.finally(() => this.#writing.delete(record))
      },
      client: (at) => this.#client(at),
      modes: new Map(),
    }
    const { records } = this.#deps
    this.#deps.records = {
      ...records,
      begin: async (call) => {
        this.#known.add(call.id)
        // What was reserved for questions that have ended is free again.
        if (records.waits(call)) await this.settled()
        return records.begin(call)
      },
    }
  }

  async complete<T>(req: Completion<T>): Promise<Answer> {
    req.signal?.throwIfAborted()
    const asked = this.#prepare(req)
    // Not the room for the answer: one that is kept came to its end, and the room changes with what plans took.
    const { need, system, user, schema } = asked
    const key = this.#cache.key(asked.purpose, [need, system, user, schema])
    const kept = key === null ? null : this.#cache.get(key)
    if (kept) return this.#again(asked, kept, req)
    await this.#readNews()
    const { order, resting } = this.#order(asked)
    if (order.length === 0) throw this.#nobody(asked, resting)
    const { signal, onText } = req
    const left = this.#restErrors(resting.filter((one) => !order.includes(one)))
    const answer = await askModels(this.#deps, asked, order, { signal, onText, resting: left })
    if (key !== null && answer.value !== undefined) this.#cache.put(key, answer)
    return answer
  }

  async settled(): Promise<void> {
    while (this.#writing.size > 0) await Promise.all(this.#writing)
  }

  /** Where a model on one's own machine is the first for conversations it is loaded now. */
  async warm(): Promise<void> {
    const [first] = chooseModels(this.#deps.settings, { need: 'conversation', tokens: 0 })
    if (first?.provider !== 'ollama') return
    await this.#pool
      ?.warm()
      .catch(
        (error: unknown) => void this.#options.log?.warn(`Ollama could not be made ready: ${String(error)}`),
      )
  }

  #prepare<T>(req: Completion<T>): Asked {
    return {
      id: randomUUID(),
      purpose: req.purpose,
      need: req.need ?? 'balanced',
      system: this.#redact(req.system),
      user: this.#redact(req.user),
      schemaName: req.schemaName,
      schema: adaptSchema(req.schema),
      maxTokens: Math.min(req.maxTokens ?? MAX_ANSWER_TOKENS, MAX_ANSWER_TOKENS),
      runId: req.runId ?? null,
      personId: req.personId ?? null,
    }
  }

  /** The same question, a moment later: nothing is sent, and the record says so. */
  async #again<T>(asked: Asked, kept: Answer, req: Completion<T>): Promise<Answer> {
    const { provider = '', model = '' } = kept
    req.onText?.(kept.text)
    await this.#deps.records.cached({
      ...{
        id: randomUUID(),
        questionId: asked.id,
        provider,
        model,
        purpose: asked.purpose,
        need: asked.need,
      },
      ...{ runId: asked.runId, personId: asked.personId, hedge: false, reservedTokens: 0, reservedUsd: 0 },
    })
    return { ...kept, tokens_in: 0, tokens_out: 0, tokens_cached: 0, cost_usd: 0, ms: 0 }
  }

  /**
   * Those that are well, in order; then those that rest, as a last resort, but for those whose provider named a time.
   * Under a budget of money only models whose price is known.
   */
  #order(asked: Asked): { order: Candidate[]; resting: Candidate[] } {
    const { settings, health } = this.#deps
    const now = this.#deps.now()
    const { dailyUsd, runUsd } = settings.budgets
    const priced = ({ provider, model }: Candidate): boolean =>
      (dailyUsd === null && runUsd === null) || priceOf(provider, model, settings.prices) !== null
    const fitting = chooseModels(settings, { need: asked.need, tokens: promptTokens(asked) + 1000 }).filter(
      priced,
    )
    const well = fitting.filter((one) => health.ready(one, now))
    const resting = fitting.filter((one) => !health.ready(one, now))
    return { order: [...well, ...resting.filter((one) => !health.of(one).asked)], resting }
  }

  #nobody(asked: Asked, resting: readonly Candidate[]): ModelError {
    if (resting.length > 0) return mostTelling(this.#restErrors(resting), this.#deps.settings)
    const tokens = Math.round(promptTokens(asked) / 1000)
    return new ModelError(
      'request',
      `No language model that is set up can take this question (about ${tokens}k tokens).`,
      'Set up one that reads more at once; with AI_DAILY_USD or AI_RUN_USD its price must be known (AI_PRICES).',
    )
  }

  /** Why each of them is left alone, the one that rests longest first. */
  #restErrors(resting: readonly Candidate[]): ModelError[] {
    const { health } = this.#deps
    const now = this.#deps.now()
    return resting
      .map((one) => ({ at: { ...one.at, model: one.model }, ...health.of(one) }))
      .toSorted((a, b) => b.openUntil - a.openUntil)
      .map(({ at, fault, openUntil }) => restError(at, fault, openUntil - now))
  }

  /** What other processes recorded, and at the start what was recorded before. Read beside the questions. */
  async #readNews(): Promise<void> {
    const { db } = this.#options
    const now = this.#deps.now()
    if (!db || now - this.#newsAt < NEWS_MS) return
    const first = this.#newsAt === 0
    const since = first ? PAST_MS : now - this.#newsAt + NEWS_MS
    this.#newsAt = now
    this.#news = recentCalls(db, since, now).then(
      (calls) => {
        for (const { id, ...seen } of calls) {
          if (!this.#known.has(id)) this.#deps.health.note(seen)
          this.#known.add(id)
        }
        this.#forget()
      },
      (error: unknown) =>
        void this.#options.log?.warn(`the record of calls could not be read: ${String(error)}`),
    )
    if (first) await this.#news
  }

  /** Ids older than any that is read again. */
  #forget(): void {
    for (const id of this.#known) {
      if (this.#known.size <= 5000) return
      this.#known.delete(id)
    }
  }

  #client(at: ProviderSettings): Promise<OpenAI> {
    const opened = this.#clients.get(at.name) ?? openClient(at)
    this.#clients.set(at.name, opened)
    return opened
  }
}
