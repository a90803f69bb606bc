import { letterTwin, nearTwin, signTwin } from '../../core/policy/shell/lookAlikes.ts'
import { hasRightToLeft, keepOrder, ORDER_NOTE } from './rightToLeft.ts'

/*
 * What is approved must be what is read. Characters that cannot be seen become their code point, ⟨U+200B⟩; letters and
 * signs that only look like ASCII ones are followed by theirs, а⟨U+0430⟩. Text in another script is left alone.
 */

/** Controls, format and separator characters, variation selectors, fillers, odd spaces: all that prints nothing. */
const unseen =
  /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Variation_Selector}\p{Cs}\p{Co}\p{Cn}\u115f\u1160\u180e\u2800\u3164\uffa0]|\u034f|\u17b4|\u17b5|[^\S\n\t ]/gu
const layout = new Set(['\n', '\t', ' '])

/** Scripts that join or part their letters by zero-width characters. */
const joining =
  /[\p{Script=Arabic}\p{Script=Syriac}\p{Script=Devanagari}\p{Script=Bengali}\p{Script=Gurmukhi}\p{Script=Gujarati}\p{Script=Oriya}\p{Script=Tamil}\p{Script=Telugu}\p{Script=Kannada}\p{Script=Malayalam}\p{Script=Sinhala}\p{Script=Khmer}\p{Script=Myanmar}\p{Script=Mongolian}]/u
const wide =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Script=Bopomofo}\u3000-\u303f]/u

const codePoint = (letter: string): string =>
  `⟨U+${(letter.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}⟩`

const before = (text: string, at: number): string => [...text.slice(Math.max(0, at - 2), at)].at(-1) ?? ''
const after = (text: string, at: number): string => [...text.slice(at, at + 2)][0] ?? ''

/** Whether this unseen character belongs where it is: in an emoji, between letters that it joins, in Chinese text. */
function belongs(text: string, at: number, letter: string): boolean {
  if (layout.has(letter)) return true
  const [left, right] = [before(text, at), after(text, at + letter.length)]
  if (
    /[\ufe0f\u200d]/u.test(letter) &&
    /\p{Extended_Pictographic}\ufe0f?$/u.test(text.slice(Math.max(0, at - 3), at))
  )
    return true
  if (/[\u200c\u200d]/u.test(letter)) return joining.test(left) && joining.test(right)
  return letter === '\u3000' && (wide.test(left) || wide.test(right))
}

/** Invisible and direction-changing characters become visible. Text that has none stays as it is. Pure. */
export const reveal = (text: string): string =>
  text.replace(unseen, (letter, at: number) => (belongs(text, at, letter) ? letter : codePoint(letter)))

/** A letter of no script that is written in ASCII, and like none of it: it shows that its word is what it seems. */
const isForeign = (letter: string): boolean =>
  /[^\p{ASCII}\P{L}]/u.test(letter) && nearTwin(letter) === null && signTwin(letter) === null

const scripts = ['Cyrillic', 'Greek', 'Armenian', 'Cherokee', 'Lisu', 'Latin'] as const
const scriptTests = scripts.map((name) => [name, new RegExp(`\\p{Script=${name}}`, 'u')] as const)
const scriptOf = (letter: string): string | null =>
  scriptTests.find(([, test]) => test.test(letter))?.[0] ?? null

/**
 * Marks more than two deep on one letter, or struck through an ASCII one, hide what is below them; on no letter they look
 * like signs, and those of another script beside ASCII need show nothing at all.
 */
const overlaid =
  /(?<=\p{M}{2})\p{M}|(?<=[\x21-\x7e])[\u0334-\u0338\u20d2\u20d3\u20d8-\u20da\u20e5\u20e6\u20eb]|(?<=^|[\s\x21-\x2f\x3a-\x40\x5b-\x60\x7b-\x7e])\p{M}|(?<=[\x20-\x7e])(?:(?!\p{Script=Inherited})\p{M})/gu
