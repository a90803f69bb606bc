/** A piece of a text that must not be shown: from `start` to before `end`. `rank`: whose name wins where two overlap. */
export type Span = { start: number; end: number; kind: string; rank: number }

export const PRIVATE_KEY = 'private key'

export const RANK = { value: 0, format: 1, known: 2 } as const

/** Overlapping pieces joined, in order of the text. Pure. */
export function joined(spans: readonly Span[]): Span[] {
  const out: Span[] = []
  for (const span of [...spans].sort((a, b) => a.start - b.start || b.end - a.end)) {
    const last = out.at(-1)
    if (!last || span.start >= last.end) out.push({ ...span })
    else {
      last.end = Math.max(last.end, span.end)
      if (span.rank > last.rank) Object.assign(last, { kind: span.kind, rank: span.rank })
    }
  }
  return out
}

/** What stands in the place of a secret; nothing where it only goes on (`kind` empty). */
const mark = (kind: string): string => (kind === '' ? '' : `[redacted: ${kind}]`)

/** The text from `from` on, with a mark in the place of each piece; `spans` as `joined` gives them. Pure. */
export function replaced(text: string, spans: readonly Span[], from = 0): string {
  let out = ''
  let at = from
  for (const { start, end, kind } of spans) {
    if (end <= at) continue
    out += text.slice(at, Math.max(at, start)) + mark(kind)
    at = end
  }
  return at === 0 ? text : out + text.slice(at)
}
