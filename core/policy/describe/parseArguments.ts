import type { Program } from '../programs/program.ts'
import { HOLES, hasGlob, hasHole, NET_HOLE } from '../shell/marks.ts'

type Option = {
  name: string
  value: string | null
  /** Exactly one of the program's own, as its table has it. */
  known: boolean
}
export type Arguments = {
  options: readonly Option[]
  operands: readonly string[]
  /** Where the first operand stands among the arguments; -1 for none. */
  firstAt: number
  /** Words that may turn out to be options, or to bring some along. */
  unknown: readonly string[]
  /** Patterns that a file could fit whose name is an option, such as `--output=x`. */
  patterns: readonly string[]
  /** Values of options that another version of the program would take for files. */
  doubtful: readonly string[]
  /** An option took a whole word: if it should not have, the operands begin one word earlier. */
  shifted: boolean
}

/** What parsing needs to know of a program's options. */
export type OptionShape = Pick<
  Program,
  'plain' | 'takes' | 'texts' | 'maybe' | 'files' | 'flags' | 'longDash'
>

const expanded = new WeakMap<object, Map<string, unknown>>()

/** A record with several names per key, as one map from name to value. Kept, since tables never change. */
export function byName<V>(record: Record<string, V> | undefined): Map<string, V> {
  if (!record) return new Map()
  const kept = expanded.get(record) as Map<string, V> | undefined
  if (kept) return kept
  const map = new Map(
    Object.entries(record).flatMap(([names, value]) =>
      names.split(' ').map((name) => [name, value] as const),
    ),
  )
  expanded.set(record, map)
  return map
}

/**
 * Splits arguments into options and operands the way GNU programs do: options after operands, bundles of letters,
 * `--name=value`, `--` as the end. An option that is not known, or shortened, takes no word from the operands.
 */
export function parseArguments(args: readonly string[], shape: OptionShape): Arguments {
  const options: Option[] = []
  const operands: string[] = []
  const doubtful: string[] = []
  const known = knownOptions(shape)
  let firstAt = -1
  let shifted = false
  for (let i = 0; i < args.length; i++) {
    const arg = args[i] ?? ''
    if (arg === '--') {
      if (firstAt < 0 && i + 1 < args.length) firstAt = i + 1
      operands.push(...args.slice(i + 1))
      break
    }
    if (!/^-./.test(arg)) {
      if (firstAt < 0) firstAt = i
      operands.push(arg)
      continue
    }
    const found = readOption(arg, args[i + 1], known)
    options.push(...found.options)
    doubtful.push(...found.doubtful)
    if (found.usesNext) i++
    shifted ||= found.usesNext && found.doubtful.length > 0
  }
  return {
    options,
    operands,
    firstAt,
    unknown: args.filter(mayBeOption),
    patterns: patternsBeforeEnd(args),
    doubtful: doubtful.filter(mayBeFile),
    shifted,
  }
}

/** A quoted unknown is one word; an unquoted one may turn into any number of words. */
function mayBeOption(arg: string): boolean {
  return hasHole(arg[0] ?? '') || arg.includes(HOLES) || arg.includes(NET_HOLE)
}

/** Patterns that may fit a name with a dash in front, where options are still read. */
export function patternsBeforeEnd(args: readonly string[]): readonly string[] {
  const end = args.indexOf('--')
  return (end < 0 ? args : args.slice(0, end)).filter((arg) => hasGlob(arg[0] ?? ''))
}

/** Numbers, sizes, keys such as `2,2n`, and single characters name no file that matters. */
export function mayBeFile(value: string): boolean {
  return value.length > 1 && !/^[+-]?\d[\w.,:%+-]*$/.test(value) && !/^\\.$/.test(value)
}

type Kind = 'plain' | 'maybe' | 'takes' | 'texts'
export type Known = { kinds: ReadonlyMap<string, Kind>; longDash: boolean }

const shapes = new WeakMap<object, Known>()

