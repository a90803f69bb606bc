import type { Fact } from '../facts.ts'
import type { Wrapper } from '../programs/wrappers.ts'
import { assignmentWordFacts } from '../shell/assignmentFacts.ts'
import { hasHole } from '../shell/marks.ts'
import { type Known, knownOptions } from './parseArguments.ts'

type LeadingOption = { name: string; value: string | null }
export type Leading = {
  options: LeadingOption[]
  rest: readonly string[]
  facts: Fact[]
  /** Where else the command could begin, if an option takes no value after all. */
  others: readonly (readonly string[])[]
}
export type LeadingShape = Pick<
  Wrapper,
  'plain' | 'takes' | 'maybe' | 'shellText' | 'writes' | 'enters' | 'assigns'
>

const leadingShapes = new WeakMap<LeadingShape, Known>()

function knownLeading(shape: LeadingShape): Known {
  const { plain = '', takes = '', maybe = '', shellText = '', writes = '', enters = '' } = shape
  const known =
    leadingShapes.get(shape) ??
    knownOptions({ plain, maybe, takes: [takes, shellText, writes, enters].join(' ') })
  leadingShapes.set(shape, known)
  return known
}

/** Reads the wrapper's own options, up to the first word that is none. An unknown one asks. */
export function leadingOptions(shape: LeadingShape, args: readonly string[]): Leading {
  const { kinds } = knownLeading(shape)
  const options: LeadingOption[] = []
  const facts: Fact[] = []
  const others: (readonly string[])[] = []
  for (let i = 0; i < args.length; i++) {
    const arg = args[i] ?? ''
    if (arg === '--') return { options, rest: args.slice(i + 1), facts, others }
    if (shape.assigns && /^[A-Za-z_]\w*=/.test(arg)) facts.push(...assignmentWordFacts(arg))
    else if (/^-./.test(arg)) {
      const read = oneOption(arg, args[i + 1], kinds)
      options.push(read)
      if (!read.known) facts.push({ effect: 'shell.unknown-option' })
      if (read.usesNext) i++
      if (read.usesNext && /^[a-z/]/.test(args[i] ?? '')) others.push(args.slice(i))
    } else {
      if (hasHole(arg[0] ?? '')) facts.push({ effect: 'shell.dynamic-command' })
      return { options, rest: args.slice(i), facts, others }
    }
  }
  return { options, rest: [], facts, others }
}

function oneOption(
  arg: string,
  next: string | undefined,
  kinds: Known['kinds'],
): LeadingOption & { usesNext: boolean; known: boolean } {
  const at = arg.indexOf('=')
  const long = arg.startsWith('--')
  const name = long && at > 0 ? arg.slice(0, at) : arg
  if (long || kinds.has(arg)) {
    const known = kinds.has(name)
    if (long && at > 0) return { name, value: arg.slice(at + 1), usesNext: false, known }
    const usesNext = kinds.get(name) === 'takes'
    return { name, value: usesNext ? (next ?? null) : null, usesNext, known }
  }
  const letters = [...arg.slice(1)]
  const stop = letters.findIndex((char) => /^(takes|maybe)$/.test(kinds.get(`-${char}`) ?? ''))
  const known = letters.slice(0, stop < 0 ? letters.length : stop).every((char) => kinds.has(`-${char}`))
  if (stop < 0 || !known) return { name: arg, value: null, usesNext: false, known }
  const rest = arg.slice(stop + 2)
  const usesNext = rest === '' && kinds.get(`-${letters[stop]}`) === 'takes'
  return { name: `-${letters[stop]}`, value: usesNext ? (next ?? null) : rest || null, usesNext, known }
}
