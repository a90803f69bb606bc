import { pieces, splitGroup } from './compileTrigger.ts'

type Filled = { text: string; used: readonly string[] }

const quoted = (value: string): string => (/\s/.test(value) && !value.includes('"') ? `"${value}"` : value)

/**
 * A phrase as a person could have written it, with values in its slots: the first of several words, and what may be
 * missing only where it has a value. Null when a slot has none, or for a regular expression. Pure.
 */
export function fillPhrase(
  phrase: string,
  values: ReadonlyMap<string, string>,
  texts: ReadonlySet<string>,
): Filled | null {
  if (phrase.startsWith('/')) return null
  const parts: string[] = []
  const used: string[] = []
  for (const piece of pieces(phrase)) {
    const inside = piece.slice(1, -1)
    if (piece.startsWith('{')) {
      const value = values.get(inside)
      if (value === undefined) return null
      parts.push(texts.has(inside) ? value : quoted(value))
      used.push(inside)
    } else if (/^[([]/.test(piece)) {
      const filled = fillGroup(inside, piece.startsWith('['), values, texts)
      if (!filled) return null
      parts.push(filled.text)
      used.push(...filled.used)
    } else parts.push(piece)
  }
  return { text: parts.filter(Boolean).join(' '), used }
}

function fillGroup(
  inside: string,
  optional: boolean,
  values: ReadonlyMap<string, string>,
  texts: ReadonlySet<string>,
): Filled | null {
  const filled = splitGroup(inside).flatMap((part) => fillPhrase(part.trim(), values, texts) ?? [])
  const withValue = filled.find(({ used }) => used.length > 0)
  return withValue ?? (optional ? { text: '', used: [] } : (filled[0] ?? null))
}
