import type { Program } from '../programs/program.ts'
import { HOLES, hasHole, NET_HOLE } from '../shell/marks.ts'

type Option = { name: string; value: string | null }
export type Arguments = {
  options: readonly Option[]
  operands: readonly string[]
  /** Words that may turn out to be options, or to bring some along. */
  unknown: readonly string[]
}

/** What parsing needs to know of a program's options. */
export type OptionShape = Pick<Program, 'takes' | 'files' | 'flags' | 'longDash'>

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
 * `--name=value`, abbreviated long names, `--` as the end.
 */
export function parseArguments(args: readonly string[], shape: OptionShape): Arguments {
  const options: Option[] = []
  const operands: string[] = []
  const unknown = args.filter(mayBeOption)
  const known = knownOptions(shape)
  for (let i = 0; i < args.length; i++) {
    const arg = args[i] ?? ''
    if (arg === '--') {
      operands.push(...args.slice(i + 1))
      break
    }
    if (!/^-./.test(arg)) {
      operands.push(arg)
      continue
    }
    const found = readOption(arg, args[i + 1], known, shape.longDash === true)
    options.push(...found.options)
    if (found.usesNext) i++
  }
  return { options, operands, unknown }
}

/** A quoted unknown is one word; an unquoted one may turn into any number of words. */
function mayBeOption(arg: string): boolean {
  return hasHole(arg[0] ?? '') || arg.includes(HOLES) || arg.includes(NET_HOLE)
}

type Known = { takes: Set<string>; all: readonly string[] }

const shapes = new WeakMap<object, Known>()

function knownOptions(shape: OptionShape): Known {
  const kept = shapes.get(shape)
  if (kept) return kept
  const files = [...byName(shape.files).keys()]
  const flags = [...byName(shape.flags).keys()]
  const takes = (shape.takes ?? '').split(' ').filter(Boolean)
  const known = { takes: new Set([...files, ...takes]), all: [...flags, ...files, ...takes] }
  shapes.set(shape, known)
  return known
}

type Read = { options: Option[]; usesNext: boolean }

function readOption(arg: string, next: string | undefined, known: Known, longDash: boolean): Read {
  if (arg.startsWith('--') || longDash) return readLong(arg, next, known)
  return readBundle(arg, next, known)
}

function readLong(arg: string, next: string | undefined, known: Known): Read {
  const at = arg.indexOf('=')
  const written = at > 0 ? arg.slice(0, at) : arg
  const name = known.all.includes(written)
    ? written
    : (known.all.find((full) => full.startsWith('--') && full.startsWith(written)) ?? written)
  if (at > 0) return { options: [{ name, value: arg.slice(at + 1) }], usesNext: false }
  const usesNext = known.takes.has(name) && next !== undefined
  return { options: [{ name, value: usesNext ? next : null }], usesNext }
}

/** `-xzf file`, `-n5`. */
function readBundle(arg: string, next: string | undefined, known: Known): Read {
  const options: Option[] = []
  if (known.all.includes(arg)) {
    const usesNext = known.takes.has(arg) && next !== undefined
    return { options: [{ name: arg, value: usesNext ? next : null }], usesNext }
  }
  for (let i = 1; i < arg.length; i++) {
    const name = `-${arg[i]}`
    if (!known.takes.has(name)) {
      options.push({ name, value: null })
      continue
    }
    const rest = arg.slice(i + 1)
    options.push({ name, value: rest !== '' ? rest : (next ?? null) })
    return { options, usesNext: rest === '' && next !== undefined }
  }
  return { options, usesNext: false }
}
