const MAX_WORDS = 400
const MAX_LETTERS = 40

const cjk = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}]/u

/** A name in camel case with its parts: `fixLogin` is found by `login` as well. */
function partsOf(token: string): string[] {
  const parts = token.match(/\p{Lu}?[\p{Ll}]+|\p{Lu}+(?!\p{Ll})|\p{N}+|[^\p{Lu}\p{Ll}\p{N}]+/gu) ?? []
  return parts.length > 1 && /\p{Ll}\p{Lu}|\p{Lu}{2}\p{Ll}/u.test(token) ? [token, ...parts] : [token]
}

/** A script that sets no spaces: every two letters that follow each other. */
function pairsOf(token: string): string[] {
  const letters = [...token]
  if (letters.length < 2) return [token]
  return letters.slice(1).map((letter, n) => `${letters[n]}${letter}`)
}

/**
 * A text as the words by which it is found, for PostgreSQL to reduce to their stems: paths, commands and names in camel
 * case taken apart, everything in lower case. The same for what is kept and for what is asked. Pure.
 */
export function searchWords(text: string): string {
  const tokens = text.normalize('NFKC').match(/[\p{L}\p{M}\p{N}]+/gu) ?? []
  const words = tokens
    .slice(0, MAX_WORDS)
    .flatMap((token) => (cjk.test(token) ? pairsOf(token) : partsOf(token)))
  return words
    .slice(0, MAX_WORDS)
    .map((word) => word.slice(0, MAX_LETTERS).toLowerCase())
    .join(' ')
}
