import { fieldOf } from './readFailure.ts'

/** Characters of a token, about: for what is not told. */
const CHARS = 4

/** Tokens of a text, about. A little too many rather than too few for code and other languages. Pure. */
export const estimateTokens = (text: string): number => Math.ceil(text.length / (CHARS - 0.5))

const count = (value: unknown): number | null =>
  typeof value === 'number' && value >= 0 ? Math.round(value) : null

/** What came of one request so far, and when: read at its end, and also when it is broken off. */
export class Meter {
  readonly startedAt: number
  #text = ''
  #firstMs: number | null = null
  #thought = false
  #in: number | null = null
  #out: number | null = null
  #cached: number | null = null
  #cost: number | null = null
  readonly #clock: () => number
  readonly #onLife: (first: boolean) => void

  /** `onLife`: called with each sign of life; `first` once. */
  constructor(onLife: (first: boolean) => void = () => {}, clock: () => number = () => performance.now()) {
    this.#clock = clock
    this.#onLife = onLife
    this.startedAt = clock()
  }

  get text(): string {
    return this.#text
  }

  /** Whether anything came of it yet. */
  get alive(): boolean {
    return this.#thought || this.#firstMs !== null
  }

  get firstMs(): number | null {
    return this.#firstMs
  }

  get ms(): number {
    return Math.round(this.#clock() - this.startedAt)
  }

  /** A part of the answer. */
  add(text: string): void {
    this.#text += text
    const first = this.#firstMs === null
    if (first) this.#firstMs = this.ms
    this.#onLife(first && !this.#thought)
  }

  /** The model is at work on an answer that has no text yet. */
  thinks(): void {
    const first = !this.#thought && this.#firstMs === null
    this.#thought = true
    this.#onLife(first)
  }

  /** The provider's own count, in any of their shapes. Gemini counts thoughts in the total alone. */
  usage(usage: unknown): void {
    const input = count(fieldOf(usage, 'prompt_tokens'))
    if (input === null) return
    const out = count(fieldOf(usage, 'completion_tokens')) ?? 0
    const total = count(fieldOf(usage, 'total_tokens')) ?? 0
    this.#in = input
    this.#out = Math.max(out, total - input)
    this.#cached =
      count(fieldOf(fieldOf(usage, 'prompt_tokens_details'), 'cached_tokens')) ??
      count(fieldOf(usage, 'prompt_cache_hit_tokens')) ??
      0
    const cost = fieldOf(usage, 'cost')
    this.#cost = typeof cost === 'number' && cost >= 0 ? cost : null
  }

  /** What it came to. `prompt`: tokens of the question, for when nothing was told. */
  counted(prompt: number): {
    in: number
    out: number
    cached: number
    estimated: boolean
    /** What the provider says that it costs. */
    cost: number | null
  } {
    if (this.#in !== null)
      return {
        in: this.#in,
        out: this.#out ?? 0,
        cached: this.#cached ?? 0,
        estimated: false,
        cost: this.#cost,
      }
    return { in: prompt, out: estimateTokens(this.#text), cached: 0, estimated: true, cost: null }
  }
}
