import type { Command, SyntaxNode, Word } from 'unbash'
import { NAME } from './marks.ts'
import type { ShellState } from './state.ts'

/** Numbers of a date with signs between them: no blank, no slash, and never nothing. */
const dateFormat =
  /^\+(?:%[-0-9]{0,2}[CFGHIMNRSTUVWYdgjmsuwy]|[\w.:-])*%[-0-9]{0,2}[CFGHIMNRSTUVWYdgjmsuwy](?:%[-0-9]{0,2}[CFGHIMNRSTUVWYdgjmsuwy]|[\w.:-])*$/

/** Programs that print one word of a name, and the arguments with which they print nothing else. */
const printers: Readonly<Record<string, (args: readonly string[]) => boolean>> = {
  date: (args) => {
    const [format = ''] = /^(-u|--utc)$/.test(args[0] ?? '') ? args.slice(1) : args
    return dateFormat.test(format) && args.at(-1) === format && args.length <= 2
  },
  hostname: (args) => args.length === 0 || /^-s$/.test(args.join(' ')),
  whoami: (args) => args.length === 0,
  id: (args) => /^-(u|g|un|nu)$/.test(args.join(' ')),
  uname: (args) => args.length === 0 || /^-[smrn]$/.test(args.join(' ')),
  nproc: (args) => args.length === 0,
  seq: (args) => args.length > 0 && args.every((arg) => /^\d+$/.test(arg)),
}

/**
 * What a substitution of one harmless command puts into a word: the name `basename` takes from a literal path, or a
 * mark for a name that is known only when it runs. Null for any other command. Pure.
 */
export function nameOutput(node: Command, state: ShellState): string | null {
  if (node.redirects.length > 0) return countOutput(node, state)
  if (!node.name || node.prefix.length > 0) return null
  const words = [node.name, ...node.args].map((word) => (word.type === 'Word' ? literal(word) : null))
  if (!words.every((word) => word !== null)) return null
  const [name = '', ...args] = words
  if (state.functions.has(name)) return null
  if (name === 'basename') return baseName(args)
  return Object.hasOwn(printers, name) && printers[name]?.(args) ? NAME : null
}

/** A mark for the number that `wc -l` prints of what comes in; null for anything else. Pure. */
export function countOutput(node: SyntaxNode | undefined, state: ShellState): string | null {
  if (node?.type !== 'Command' || node.name?.text !== 'wc' || node.prefix.length > 0) return null
  const counts = node.args.length === 1 && /^-[lwcm]$/.test(node.args[0]?.text ?? '')
  const reads = node.redirects.every(
    (redirect) => redirect.type === 'Redirect' && redirect.operator === '<' && !redirect.descriptor,
  )
  return counts && reads && !state.functions.has('wc') ? NAME : null
}

/** The text of a word in which nothing is expanded; null for one that is not so plain. */
function literal(word: Word): string | null {
  const plain = (word.parts ?? []).every(
    (part) =>
      part.type === 'Literal' ||
      part.type === 'SingleQuoted' ||
      (part.type === 'DoubleQuoted' && part.parts.every((child) => child.type === 'Literal')),
  )
  return plain && !/[~*?[\\{]/.test(word.value) ? word.value : null
}

function baseName([path = '', ending = '', ...more]: readonly string[]): string | null {
  const name = path.replace(/\/+$/, '').split('/').at(-1) ?? ''
  if (more.length > 0 || !/^\w[\w.-]*$/.test(name)) return null
  return ending !== '' && ending !== name && name.endsWith(ending) ? name.slice(0, -ending.length) : name
}
