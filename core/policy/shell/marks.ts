/**
 * A word of a command after expansion is a string in which single control characters stand for what is not plain
 * text. Command text that contains any of these itself is refused before (see checkText), so they are unambiguous.
 */

/** A quoted piece whose text cannot be known beforehand: one word stays one word. */
export const HOLE = '\u0000'
/** An unquoted piece that cannot be known: it may become no word, one or many, and may be an option. */
export const HOLES = '\u0006'
/** A piece that comes from the network. */
export const NET_HOLE = '\u0007'
/** A piece that is a name known only when it runs: one word without blanks, quotes or a slash, and not empty. */
export const NAME = '\u0003'
/** An active `*` (or a pattern as free as that). */
export const STAR = '\u0001'
/** An active `?` or `[...]`. */
export const QUERY = '\u0002'
/** Where the shell splits an unquoted expansion into words. */
export const SPLIT = '\u0004'
/** Marks that a word has quotes, so that it stays a word even when empty. */
export const QUOTED = '\u0005'

const unknown = /[\u0000\u0003\u0006\u0007]/
const glob = /[\u0001\u0002]/

/** True when part of the word cannot be known beforehand. */
export function hasHole(word: string): boolean {
  return unknown.test(word)
}

/** True when the word is a pattern that the shell replaces by file names. */
export function hasGlob(word: string): boolean {
  return glob.test(word)
}

/** True when nothing of the word is left open. */
export function isLiteral(word: string): boolean {
  return !hasHole(word) && !hasGlob(word)
}

/** The word as a person would write it. */
export function showWord(word: string): string {
  return word
    .replaceAll(STAR, '*')
    .replaceAll(QUERY, '?')
    .replace(/[\u0000\u0003\u0006\u0007]+/g, '…')
    .replace(/[\u0004\u0005]/g, '')
}
