const WINDOW_MS = 60_000

/** Counts calls in each minute: so many per address, so many in all. */
export class Limiter {
  readonly #each: number
  readonly #all: number
  readonly #clock: () => number
  #window = 0
  #total = 0
  #counts = new Map<string, number>()

  constructor(each: number, all: number, clock: () => number = Date.now) {
    this.#each = each
    this.#all = all
    this.#clock = clock
  }

  /** Whether one more call from `address` may pass now. */
  take(address: string): boolean {
    const window = Math.floor(this.#clock() / WINDOW_MS)
    if (window !== this.#window) {
      this.#window = window
      this.#total = 0
      this.#counts.clear()
    }
    const count = (this.#counts.get(address) ?? 0) + 1
    if (count > this.#each || this.#total >= this.#all) return false
    this.#counts.set(address, count)
    this.#total++
    return true
  }
}
