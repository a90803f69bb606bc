/*
 * What programs do to a value that is no encoding: turn it round, change its case, take it apart into characters or, as
 * od and hexdump show bytes, into words of two whose bytes stand the other way round.
 */

/** One way a secret may be written: words that show where to look, and the pattern of all of it. */
export type Form = { anchors: readonly string[]; pattern: RegExp; reach: number; plain: string }

const escapeRegExp = (text: string): string => text.replace(/[.*+?^${}()|[\]\\/-]/g, '\\$&')
/** A line's end, and the address that od begins the next one with. */
const NEXT_LINE = '\\r?\\n(?:[0-9a-f]{7,8})?[ \\t]{0,4}'
/** What stands between characters that were taken apart. */
const APART = `(?:[ \\t,.:|_/-]{1,4}|${NEXT_LINE})`
const WORDS_APART = `(?: {1,2}|${NEXT_LINE})`
const gaps = [' ', '   ', ', ', '-', '\n']
/** Shorter ones, and words of a language, may well stand somewhere by chance or in another case. */
const LONG = 12

const looksMade = (secret: string): boolean =>
  secret.length >= LONG && /\d/.test(secret) && /[A-Za-z]/.test(secret)

const turned = (letters: readonly string[]): Form => {
  const text = letters.toReversed().join('')
  return {
    anchors: [text.slice(0, 8), text.slice(-8)],
    pattern: new RegExp(escapeRegExp(text), 'g'),
    reach: text.length + 16,
    plain: text,
  }
}

const inAnyCase = (secret: string): Form => ({
  anchors: [secret.slice(0, 8), secret.slice(-8)],
  pattern: new RegExp(escapeRegExp(secret), 'gi'),
  reach: secret.length + 16,
  plain: secret,
})

const apart = (letters: readonly string[]): Form => ({
  anchors: [
    ...gaps.map((gap) => letters.slice(0, 4).join(gap)),
    ...gaps.slice(0, 2).map((gap) => letters.slice(-4).join(gap)),
  ],
  pattern: new RegExp(letters.map(escapeRegExp).join(APART), 'gi'),
  reach: letters.length * 6 + 64,
  plain: letters.join(' '),
})

/** Two bytes as one number of the machine's order: the second stands first. */
const ways = [
  (low: number, high: number) => ((high << 8) | low).toString(16).padStart(4, '0'),
  (low: number, high: number) => ((high << 8) | low).toString(8).padStart(6, '0'),
]

/** As `od`, `od -x` and `hexdump` write it, from an even place and from an odd one. A byte at an end may stay. */
const inWords = (bytes: Buffer): Form[] =>
  ways.flatMap((write) =>
    [0, 1].map((from) => {
      const words: string[] = []
      for (let at = from; at + 1 < bytes.length; at += 2)
        words.push(write(bytes[at] as number, bytes[at + 1] as number))
      return {
        anchors: [words.slice(0, 2).join(' '), words.slice(-2).join(' '), words.slice(2, 4).join(' ')],
        pattern: new RegExp(words.join(WORDS_APART), 'gi'),
        reach: words.length * 10 + 64,
        plain: words.join(' '),
      }
    }),
  )

/** The ways of a configured secret; none of one that is short or a word: those stand anywhere. */
export function turnedForms(secret: string): Form[] {
  if (!looksMade(secret) || !/^[\x21-\x7e]+$/.test(secret)) return []
  const letters = [...secret]
  return [turned(letters), inAnyCase(secret), apart(letters), ...inWords(Buffer.from(secret))]
}
