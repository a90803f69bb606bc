import { placePhrase } from './placeWords.ts'
import type { Parameter } from './playbook.ts'

type Parameters = Readonly<Record<string, Parameter>>

/** Little words that may stand before any word of a phrase, in the languages of the built-in playbooks. */
const fillers =
  'the|my|our|your|a|an|this|these|that|all|any|some|me|us|its|current|der|die|das|den|dem|mein|meine|meinen|dieses|diesem|dieser|le|la|les|mon|ma|mes|ce|cette|el|los|las|mi|mis|este|esta|mera|meri|mere|yeh|is'
/** Whether a word may stand before any word of a phrase, or be missing there. */
export const isFiller = (word: string): boolean => fillers.split('|').includes(word.toLowerCase())
const filler = `(?:(?:${fillers})\\s+)*`
const gap = `\\s+${filler}`
/** A word that opens no quotes: what is quoted is taken whole or not at all. */
const bareWord = '[^\\s"\'`]\\S*'
const quoted = `"[^"]+"|'[^']+'|\`[^\`]+\``
const escapeRegExp = (text: string): string => text.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&')

function slotPattern(parameter: Parameter): string {
  switch (parameter.type) {
    case 'string':
      return `${quoted}|${bareWord}(?:\\s${bareWord}){0,${parameter.max_words - 1}}?`
    case 'text':
      return '\\S.*?'
    case 'path':
      return `${quoted}|${placePhrase}|[^\\s"'\`]+`
    case 'int':
      return '\\d{1,9}'
    case 'enum':
      return parameter.values.map(escapeRegExp).join('|')
  }
}

type Piece = { pattern: string; optional: boolean; bare: boolean }

/** Cuts a phrase into words, `(a|b)`, `[a|b]` and `{slots}`; groups keep their inside. */
export function pieces(phrase: string): string[] {
  const found = phrase.match(/\([^()]*\)|\[(?:[^[\]()]|\([^()]*\))*\]|\{[^{}]*\}|[^\s()[\]{}]+/g) ?? []
  if (found.join('').replace(/\s/g, '') !== phrase.replace(/\s/g, ''))
    throw new Error('brackets that do not close, or too deep')
  return found
}

function piece(text: string, parameters: Parameters): Piece {
  const inside = text.slice(1, -1)
  if (text.startsWith('{')) {
    const parameter = parameters[inside]
    if (!parameter) throw new Error(`{${inside}} is not among the parameters`)
    return {
      pattern: `(?<${inside}>${slotPattern(parameter)})`,
      optional: false,
      bare: parameter.type === 'text',
    }
  }
  if (text.startsWith('('))
    return { pattern: `(?:${alternatives(inside, parameters)})`, optional: false, bare: false }
  if (text.startsWith('['))
    return { pattern: `(?:${alternatives(inside, parameters)})`, optional: true, bare: false }
  return { pattern: escapeRegExp(text), optional: false, bare: false }
}

/** The alternatives of a group, cut at its own bars only. */
export const splitGroup = (inside: string): string[] => inside.match(/(?:\([^()]*\)|[^|])+/g) ?? []

/** As one expression, the longest first, so that it leaves least to a slot. */
function alternatives(inside: string, parameters: Parameters): string {
  return splitGroup(inside)
    .sort((a, b) => b.length - a.length)
    .map((part) => sequence(part.trim(), parameters))
    .join('|')
}

function sequence(phrase: string, parameters: Parameters): string {
  let pattern = ''
  let started = false
  for (const { pattern: next, optional, bare } of pieces(phrase).map((text) => piece(text, parameters))) {
    const space = bare ? '\\s+' : gap
    if (!started) pattern += optional ? `(?:${next}${gap})?` : next
    else pattern += optional ? `(?:${space}${next})?` : space + next
    started ||= !optional
  }
  if (!started) throw new Error('a phrase of optional words only')
  return pattern
}

/**
 * A trigger as one expression for a whole tidied request. `/.../` is a regular expression with a named group for
 * each parameter; all else is a phrase: `(a|b)` either, `[a]` may be missing, `{path}` a parameter; the, my, this
 * and the like may stand before any word. Throws Error with what is wrong with the trigger. Pure.
 */
export function compileTrigger(trigger: string, parameters: Parameters): RegExp {
  const regex = /^\/(.*)\/$/.exec(trigger)
  const source = regex ? (regex[1] ?? '') : filler + sequence(trigger, parameters)
  return new RegExp(`^(?:${source})$`, 'i')
}
