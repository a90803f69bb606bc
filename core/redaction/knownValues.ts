import { RANK, type Span } from './spans.ts'
import { type Form, turnedForms } from './turnedForms.ts'

/** Shorter ones would tear holes into ordinary text. */
const MIN_SECRET = 8
/** Characters of a form that must stand together for it to be noticed. */
const ANCHOR = 8

const escapeRegExp = (text: string): string => text.replace(/[.*+?^${}()|[\]\\/-]/g, '\\$&')
/** Line ends and what programs put at the ends of lines that they fold (a backslash, quoted-printable's sign); colours, and
 * characters that print nothing. */
const FOLD =
  '(?:[=\\\\]?\\r?\\n[ \\t]*|=?(?:\\\\{1,4}r)?\\\\{1,4}n|\\u001b\\[[\\d;]{0,12}m|[\\u00ad\\u200b-\\u200f\\u2060\\ufeff]{1,4})?'

const hexOf = (bytes: Buffer, before: string): string =>
  [...bytes].map((b) => `${before}${hexDigits(b)}`).join('')
/** Both cases of both digits. */
const hexDigits = (byte: number): string =>
  byte
    .toString(16)
    .padStart(2, '0')
    .replace(/[a-f]/g, (d) => `[${d}${d.toUpperCase()}]`)

const named: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&apos;' }

/** One character in any of the ways it is escaped: for addresses, JSON, HTML, shells, mail, C. */
function escaped(char: string): string {
  const bytes = Buffer.from(char)
  const code = char.codePointAt(0) ?? 0
  const ways = [escapeRegExp(char), hexOf(bytes, '(?:%25|%|=|\\\\\\\\?x)')]
  if (code < 0x10000) ways.push(`\\\\\\\\?u${hexOf(Buffer.from([code >> 8, code & 255]), '')}`)
  ways.push(`&#0{0,3}${code};`, `&#[xX]0{0,3}${code.toString(16)};`)
  if (code < 128) ways.push(`\\\\{1,2}0{0,2}${code.toString(8)}`)
  if (!/[A-Za-z0-9]/.test(char)) {
    ways.push(`\\\\{1,3}${escapeRegExp(char)}`)
    if (named[char]) ways.push(named[char])
    if (char === ' ') ways.push('\\+')
    if (char === "'") ways.push("'\\\\''", "'\"'\"'")
  }
  return `(?:${ways.join('|')})`
}

/** Pieces of a text that look the same however it is escaped: at most three of them, apart from each other. */
function anchorsOf(text: string): string[] {
  const runs = (text.match(/[A-Za-z0-9]+/g) ?? [])
    .flatMap((run) => halves(run))
    .filter((part) => part.length >= 4)
  return runs.sort((a, b) => b.length - a.length).slice(0, 3)
}

/** The two ends of a run, so that a line end within one leaves the other. */
function halves(run: string): string[] {
  const size = Math.min(ANCHOR, Math.floor(run.length / 2))
  return size < 4 ? [run.slice(0, ANCHOR)] : [run.slice(0, size), run.slice(-size)]
}

/** The secret itself, each character of it escaped or not. */
function plainForm(secret: string): Form {
  const bytes = Buffer.from(secret)
  const runs = anchorsOf(secret)
  const first = [...bytes.subarray(0, 3)]
  const allEscaped = [
    ...['%', '=', '\\x', '\\u00'].map((sign) =>
      first.map((b) => sign + b.toString(16).padStart(2, '0')).join(''),
    ),
    first.map((b) => `&#${b};`).join(''),
    ...[3, 1].map((digits) => first.map((b) => `\\${b.toString(8).padStart(digits, '0')}`).join('')),
  ]
  return {
    anchors: [
      ...(runs.length > 1 ? runs : [...runs, secret.slice(0, 4), secret.slice(-4)]),
      ...allEscaped,
      secret.slice(0, ANCHOR),
    ].filter(isAscii),
    pattern: new RegExp([...secret].map(escaped).join(FOLD), 'g'),
    reach: secret.length * 8 + 64,
    plain: secret,
  }
}

const isAscii = (text: string): boolean => /^[\x20-\x7e]{3,}$/.test(text)

/** Characters as they are, folded over lines or not. */
function literalForm(text: string, source = [...text].map(escapeRegExp).join(FOLD)): Form {
  return { anchors: halves(text), pattern: new RegExp(source, 'g'), reach: text.length * 3 + 64, plain: text }
}

/** What base64 makes of the secret wherever it stands in what is encoded: three ways, in both alphabets. */
function base64Forms(bytes: Buffer): Form[] {
  return [0, 1, 2].flatMap((shift) => {
    const text = Buffer.concat([Buffer.alloc(shift), bytes])
      .toString('base64')
      .replace(/=+$/, '')
    const whole = (bytes.length + shift) % 3 === 0 ? text : text.slice(0, -1)
    const inner = whole.slice([0, 2, 3][shift])
    return inner.length < 10
      ? []
      : [literalForm(inner, [...inner].map(inBothAlphabets).join(FOLD))].flatMap(withUrlAnchors)
  })
}

