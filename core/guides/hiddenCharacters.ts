/** Letters of other scripts that are taken for Latin ones, and wide and mathematical forms of those. */
const lookalike =
  /[\u0370-\u03ff\u0400-\u052f\u0531-\u058f\u13a0-\u13ff\u1d00-\u1d2b\uff01-\uff5e\u{1d400}-\u{1d7ff}]/u
/** Characters that turn the direction of text, write where nobody sees it (tags), or belong to no text. */
const refused =
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufff9-\ufffb\u{e0000}-\u{e0fff}]|\p{Surrogate}/u
/** All else that shows nothing. */
const invisible = /\p{Default_Ignorable_Code_Point}|[\u115f\u1160\u3164\uffa0\u2800]/gu

export const codePoint = (c: string): string =>
  `U+${(c.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}`

/** The first character of a text that no honest text needs, as `U+202E`; null when there is none. Pure. */
export function refusedCharacter(text: string): { character: string; line: number } | null {
  const hit = refused.exec(text)
  if (!hit) return null
  return { character: codePoint(hit[0]), line: text.slice(0, hit.index).split('\n').length }
}

/** Joiners and selectors that belong to an emoji are no disguise. */
const withoutEmoji = (text: string): string =>
  text.replace(
    /\p{Extended_Pictographic}(?:[\ufe0f\u200d]|\p{Emoji_Modifier}|\p{Extended_Pictographic})*/gu,
    ' ',
  )

/** The characters of a line that show nothing, each once. Pure. */
export const invisibleIn = (line: string): string[] => [
  ...new Set((withoutEmoji(line).match(invisible) ?? []).map(codePoint)),
]

/**
 * Words in which letters of two scripts stand together, or which are of another script in a text that is not: `pаypal`
 * with a Cyrillic а. Pure.
 */
export function maskedWords(line: string, foreignText: boolean): string[] {
  if (!lookalike.test(line)) return []
  const words = line.match(/[\p{L}\p{N}._/-]+/gu) ?? []
  return words.filter((word) => lookalike.test(word) && (/[A-Za-z]/.test(word) || !foreignText))
}

/** Whether a text is for a good part written in another script than Latin: its words are then no disguise. Pure. */
export function isForeign(text: string): boolean {
  const letters = text.match(/\p{L}/gu) ?? []
  return letters.filter((letter) => lookalike.test(letter)).length > letters.length / 10
}

/** A text in which what shows nothing is shown, as `⟨U+200B⟩`; safe for a terminal. Pure. */
export const showHidden = (text: string): string =>
  text.replace(
    /\p{Cc}|\p{Cf}|\p{Zl}|\p{Zp}|\p{Default_Ignorable_Code_Point}|[\u115f\u1160\u3164\uffa0\u2800]/gu,
    (c, at: number) => (c === '\n' || c === '\t' || isInEmoji(text, at) ? c : `⟨${codePoint(c)}⟩`),
  )

const isInEmoji = (text: string, at: number): boolean =>
  /[\ufe0f\u200d]/u.test(text[at] ?? '') &&
  /(?:\p{Extended_Pictographic}|\p{Emoji_Modifier})\ufe0f?$/u.test(text.slice(Math.max(0, at - 3), at))
