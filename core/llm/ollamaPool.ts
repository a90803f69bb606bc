import { setTimeout as delay } from 'node:timers/promises'
import type { ModelSettings } from '../config/model.ts'
import { chooseModels } from './chooseModels.ts'
import { ModelError } from './model.ts'
import { fullName, type LoadedModel, type OllamaApi, ollamaApi } from './ollamaApi.ts'
import type { Pool } from './routerDeps.ts'

/** What a model takes beside its file: working memory, and rounding. */
const OVERHEAD = 300 * 1024 * 1024
/** Tokens that Ollama reads at once unless it is told otherwise. */
const USUAL_CONTEXT = 4096
/** How long an unloaded model may stay in its list. */
const GONE_MS = 5000

type Options = {
  /** Bytes that all loaded models may take; null: Ollama decides alone. */
  memory: number | null
  keepAliveS: number
  /** The model of conversations: it stays. */
  resident: string | null
}

/** The pool for the Ollama of the settings; null where there is none. */
export function openOllamaPool(settings: ModelSettings, api?: OllamaApi): OllamaPool | null {
  const at = settings.providers.find(({ name }) => name === 'ollama')
  if (!at) return null
  const first = chooseModels(settings, { need: 'conversation', tokens: 0 })
  const own = first.find(({ provider }) => provider === 'ollama')
  return new OllamaPool(api ?? ollamaApi(at.baseUrl), {
    memory: settings.ollamaMemory,
    keepAliveS: settings.ollamaKeepAliveS,
    resident: own?.model ?? null,
  })
}

/**
 * Keeps what Ollama has in memory within a limit. Before a model is asked it is loaded, and others leave for it: the
 * longest unused first, the one of conversations last, one that is being asked never. What is loaded is read from Ollama
 * each time, so several processes and other users of it do no harm. When Ollama's own API does not answer, the question
 * is sent all the same.
 */
export class OllamaPool implements Pool {
  readonly #api: OllamaApi
  readonly #options: Options
  /** Bytes each model took when it was last seen in memory. */
  readonly #seen = new Map<string, number>()
  readonly #usedAt = new Map<string, number>()
  readonly #inUse = new Map<string, number>()
  /** Decisions are made one after the other. */
  #turn: Promise<unknown> = Promise.resolve()
  #released = Promise.withResolvers<void>()

  constructor(api: OllamaApi, options: Options) {
    this.#api = api
    this.#options = options
  }

  /**
   * Makes sure that the model is in memory, and marks it as in use until what it resolves with is called. `tokens`: of
   * the question. Throws ModelError when it cannot fit, or cannot read so much; and the reason of the signal.
   */
  async prepare(model: string, tokens: number, signal: AbortSignal): Promise<() => void> {
    const name = fullName(model)
    // Counted within its turn: one that only waits for its own must not keep another's room.
    let counted = false
    const load = async (): Promise<LoadedModel | undefined> => {
      const loaded = await this.#load(name, signal)
      counted = !signal.aborted
      if (counted) this.#count(name, 1)
      return loaded
    }
    const release = (): void => {
      if (counted) this.#count(name, -1)
      counted = false
    }
    try {
      const loaded = await this.#inTurn(load, signal)
      const reads = loaded?.context_length
      if (reads !== undefined && reads < tokens) throw tooLong(model, reads, tokens)
    } catch (error) {
      release()
      signal.throwIfAborted()
      if (error instanceof ModelError) throw error
    }
    return () => {
      this.#usedAt.set(name, Date.now())
      release()
    }
  }

  /** Loads the model of conversations, so that the first word comes soon. */
  async warm(): Promise<void> {
    const { resident } = this.#options
    if (resident) (await this.prepare(resident, 0, AbortSignal.timeout(GONE_MS * 60)))()
  }

