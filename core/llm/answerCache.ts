import { createHash } from 'node:crypto'
import type { Answer } from './model.ts'

/** Purposes whose answer to the same question may be given again: the same words in the same place, shortly after. */
const repeatable: ReadonlySet<string> = new Set(['plan', 'classify'])
const MOST = 100

type Kept = { answer: Answer; until: number }

/** Answers of the last minutes by all that was asked, the newest hundred. Of this process alone. */
export class AnswerCache {
  readonly #kept = new Map<string, Kept>()
  readonly #ms: number
  readonly #clock: () => number

  constructor(ms: number, clock: () => number = Date.now) {
    this.#ms = ms
    this.#clock = clock
  }

  /** Under which key a question is kept; null when its answer must be made anew each time. */
  key(purpose: string, parts: readonly unknown[]): string | null {
    if (this.#ms === 0 || !repeatable.has(purpose)) return null
    return createHash('sha256')
      .update(JSON.stringify([purpose, ...parts]))
      .digest('hex')
  }

  get(key: string): Answer | null {
    const kept = this.#kept.get(key)
    if (!kept) return null
    if (kept.until > this.#clock()) return structuredClone(kept.answer)
    this.#kept.delete(key)
    return null
  }

  put(key: string, answer: Answer): void {
    this.#kept.delete(key)
    this.#kept.set(key, { answer: structuredClone(answer), until: this.#clock() + this.#ms })
    const oldest = this.#kept.keys().next()
    if (this.#kept.size > MOST && !oldest.done) this.#kept.delete(oldest.value)
  }
}