/** Every option of a table, and whether it takes a value. */
export function knownOptions(shape: OptionShape): Known {
  const kept = shapes.get(shape)
  if (kept) return kept
  const kinds = new Map<string, Kind>([
    ['--help', 'plain'],
    ['--version', 'plain'],
  ])
  const add = (kind: Kind, names: readonly string[]): void => {
    for (const name of names) if (name !== '') kinds.set(name, kind)
  }
  add('plain', [...byName(shape.flags).keys()])
  add(
    'plain',
    words(shape.plain).flatMap((word) => (shape.longDash ? [word] : spreadLetters(word))),
  )
  add('maybe', words(shape.maybe))
  add('takes', [...byName(shape.files).keys(), ...words(shape.takes)])
  add('texts', words(shape.texts))
  const known = { kinds, longDash: shape.longDash === true }
  shapes.set(shape, known)
  return known
}

const words = (list = ''): readonly string[] => list.split(' ')

function spreadLetters(word: string): readonly string[] {
  if (word.startsWith('--') || !word.startsWith('-')) return [word]
  return [...word.slice(1).replace('#', '0123456789')].map((letter) => `-${letter}`)
}

const maxBundle = 4096

type Read = { options: Option[]; doubtful: string[]; usesNext: boolean }

function readOption(arg: string, next: string | undefined, known: Known): Read {
  if (arg.startsWith('--') || known.longDash) return readLong(arg, next, known)
  return known.kinds.has(arg) ? readExact(arg, next, known) : readBundle(arg, next, known)
}

function readLong(arg: string, next: string | undefined, known: Known): Read {
  const at = arg.indexOf('=')
  const name = at > 0 ? arg.slice(0, at) : arg
  const value = at > 0 ? arg.slice(at + 1) : null
  if (!known.kinds.has(name)) return readShortened(name, value, next, known)
  return value === null
    ? readExact(name, next, known)
    : { options: [{ name, value, known: true }], doubtful: [], usesNext: false }
}

function readExact(name: string, next: string | undefined, { kinds }: Known): Read {
  const kind = kinds.get(name)
  if (next === undefined || (kind !== 'takes' && kind !== 'texts'))
    return { options: [{ name, value: null, known: true }], doubtful: [], usesNext: false }
  return {
    options: [{ name, value: next, known: true }],
    doubtful: kind === 'takes' ? [next] : [],
    usesNext: true,
  }
}

/** `--compress-prog`: stands for each long name that starts so, and for one that nobody knows. */
function readShortened(name: string, value: string | null, next: string | undefined, { kinds }: Known): Read {
  const full = [...kinds.keys()].filter((one) => one.startsWith('--') && one.startsWith(name))
  const options = full.map((one) => ({
    name: one,
    value: value ?? (takesValue(kinds.get(one)) ? (next ?? null) : null),
    known: false,
  }))
  return {
    options: [...options, { name, value, known: false }],
    doubtful: [value ?? (name.startsWith('--') ? '' : name.slice(2))],
    usesNext: false,
  }
}

const takesValue = (kind: Kind | undefined): boolean => kind === 'takes' || kind === 'texts'

/** `-xzf file`, `-n5`. What follows an unknown letter may be its value. */
function readBundle(arg: string, next: string | undefined, { kinds }: Known): Read {
  const options: Option[] = []
  const doubtful: string[] = []
  if (arg.length > maxBundle)
    return { options: [{ name: arg, value: null, known: false }], doubtful: [arg], usesNext: false }
  for (let i = 1; i < arg.length; i++) {
    const name = `-${arg[i]}`
    const kind = kinds.get(name)
    const rest = arg.slice(i + 1)
    if (kind === 'maybe') {
      options.push({ name, value: rest || null, known: true })
      return { options, doubtful: [...doubtful, rest], usesNext: false }
    }
    if (takesValue(kind)) {
      const value = rest === '' ? (next ?? null) : rest
      options.push({ name, value, known: true })
      const open = kind === 'takes' && value !== null ? [value] : []
      return { options, doubtful: [...doubtful, ...open], usesNext: rest === '' && next !== undefined }
    }
    if (kind === undefined && options.every((option) => option.known)) doubtful.push(rest, arg.slice(i))
    options.push({ name, value: null, known: kind !== undefined })
  }
  return { options, doubtful, usesNext: false }
}
