import type { Fact, Invocation } from '../facts.ts'
import { classifyPath, type PathUse } from '../paths/classifyPath.ts'
import type { Program, Use } from '../programs/program.ts'
import { hasHole } from '../shell/marks.ts'
import { type Arguments, byName, parseArguments } from './parseArguments.ts'

/** Name and subcommand, as rules of a policy see them. */
export type Label = { program: string; subcommand?: string; options?: readonly string[] }

const uses: Record<Exclude<Use, 'text'>, { effect: string; use: PathUse }> = {
  read: { effect: 'fs.read', use: 'read' },
  list: { effect: 'fs.list', use: 'list' },
  write: { effect: 'fs.write', use: 'write' },
  append: { effect: 'fs.write', use: 'write' },
  create: { effect: 'fs.create', use: 'write' },
  delete: { effect: 'fs.delete', use: 'delete' },
  'delete-tree': { effect: 'fs.delete-tree', use: 'delete' },
  mode: { effect: 'fs.mode', use: 'write' },
  'mode-tree': { effect: 'fs.mode-tree', use: 'delete' },
  source: { effect: 'fs.move', use: 'delete' },
  run: { effect: 'system.admin', use: 'read' },
}

/** What a program listed in the tables does, by its options and operands. */
export function describeByTable(
  program: Program,
  args: readonly string[],
  label: Label,
  invocation: Invocation,
): Fact[] {
  const parsed = parseArguments(args, program)
  const named = { ...label, options: parsed.options.map((option) => option.name) }
  if (program.subcommands) return describeSubcommand(program, args, parsed, named, invocation)
  const effect = parsed.operands.length === 0 && program.bare ? program.bare : (program.effect ?? 'info')
  return [
    { ...named, effect, network: program.network === true },
    ...optionFacts(program, parsed, named, invocation),
    ...operandFacts(program, parsed, named, invocation),
    ...unknownFacts(program, parsed, named),
  ]
}

function describeSubcommand(
  program: Program,
  args: readonly string[],
  parsed: Arguments,
  label: Label,
  invocation: Invocation,
): Fact[] {
  const subs = byName(program.subcommands)
  const own = optionFacts(program, parsed, label, invocation)
  const first = parsed.operands[0]
  const asOption =
    parsed.options.length === 1 ? parsed.options.find((option) => subs.has(option.name)) : undefined
  if (first === undefined) {
    const sub = asOption ? subs.get(asOption.name) : undefined
    return [
      ...own,
      {
        ...label,
        effect: sub ? (sub.effect ?? 'info') : (program.bare ?? 'info'),
        network: sub?.network === true,
      },
    ]
  }
  const subcommand = label.subcommand ? `${label.subcommand} ${first}` : first
  const found = subs.get(first)
  const rest = withoutFirst(args, first)
  if (found) return [...own, ...describeByTable(found, rest, { ...label, subcommand }, invocation)]
  return [
    ...own,
    {
      ...label,
      subcommand,
      effect: program.other ?? 'shell.unknown-program',
      network: program.network === true,
    },
  ]
}

function withoutFirst(args: readonly string[], operand: string): readonly string[] {
  const at = args.indexOf(operand)
  return [...args.slice(0, at), ...args.slice(at + 1)]
}

function optionFacts(program: Program, parsed: Arguments, label: Label, invocation: Invocation): Fact[] {
  const flags = byName(program.flags)
  const files = byName(program.files)
  return parsed.options.flatMap((option) => {
    const effect = flags.get(option.name)
    const use = files.get(option.name)
    const facts: Fact[] =
      effect && effect !== 'tree'
        ? [{ ...label, effect, network: program.network === true && !effect.startsWith('fs.') }]
        : []
    if (use && option.value !== null) facts.push(...pathFacts(use, option.value, label, invocation))
    return facts
  })
}

function operandFacts(program: Program, parsed: Arguments, label: Label, invocation: Invocation): Fact[] {
  const tree = parsed.options.some((option) => byName(program.flags).get(option.name) === 'tree')
  const replaced = (program.firstUnless ?? '').split(' ')
  const skipsFirst =
    program.first !== undefined && !parsed.options.some((option) => replaced.includes(option.name))
  return parsed.operands.flatMap((operand, i) => {
    const isLast = i === parsed.operands.length - 1 && i > 0
    const use =
      skipsFirst && i === 0 ? program.first : isLast && program.last ? program.last : program.operands
    return pathFacts(tree ? treeOf(use) : (use ?? 'text'), operand, label, invocation)
  })
}

function treeOf(use: Use | undefined): Use {
  return use === 'delete' ? 'delete-tree' : use === 'mode' ? 'mode-tree' : (use ?? 'text')
}

/** A word that may turn out to be an option is a worry, unless it stands for a file, which asks anyway. */
function unknownFacts(program: Program, parsed: Arguments, label: Label): Fact[] {
  return parsed.unknown.length > 0 && !program.free ? [{ ...label, effect: 'shell.unknown-word' }] : []
}

/** The fact of using one path in one way; none for plain text, `-` and harmless devices. */
export function pathFacts(use: Use, path: string, label: Label, invocation: Invocation): Fact[] {
  if (use === 'text' || path === '-' || (path === '' && (use === 'read' || use === 'list'))) return []
  const kind = uses[use]
  const place = classifyPath(path, invocation.state.cwds, kind.use, invocation.context)
  if (use === 'delete-tree' && place === 'unknown' && couldBeEverything(path, invocation))
    return [{ ...label, effect: 'floor.delete-unknown' }]
  return place === 'null' ? [] : [{ ...label, effect: kind.effect, place }]
}

/** `$X/`, `$X/*`, `$X/etc`: when the variable is empty, that is the root; `*` in a directory nobody knows, too. */
function couldBeEverything(path: string, invocation: Invocation): boolean {
  const tail = /^[\u0000\u0006\u0007]+(\/.*)$/s.exec(path)?.[1]
  if (tail === undefined)
    return invocation.state.cwds.length === 0 && /^(\.\/)*[.\u0001\u0002]+\/?$/.test(path)
  const place = hasHole(tail) ? 'unknown' : classifyPath(tail, ['/'], 'delete', invocation.context)
  return place === 'top' || place === 'system' || place === 'vital'
}
