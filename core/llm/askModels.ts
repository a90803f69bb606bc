import type { OutputMode } from '../config/model.ts'
import { type Attempt, begin, type Ended, Superseded } from './attempt.ts'
import { modelKey } from './catalogue.ts'
import type { Candidate } from './chooseModels.ts'
import type { Answer, ModelError, ModelFault } from './model.ts'
import { mostTelling } from './mostTelling.ts'
import type { Asked, RouterDeps } from './routerDeps.ts'

/** Faults that may pass by themselves: worth a second try when nobody else is left. */
const passing: ReadonlySet<ModelFault> = new Set(['server', 'unreachable', 'answer', 'rate', 'timeout'])
/** A provider that asks for a longer wait than this is not waited for: the person is told instead. */
const PATIENCE_MS = 5000
const PAUSE_MS = 300
/** The share of the time that is left which one model may take while there are others. */
const LONGEST = 0.75
/** How many models may refuse an answer, or not come to its end, before that is believed. */
const BELIEVED = 2
const nextMode: Record<OutputMode, OutputMode | null> = { schema: 'object', object: 'text', text: null }

type Hooks = {
  signal: AbortSignal | undefined
  onText: ((soFar: string) => void) | undefined
  /** Of those that are left alone meanwhile: told when nobody else answers. */
  resting?: readonly ModelError[]
}
type Result = { attempt: Attempt; ended: Ended }

/**
 * Puts one question to the models of `order`, one after the other until one answers; to a second one at the same time
 * when the first is silent for long. Resolves with the first answer; with one that is no JSON only when no model did
 * better. Rejects with the most telling ModelError, or with the reason of the signal; nothing is under way then.
 */
export async function askModels(
  deps: RouterDeps,
  asked: Asked,
  order: Candidate[],
  hooks: Hooks,
): Promise<Answer> {
  const asking = new Asking(deps, asked, order, hooks)
  try {
    return await asking.answer()
  } finally {
    await asking.close()
  }
}

class Asking {
  readonly #deps: RouterDeps
  readonly #asked: Asked
  readonly #hooks: Hooks
  readonly #started: number
  #queue: Candidate[]
  /** Those that may be tried once more. */
  #again: { candidate: Candidate; waitMs: number }[] = []
  readonly #retried = new Set<Candidate>()
  readonly #running = new Set<Attempt>()
  #leader: Attempt | null = null
  #nonsense: Answer | null = null
  readonly #errors: ModelError[] = []
  readonly #reasons = new Map<ModelFault, number>()

  constructor(deps: RouterDeps, asked: Asked, order: Candidate[], hooks: Hooks) {
    this.#deps = deps
    this.#asked = asked
    this.#queue = [...order]
    this.#hooks = hooks
    this.#started = performance.now()
  }

