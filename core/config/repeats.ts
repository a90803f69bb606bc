const WINDOW_MS = 60_000
/** Lines that differ in numbers and ids only count as one; so many of them are written in a minute. */
const EACH = 10
/** Kinds of lines that are remembered; beyond, counting begins anew. */
const MAX_KINDS = 500

const ids = /\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b|\d+(?:\.\d+)?/gi

/** Keeps a log readable, and a disk from filling, when something fails over and over. */
export class Repeats {
  readonly #kinds = new Map<string, { since: number; written: number; held: number }>()

  /** Null: hold this line back. Else how many like it were held back since the last one that was written. */
  take(line: string, now: number): number | null {
    const kind = line.slice(0, 500).replace(ids, '#')
    const known = this.#kinds.get(kind)
    if (!known || now - known.since >= WINDOW_MS) {
      if (this.#kinds.size >= MAX_KINDS) this.#kinds.clear()
      this.#kinds.set(kind, { since: now, written: 1, held: 0 })
      return known?.held ?? 0
    }
    if (known.written >= EACH) {
      known.held++
      return null
    }
    known.written++
    return 0
  }
}