const inBothAlphabets = (c: string): string =>
  c === '+' ? '(?:[+-]|%2[Bb])' : c === '/' ? '(?:[/_]|\\\\/|%2[Ff])' : c

/** Signs that one alphabet writes otherwise break an anchor: pieces without them serve. */
function withUrlAnchors(form: Form): Form {
  const parts = form.anchors.flatMap((anchor) => anchor.split(/[+/]/)).filter((part) => part.length >= 4)
  const start = form.plain.slice(0, ANCHOR)
  return { ...form, anchors: [...(parts.length > 0 ? parts : anchorsOf(form.plain)), start] }
}

const base32 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'

/** The same of base32: five ways. */
function base32Forms(bytes: Buffer): Form[] {
  const bits = [...bytes].map((byte) => byte.toString(2).padStart(8, '0')).join('')
  return [0, 1, 2, 3, 4].flatMap((shift) => {
    const from = (5 - ((shift * 8) % 5)) % 5
    const text = (bits.slice(from).match(/.{5}/g) ?? [])
      .map((five) => base32[Number.parseInt(five, 2)])
      .join('')
    return text.length < 12 ? [] : [literalForm(text)]
  })
}

/** The secret's bytes in hexadecimal, with or without something between them. */
function hexForm(bytes: Buffer): Form {
  const text = bytes.toString('hex')
  const source = [...bytes].map(hexDigits).join(`(?:[ :,-]|${FOLD})?`)
  const anchors = [
    text.slice(0, ANCHOR),
    text.slice(-ANCHOR),
    ...[' ', ':'].map((gap) => text.slice(0, 6).replace(/(..)(?=.)/g, `$1${gap}`)),
    // As xxd writes it, two bytes at a time.
    `${text.slice(0, 4)} ${text.slice(4, 8)}`,
    `${text.slice(0, 2)} ${text.slice(2, 6)}`,
  ]
  return { anchors, pattern: new RegExp(source, 'g'), reach: text.length * 3 + 64, plain: text }
}

function formsOf(secret: string, withTurned: boolean): Form[] {
  const bytes = Buffer.from(secret)
  const twice = Buffer.from(bytes.toString('base64').replace(/.{0,2}=*$/, ''))
  return [
    plainForm(secret),
    ...base64Forms(bytes),
    ...base64Forms(Buffer.from(secret, 'utf16le')),
    ...base64Forms(twice),
    ...base32Forms(bytes),
    hexForm(bytes),
    ...(withTurned ? turnedForms(secret) : []),
  ]
}
/** With more secrets than this, what programs seldom do to one is not looked for: one look takes only so many words. */
const MOST_TURNED = 60

/** The secrets to look for: of one with several lines, such as a key, each line by itself. */
export function knownForms(secrets: readonly string[]): Form[] {
  const lines = secrets.flatMap((secret) =>
    secret.includes('\n')
      ? secret.split(/\r?\n/).filter((line) => line.length >= 16 && !line.startsWith('-----'))
      : [secret],
  )
  const all = [...new Set(lines.map((line) => line.trim()))].filter((s) => s.length >= MIN_SECRET)
  return all.flatMap((secret) => formsOf(secret, all.length <= MOST_TURNED))
}

const unfolded = (text: string): string => text.trimEnd().replace(/[=\\]?\r?\n[ \t]*/g, '')
const inOneAlphabet = (text: string): string => text.replace(/-/g, '+').replace(/_/g, '/')

/** The last line of what was said so far may end in the beginning of a secret that the next one ends. */
function openEnd(form: Form, text: string, start: number): Span | null {
  if (text.length - start > form.reach) return null
  const tail = unfolded(text.slice(start))
  const isPart =
    tail.length >= ANCHOR &&
    tail.length < form.plain.length &&
    (form.plain.startsWith(tail) || inOneAlphabet(form.plain).startsWith(inOneAlphabet(tail)))
  return isPart ? { start, end: text.trimEnd().length, kind: 'secret', rank: RANK.known } : null
}

/** Whether what follows an anchor can be what should follow it, escaped or not: most words that look like one end here. */
const goesOn = (wanted: string | undefined, got: string | undefined): boolean =>
  wanted === undefined ||
  got === undefined ||
  wanted === got ||
  /[^A-Za-z0-9]/.test(wanted) ||
  /[^A-Za-z0-9]/.test(got)

/** Looks for one form near one of its anchors, which stands from `start` to before `end`. */
export function lookForKnown(form: Form, text: string, start: number, end: number): Span[] {
  const place = form.plain.toLowerCase().indexOf(text.slice(start, end).toLowerCase())
  if (place >= 0 && !goesOn(form.plain[place + end - start], text[end])) return []
  const from = Math.max(0, end - form.reach)
  const near = text.slice(from, start + form.reach)
  const spans = [...near.matchAll(form.pattern)].map((hit) => ({
    start: from + hit.index,
    end: from + hit.index + hit[0].length,
    kind: 'secret',
    rank: RANK.known,
  }))
  if (spans.length > 0) return spans
  const open = place < 0 || place > start ? null : openEnd(form, text, start - place)
  return open ? [open] : []
}
