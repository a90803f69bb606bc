/*
 * Letters that are written from right to left turn round more than themselves: what stands between two such words, and
 * numbers beside them, are shown in another order than they are run in, and `>` as `<`. Marks that cannot be seen
 * (U+200E) on both sides of each word keep everything else in its order (Unicode Standard Annex 9).
 */

/** All blocks whose characters are strong from right to left, or Arabic numbers, also where nothing is assigned yet. */
const RTL = String.raw`\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefe\u{10800}-\u{10fff}\u{1e800}-\u{1efff}`
const WORD = String.raw`[${RTL}][${RTL}\p{M}\u200c\u200d]*`
const word = new RegExp(WORD, 'gu')
/** In prose the words of a sentence stay together, as they are read. */
const sentence = new RegExp(String.raw`${WORD}(?:[ ,.!?:"'«»„“”\d]+${WORD})*`, 'gu')
const any = new RegExp(`[${RTL}]`, 'u')
const LEFT_TO_RIGHT = '\u200e'

/** Whether a text has letters that are written from right to left. Pure. */
export const hasRightToLeft = (text: string): boolean => any.test(text)

/**
 * The text with its words from left to right, in the order in which a shell reads them; inside of a word, and of a
 * sentence of prose, letters go as their script does. Pure.
 */
export const keepOrder = (text: string, kind: 'command' | 'text'): string =>
  any.test(text)
    ? text.replace(kind === 'command' ? word : sentence, (one) => `${LEFT_TO_RIGHT}${one}${LEFT_TO_RIGHT}`)
    : text

/** The one line that says so. */
export const ORDER_NOTE =
  '⚠️ holds letters written from right to left: each word is, the words stand in the order they run in'
