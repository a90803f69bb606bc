import { forEachChild, parse, type SyntaxNode } from 'unbash'
import { shellQuote } from '../planning/renderTemplate.ts'

/** A value of the request and the parameter it becomes. */
export type Slot = { text: string; name: string }

const escapeRegExp = (text: string): string => text.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&')

/** A value as it stands in a text by itself: not as a part of a longer word or number. */
function bounded(text: string): string {
  const inside = /^\d+$/.test(text)
    ? ['(?<![\\p{L}\\p{N}_.])', '(?![\\p{L}\\p{N}_]|\\.\\d)']
    : ['(?<![\\p{L}\\p{N}_-]|[\\p{L}\\p{N}_]\\.)', '(?![\\p{L}\\p{N}_-]|\\.[\\p{L}\\p{N}_])']
  return inside.join(escapeRegExp(text))
}

const pattern = (slots: readonly Slot[]): RegExp =>
  new RegExp(
    [...slots]
      .sort((a, b) => b.text.length - a.text.length)
      .map(({ text }) => `(${bounded(text)})`)
      .join('|'),
    'gu',
  )

type Piece = { literal: string } | { name: string }

/** A text cut at the values in it, the longest first. Pure. */
function cut(text: string, slots: readonly Slot[]): Piece[] {
  if (slots.length === 0) return [{ literal: text }]
  const pieces: Piece[] = []
  let from = 0
  for (const hit of text.matchAll(pattern(slots))) {
    const slot = slots.find((one) => one.text === hit[0])
    if (!slot) continue
    if (hit.index > from) pieces.push({ literal: text.slice(from, hit.index) })
    pieces.push({ name: slot.name })
    from = hit.index + hit[0].length
  }
  if (from < text.length) pieces.push({ literal: text.slice(from) })
  return pieces
}

const joined = (pieces: readonly Piece[], literal: (text: string) => string): string =>
  pieces.map((piece) => ('name' in piece ? `{{${piece.name}}}` : literal(piece.literal))).join('')

/** A text with its values as placeholders. Pure. */
export const fillInText = (text: string, slots: readonly Slot[]): string => joined(cut(text, slots), (t) => t)

/**
 * Whether a value still stands in a text, also as a part of a longer name: there it would stay what it was, whatever the
 * next request says. Pure.
 */
export const standsIn = (text: string, slots: readonly Slot[]): boolean =>
  slots.some(({ text: value }) =>
    new RegExp(
      /^\d+$/.test(value) ? bounded(value) : `(?<![\\p{L}\\p{N}])${escapeRegExp(value)}(?![\\p{L}\\p{N}])`,
      'u',
    ).test(text),
  )

type ShellWord = Extract<SyntaxNode, { type: 'Word' }>

/** Programs whose first argument says what they do: it is never a value. */
const withVerbs = new Set(
  'git npm npx pnpm yarn docker podman systemctl service cargo go kubectl helm gh glab pip pip3 apt apt-get brew dnf'.split(
    ' ',
  ),
)

/** The arguments of all commands of a script: nowhere else may a placeholder stand. */
function* argumentsOf(node: SyntaxNode): Generator<ShellWord> {
  if (node.type === 'Command') {
    const verb = node.name?.type === 'Word' && withVerbs.has(node.name.value) ? 1 : 0
    for (const word of node.args.slice(verb)) if (word.type === 'Word') yield word
  }
  const inner: SyntaxNode[] = []
  forEachChild(node, (child) => void inner.push(child))
  for (const child of inner) yield* argumentsOf(child)
}

const plainParts = new Set(['Literal', 'SingleQuoted'])
type Part = NonNullable<ShellWord['parts']>[number]

/** Whether a word is nothing but text, quoted or not: no expansion, no pattern. */
const isText = (part: Part): boolean =>
  plainParts.has(part.type) ||
  (part.type === 'DoubleQuoted' && part.parts.every((inner) => inner.type === 'Literal'))

/** Of a pattern without quotes, such as `logs/*.txt`: what stands beside its signs can be a value. */
const isPattern = (part: Part): boolean =>
  part.type === 'Glob' || (part.type === 'Literal' && part.text === part.value)

function fillInWord(word: ShellWord, slots: readonly Slot[]): string {
  if (word.parts?.every(isPattern) && !word.value.startsWith('~'))
    return word.parts
      .map((part) => (part.type === 'Literal' ? fillInText(part.text, slots) : part.text))
      .join('')
  const quoted = word.parts !== undefined
  if (quoted && !word.parts?.every(isText)) return word.text
  if (!quoted && word.text !== word.value) return word.text
  const pieces = cut(word.value, slots)
  if (!pieces.some((piece) => 'name' in piece)) return word.text
  // A tilde that the shell would have expanded is a plain character once it is quoted.
  if (!quoted && word.value.startsWith('~')) return word.text
  return joined(pieces, quoted ? shellQuote : (text) => text)
}

/**
 * A command line with its values as placeholders, each in an argument that is nothing but text. What stands elsewhere stays,
 * for the caller to find. Null for what is no command line. Pure.
 */
export function fillInCommand(command: string, slots: readonly Slot[]): string | null {
  const script = parse(command)
  if (script.errors?.length) return null
  const words = [...argumentsOf(script)].sort((a, b) => b.pos - a.pos)
  return words.reduce(
    (text, word) => text.slice(0, word.pos) + fillInWord(word, slots) + text.slice(word.end),
    command,
  )
}

/** A command line in which words that mean the same text look the same, however they are quoted. Pure. */
export function meaningOf(command: string): string {
  const words = [...argumentsOf(parse(command))].sort((a, b) => b.pos - a.pos)
  return words.reduce((text, word) => {
    const same = word.parts ? word.parts.every(isText) : shellQuote(word.value) === word.text
    return same ? text.slice(0, word.pos) + JSON.stringify(word.value) + text.slice(word.end) : text
  }, command)
}
