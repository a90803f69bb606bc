import { type Logger, messageOf } from './logger.ts'

/** While it lasts, a line about it comes no more often than this. */
const REMIND_MS = 60_000

/**
 * Something that this process needs and that may be away: a line when it goes, one a minute while it stays away,
 * and one when it is back, however often it is asked for meanwhile.
 */
export class Outage {
  readonly #log: Pick<Logger, 'warn'>
  readonly #what: string
  #since: number | null = null
  #told = 0
  #failures = 0

  /** `what`: as it stands at the beginning of a line: `the database`. */
  constructor(log: Pick<Logger, 'warn'>, what: string) {
    this.#log = log
    this.#what = what
  }

  get isOn(): boolean {
    return this.#since !== null
  }

  /** A call found nobody. */
  failed(error: unknown): void {
    const now = performance.now()
    this.#since ??= now
    this.#failures++
    if (this.#failures > 1 && now - this.#told < REMIND_MS) return
    this.#told = now
    const times = this.#failures > 1 ? ` (asked ${this.#failures} times in ${this.#seconds(now)} s)` : ''
    this.#log.warn(`${this.#what} does not answer${times}; waiting for it: ${messageOf(error)}`)
  }

  /** It answered. */
  over(): void {
    if (this.#since === null) return
    this.#log.warn(`${this.#what} answers again after ${this.#seconds(performance.now())} s`)
    this.#since = null
    this.#failures = 0
  }

  #seconds(now: number): number {
    return Math.round((now - (this.#since ?? now)) / 100) / 10
  }
}