  #count(name: string, by: 1 | -1): void {
    this.#inUse.set(name, (this.#inUse.get(name) ?? 0) + by)
    if (by > 0) return
    this.#released.resolve()
    this.#released = Promise.withResolvers()
  }

  /** Who gives up waiting leaves the turn to others; what has begun goes on, so that it is there the next time. */
  async #inTurn<T>(work: () => Promise<T>, signal: AbortSignal): Promise<T> {
    const mine = this.#turn.then(() => {
      signal.throwIfAborted()
      return work()
    })
    this.#turn = mine.catch(() => {})
    const aborted = Promise.withResolvers<never>()
    const abort = () => aborted.reject(signal.reason)
    signal.addEventListener('abort', abort, { once: true })
    if (signal.aborted) abort()
    try {
      return await Promise.race([mine, aborted.promise])
    } finally {
      signal.removeEventListener('abort', abort)
    }
  }

  async #load(name: string, signal: AbortSignal): Promise<LoadedModel | undefined> {
    const there = (await this.#running()).find((model) => model.name === name)
    if (there) return there
    if (this.#options.memory !== null) await this.#makeRoom(name, this.#options.memory, signal)
    const seconds = name === this.#resident ? -1 : this.#options.keepAliveS
    await this.#api.keep(name, seconds)
    return (await this.#running()).find((model) => model.name === name)
  }

  get #resident(): string | null {
    return this.#options.resident && fullName(this.#options.resident)
  }

  async #running(): Promise<LoadedModel[]> {
    const running = await this.#api.running()
    for (const { name, size } of running) this.#seen.set(name, size)
    return running
  }

  async #makeRoom(name: string, memory: number, signal: AbortSignal): Promise<void> {
    const needs = await this.#needs(name)
    if (needs > memory) throw tooLarge(name, needs, memory)
    for (;;) {
      signal.throwIfAborted()
      const running = await this.#running()
      const taken = running.reduce((sum, { size }) => sum + size, 0)
      if (taken + needs <= memory) return
      const free = running.filter((model) => (this.#inUse.get(model.name) ?? 0) === 0)
      const [victim] = free.toSorted((a, b) => this.#worth(a.name) - this.#worth(b.name))
      if (victim) await this.#unload(victim.name)
      else await this.#untilReleased(signal)
    }
  }

  /** What leaves first has the least. */
  #worth(name: string): number {
    return name === this.#resident ? Number.POSITIVE_INFINITY : (this.#usedAt.get(name) ?? 0)
  }

  async #unload(name: string): Promise<void> {
    await this.#api.keep(name, 0)
    const until = Date.now() + GONE_MS
    while ((await this.#api.running()).some((model) => model.name === name) && Date.now() < until)
      await delay(50)
  }

  async #untilReleased(signal: AbortSignal): Promise<void> {
    const aborted = new Promise<void>((resolve) =>
      signal.addEventListener('abort', () => resolve(), { once: true }),
    )
    await Promise.race([this.#released.promise, aborted])
  }

  /** Bytes it will take: as last time, else its file, its keys and values for a usual context, and what comes with it. */
  async #needs(name: string): Promise<number> {
    const seen = this.#seen.get(name)
    if (seen !== undefined) return seen
    const size = (await this.#api.tags()).get(name)
    if (size === undefined) throw notThere(name)
    const info = await this.#api.show(name).catch(() => ({}))
    return size + keysAndValues(info, USUAL_CONTEXT) + OVERHEAD
  }
}

/**
 * Bytes of the keys and values that a model keeps for so many tokens: two of them, for each layer and head, at sixteen
 * bits. 0 where its facts are not known. Pure.
 */
export function keysAndValues(info: Record<string, unknown>, context: number): number {
  const value = (suffix: string): number => {
    const found = Object.entries(info).find(([name]) => name.endsWith(suffix))?.[1]
    return typeof found === 'number' ? found : 0
  }
  const heads = value('.attention.head_count_kv') || value('.attention.head_count')
  const width =
    value('.attention.key_length') || value('.embedding_length') / (value('.attention.head_count') || 1)
  return 2 * 2 * value('.block_count') * heads * width * context
}

const gigabytes = (bytes: number): string => `${(bytes / 1024 ** 3).toFixed(1)} GB`

const tooLarge = (name: string, needs: number, memory: number): ModelError =>
  new ModelError(
    'request',
    `Ollama's model ${name} needs about ${gigabytes(needs)} of memory, more than the ${gigabytes(memory)} that it may take.`,
    'Set OLLAMA_MEMORY_MB higher, or OLLAMA_MODEL to a smaller one.',
  )
const notThere = (name: string): ModelError =>
  new ModelError(
    'unknown_model',
    `Ollama does not have the model ${name}.`,
    `Run \`ollama pull ${name}\` there.`,
  )
const tooLong = (name: string, reads: number, tokens: number): ModelError =>
  new ModelError(
    'request',
    `Ollama's model ${name} was loaded to read ${reads} tokens at once, and this question has about ${tokens}.`,
    'Set OLLAMA_CONTEXT_LENGTH where Ollama runs, and restart it.',
  )
