import type { Look } from './assignments.ts'
import { looksRandom } from './looksSecret.ts'
import { RANK } from './spans.ts'

/** What makes a place of a text worth a look, letter case aside, and how it is looked at. */
export type Watch = { words: readonly string[]; look: Look }

/** A token that begins with the word that was found, and is no part of a longer one. */
export function token(kind: string, words: readonly string[], shape: RegExp, random = false): Watch {
  const pattern = new RegExp(shape.source, `${shape.flags}y`)
  return {
    words,
    look: (text, start) => {
      if (/[A-Za-z0-9_]/.test(text[start - 1] ?? '') && !isEscape(text, start)) return null
      pattern.lastIndex = start
      const hit = pattern.exec(text)
      if (!hit || (random && !looksRandom(hit[0], 20))) return null
      return { start, end: start + hit[0].length, kind, rank: RANK.format }
    },
  }
}

/** `\n` or `%3D` before a token, as escaped text has it, is no part of it. */
const isEscape = (text: string, start: number): boolean =>
  /(?:\\[nrt]|%[0-9A-Fa-f]{2}|\\u[0-9A-Fa-f]{4}|\\x[0-9A-Fa-f]{2}|(?:\x1b|\\(?:u001b|x1b|033|e))\[[\d;]{0,12}m)$/i.test(
    text.slice(Math.max(0, start - 24), start),
  )

/** A token of which the word that was found stands in the middle: what it must have before and behind that. */
export const around =
  (kind: string, left: RegExp, right: RegExp): Look =>
  (text, start, end) => {
    const head = left.exec(text.slice(Math.max(0, start - 40), start))?.[0]
    const rest = right.exec(text.slice(end, end + 120))?.[0]
    return head !== undefined && rest !== undefined
      ? { start: start - head.length, end: end + rest.length, kind, rank: RANK.format }
      : null
  }