  async answer(): Promise<Answer> {
    const aborted = whenAborted(this.#hooks.signal)
    try {
      for (;;) {
        this.#hooks.signal?.throwIfAborted()
        if (this.#running.size === 0 && !(await this.#startNext(aborted.promise))) return this.#giveUp()
        const result = await this.#next(aborted.promise)
        if (result === 'slow') this.#hedge()
        else if (result !== 'aborted') {
          const answer = this.#settle(result)
          if (answer) return answer
        }
      }
    } finally {
      aborted.stop()
    }
  }

  /** Breaks off whatever is still under way, and waits until that is written down. */
  async close(): Promise<void> {
    const running = [...this.#running]
    for (const attempt of running) attempt.stop(this.#hooks.signal?.reason ?? this.#superseded(attempt))
    await Promise.all(running.map(({ ended }) => ended))
  }

  get #leftMs(): number {
    return Math.max(0, this.#deps.settings.timeoutMs - (performance.now() - this.#started))
  }

  /** Starts the next model, or, when all were asked, one that may do better now. False: there is none. */
  async #startNext(aborted: Promise<unknown>): Promise<boolean> {
    if (this.#leftMs < 50) return false
    const next = this.#queue.shift()
    if (next) {
      this.#start(next, false)
      return true
    }
    const again = this.#again.shift()
    if (!again || this.#nonsense || again.waitMs >= this.#leftMs) return false
    await Promise.race([pause(again.waitMs), aborted])
    this.#hooks.signal?.throwIfAborted()
    this.#start(again.candidate, false)
    return true
  }

  #start(candidate: Candidate, hedge: boolean): void {
    const { deps, leftMs } = { deps: this.#deps, leftMs: this.#leftMs }
    deps.health.tryOut(candidate, deps.now(), leftMs)
    const attempt = begin(deps, this.#asked, candidate, {
      hedge,
      // Who comes next is to have time, too.
      leftMs: this.#queue.length > 0 ? leftMs * LONGEST : leftMs,
      silenceMs: this.#queue.length > 0 ? leftMs / 2 : leftMs,
      mode: deps.modes.get(modelKey(candidate.provider, candidate.model)) ?? candidate.mode,
      onFirst: (first) => this.#lead(first),
      onText: (from, soFar) => {
        if (from === this.#leader) this.#tell(soFar)
      },
    })
    this.#running.add(attempt)
  }

  /** Who listens cannot harm the answer. */
  #tell(soFar: string): void {
    try {
      this.#hooks.onText?.(soFar)
    } catch {
      this.#hooks.onText = undefined
    }
  }

  /** The first sign of life decides: the others are broken off and may be asked again later. */
  #lead(attempt: Attempt): void {
    if (this.#leader && this.#running.has(this.#leader)) return
    this.#leader = attempt
    for (const other of this.#running)
      if (other !== attempt) {
        this.#queue.unshift(other.candidate)
        other.stop(this.#superseded(other))
      }
  }

  #superseded(attempt: Attempt): Superseded {
    const { hedgeMs } = this.#deps.settings
    return new Superseded(hedgeMs !== null && !attempt.meter.alive && attempt.meter.ms >= hedgeMs)
  }

  async #next(aborted: Promise<'aborted'>): Promise<Result | 'slow' | 'aborted'> {
    const slow = this.#slowTimer()
    try {
      const ends = [...this.#running].map(async (attempt) => ({ attempt, ended: await attempt.ended }))
      return await Promise.race([...ends, aborted, ...(slow ? [slow.promise] : [])])
    } finally {
      slow?.stop()
    }
  }

  /** Only one that has said nothing yet is slow, and only where there is another to ask. */
  #slowTimer() {
    const { hedgeMs } = this.#deps.settings
    const [only, ...others] = this.#running
    const [next] = this.#queue
    if (hedgeMs === null || !only || others.length > 0 || only === this.#leader || !next) return null
    if (!this.#deps.health.ready(next, this.#deps.now())) return null
    return timer(Math.max(0, hedgeMs - only.meter.ms))
  }

  #hedge(): void {
    const next = this.#queue.shift()
    if (next) this.#start(next, true)
  }

  #settle({ attempt, ended }: Result): Answer | null {
    this.#running.delete(attempt)
    if (attempt === this.#leader) this.#leader = null
    if (ended.kind === 'answered') return ended.answer
    if (ended.kind === 'nonsense') {
      this.#nonsense ??= ended.answer
      this.#errors.push(ended.error)
    }
    if (ended.kind === 'failed') this.#failed(attempt.candidate, ended.error)
    return null
  }

  #failed(candidate: Candidate, error: ModelError): void {
    this.#errors.push(error)
    const { fault, reach } = error
    if (fault === 'schema' && this.#weaken(candidate)) return
    if (fault === 'budget') this.#queue = this.#queue.filter(({ provider }) => provider === 'ollama')
    if (reach === 'provider') this.#leaveOut((one) => one.provider === candidate.provider)
    if (reach === 'free models')
      this.#leaveOut((one) => one.provider === candidate.provider && one.model.endsWith(':free'))
    if (fault === 'refused' || fault === 'cut') this.#believe(fault)
    if (passing.has(fault) && !this.#retried.has(candidate)) this.#keepForLater(candidate, error)
  }

  #leaveOut(which: (candidate: Candidate) => boolean): void {
    this.#queue = this.#queue.filter((one) => !which(one))
  }

  /** It takes no schema, or no JSON mode: the same model is asked in a plainer way, now and from now on. */
  #weaken(candidate: Candidate): boolean {
    const key = modelKey(candidate.provider, candidate.model)
    const weaker = nextMode[this.#deps.modes.get(key) ?? candidate.mode]
    if (!weaker) return false
    this.#deps.modes.set(key, weaker)
    this.#queue.unshift(candidate)
    return true
  }

  /** Asking all of them to do what they will not do, or cannot, costs and brings nothing. */
  #believe(fault: ModelFault): void {
    const times = (this.#reasons.get(fault) ?? 0) + 1
    this.#reasons.set(fault, times)
    if (times >= BELIEVED) this.#queue = []
  }

  #keepForLater(candidate: Candidate, { fault, retryAfterMs }: ModelError): void {
    this.#retried.add(candidate)
    if (fault === 'timeout' && this.#leftMs < 1000) return
    const waitMs = retryAfterMs ?? PAUSE_MS
    if (waitMs <= PATIENCE_MS) this.#again.push({ candidate, waitMs })
  }

  #giveUp(): Answer {
    if (this.#nonsense) return this.#nonsense
    throw mostTelling([...(this.#hooks.resting ?? []), ...this.#errors], this.#deps.settings)
  }
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

function timer(ms: number): { promise: Promise<'slow'>; stop(): void } {
  let handle: NodeJS.Timeout
  const promise = new Promise<'slow'>((resolve) => {
    handle = setTimeout(() => resolve('slow'), ms)
  })
  return { promise, stop: () => clearTimeout(handle) }
}

function whenAborted(signal: AbortSignal | undefined): { promise: Promise<'aborted'>; stop(): void } {
  let listener = () => {}
  const promise = new Promise<'aborted'>((resolve) => {
    listener = () => resolve('aborted')
    if (signal?.aborted) resolve('aborted')
    else signal?.addEventListener('abort', listener, { once: true })
  })
  return { promise, stop: () => signal?.removeEventListener('abort', listener) }
}