const words = /[\p{L}\p{M}\p{N}_]+/gu
/** What stands between two words of one sentence. */
const withinSentence = /^[ ,.!?:"'«»„“”–—-]{1,3}$/

type Word = { text: string; at: number }
type Kind = { command: boolean; turkish: boolean }

/** Where the characters stand that only look like ASCII. `command`: the first word of a command is never a sentence. */
function maskedAt(text: string, kind: 'command' | 'text'): Set<number> {
  const found = new Set<number>()
  for (const { index } of text.matchAll(/⟨(?=U\+)/gu)) found.add(index)
  for (const { index } of text.matchAll(overlaid)) found.add(index)
  for (const { index } of text.matchAll(/(?<=^|[\s;&|(=])[\u2013\u2014](?=[^\s\u2013\u2014])/gu))
    found.add(index)
  for (const at of signsAt(text)) found.add(at)
  const is: Kind = { command: kind === 'command', turkish: /[ğşçöüĞŞÇÖÜİ]/u.test(text) }
  const all = [...text.matchAll(words)].map((match): Word => ({ text: match[0], at: match.index }))
  for (const [i, word] of all.entries()) for (const at of lettersAt(text, all, i, word, is)) found.add(at)
  return found
}

/** Signs and folded forms, unless they stand beside letters of a script that has them. */
function* signsAt(text: string): Generator<number> {
  for (const { 0: run, index } of text.matchAll(/[^\p{ASCII}\s]+/gu)) {
    const letters = [...run]
    if (letters.some((letter) => isForeign(letter) || wide.test(letter))) continue
    let at = index
    for (const letter of letters) {
      if (signTwin(letter) !== null && !wide.test(before(text, index))) yield at
      at += letter.length
    }
  }
}

function* lettersAt(text: string, all: readonly Word[], i: number, word: Word, is: Kind): Generator<number> {
  const letters = [...word.text]
  if (letters.every((letter) => letter <= '\x7f')) return
  const odd = letters.filter((letter) => letter > '\x7f' && /\p{L}/u.test(letter))
  const mixed =
    letters.some((letter) => /[A-Za-z]/.test(letter)) ||
    new Set(odd.flatMap((letter) => scriptOf(letter) ?? [])).size > 1
  if (!mixed && !isAllTwins(odd)) return
  if (!mixed && isInSentence(text, all, i, is)) return
  // A dotless ı is a letter like others where its language's own letters stand beside it.
  if (mixed && odd.every((letter) => scriptOf(letter) === 'Latin') && is.turkish) return
  let at = word.at
  for (const letter of letters) {
    if (letter > '\x7f' && (mixed ? nearTwin(letter) : letterTwin(letter)) !== null) yield at
    at += letter.length
  }
}

const isAllTwins = (odd: readonly string[]): boolean =>
  odd.length > 0 && odd.every((letter) => letterTwin(letter) !== null)

/** How far back the beginning of a command is looked for. */
const NEAR = 40
const beginsCommand = /[\n;&|(`{]\s*$/u

/** Whether a word that could be ASCII stands beside one of its script that could not. */
function isInSentence(text: string, all: readonly Word[], i: number, is: Kind): boolean {
  const word = all[i]
  if (!word) return false
  if (
    is.command &&
    beginsCommand.test(`${word.at <= NEAR ? '\n' : ' x'}${text.slice(Math.max(0, word.at - NEAR), word.at)}`)
  )
    return false
  const script = scriptOf([...word.text].find((letter) => letter > '\x7f') ?? '')
  return [all[i - 1], all[i + 1]].some((other) => {
    if (!other) return false
    const [first, second] = other.at < word.at ? [other, word] : [word, other]
    const own = [...other.text].filter((letter) => letter > '\x7f')
    return (
      withinSentence.test(text.slice(first.at + first.text.length, second.at)) &&
      own.length === [...other.text].length &&
      own.some((letter) => scriptOf(letter) === script && letterTwin(letter) === null)
    )
  })
}

/**
 * Text as people may rely on it: what cannot be seen is shown by its code point, what only looks like ASCII is followed
 * by it, and words keep their order whatever direction their letters have. `command`: it is read by a shell. Pure.
 */
export function unmask(text: string, kind: 'command' | 'text' = 'text'): string {
  if (/^[\x20-\x7e\n\t]*$/.test(text)) return text
  const masked = maskedAt(text, kind)
  let at = 0
  let shown = ''
  for (const letter of text) {
    const own = revealOne(text, at, letter)
    shown += own
    if (masked.has(at) && own === letter) shown += codePoint(letter)
    at += letter.length
  }
  return keepOrder(shown, kind)
}

function revealOne(text: string, at: number, letter: string): string {
  unseen.lastIndex = 0
  return unseen.test(letter) && !belongs(text, at, letter) ? codePoint(letter) : letter
}

/** Whether this text, as `unmask` made it, has something marked. */
export const hasMarks = (shown: string): boolean => /⟨U\+[0-9A-F]{4,6}⟩/u.test(shown)

/** The lines that say of texts, as `unmask` made them, what is not as it seems; none where all is. Pure. */
export const maskWarnings = (shown: string): string[] => [
  ...(hasMarks(shown) ? [MASK_WARNING] : []),
  ...(hasRightToLeft(shown) ? [ORDER_NOTE] : []),
]

export const MASK_WARNING = '⚠️ holds hidden or look-alike letters: their codes stand as ⟨U+…⟩'
