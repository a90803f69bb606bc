import type { Fact, Invocation } from '../facts.ts'
import { mildEffects, unknownOption } from '../mild.ts'
import { classifyPath, isNamedInside, type PathUse } from '../paths/classifyPath.ts'
import type { Program, Use } from '../programs/program.ts'
import { hasHole } from '../shell/marks.ts'
import { type Arguments, byName, knownOptions, parseArguments } from './parseArguments.ts'

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
  const facts = [
    { ...named, effect, network: program.network === true },
    ...optionFacts(program, parsed, named, invocation),
    ...operandFacts(program, parsed, named, invocation),
    ...unknownFacts(program, parsed, named),
  ]
  return [...facts, ...(program.free ? [] : strangeFacts(parsed, named, facts))]
}

function describeSubcommand(
  program: Program,
  args: readonly string[],
  parsed: Arguments,
  label: Label,
  invocation: Invocation,
): Fact[] {
  const first = parsed.operands[0]
  if (first === undefined) return describeWithout(program, args, parsed, label, invocation)
  const subcommand = label.subcommand ? `${label.subcommand} ${first}` : first
  const named = { ...label, subcommand }
  const found = byName(program.subcommands).get(first)
  const effect = program.other ?? 'shell.unknown-program'
  const own = parseArguments(found ? args.slice(0, parsed.firstAt) : args, program)
  const facts = [
    ...optionFacts(program, own, label, invocation),
    ...(found
      ? describeByTable(inherit(program, found), args.slice(parsed.firstAt + 1), named, invocation)
      : [{ ...named, effect, network: program.network === true }]),
  ]
  return [...facts, ...strangeFacts(own, named, facts)]
}

/** No subcommand at all, or an option that stands for one: `npm --version`, `dpkg -l`. */
function describeWithout(
  program: Program,
  args: readonly string[],
  parsed: Arguments,
  label: Label,
  invocation: Invocation,
): Fact[] {
  const sub = args.length === 1 ? byName(program.subcommands).get(args[0] ?? '') : undefined
  const facts: Fact[] = [
    ...optionFacts(program, parsed, label, invocation),
    {
      ...label,
      effect: sub ? (sub.effect ?? 'info') : (program.bare ?? 'info'),
      network: sub?.network === true,
    },
  ]
  // The value of an option may be the subcommand after all.
  const other: Fact[] =
    parsed.doubtful.length > 0 ? [{ ...label, effect: program.other ?? 'shell.unknown-program' }] : []
  return sub ? facts : [...facts, ...other, ...strangeFacts(parsed, label, facts)]
}

const inherited = new WeakMap<Program, Map<Program, Program>>()

/** A subcommand takes the options of what it belongs to as well, unless it has its own of that name. */
function inherit(parent: Program, sub: Program): Program {
  const kept = inherited.get(parent)?.get(sub)
  if (kept) return kept
  const own = knownOptions(sub).kinds
  const rest = (list = ''): string => keepWords(list, own)
  const merged: Program = {
    ...sub,
    longDash: sub.longDash ?? parent.longDash ?? false,
    plain: `${sub.plain ?? ''} ${rest(spreadPlain(parent))}`.trim(),
    takes: `${sub.takes ?? ''} ${rest(parent.takes)}`.trim(),
    texts: `${sub.texts ?? ''} ${rest(parent.texts)}`.trim(),
    maybe: `${sub.maybe ?? ''} ${rest(parent.maybe)}`.trim(),
    files: { ...pick(parent.files, own), ...sub.files },
    flags: { ...pick(parent.flags, own), ...sub.flags },
  }
  inherited.set(parent, (inherited.get(parent) ?? new Map<Program, Program>()).set(sub, merged))
  return merged
}

const spreadPlain = (program: Program): string => {
  const { kinds } = knownOptions({ plain: program.plain, longDash: program.longDash })
  return [...kinds.keys()].join(' ')
}

const keepWords = (list: string, without: ReadonlyMap<string, unknown>): string =>
  list
    .split(' ')
    .filter((word) => word !== '' && !without.has(word))
    .join(' ')

function pick<V>(
  record: Record<string, V> | undefined,
  without: ReadonlyMap<string, unknown>,
): Record<string, V> {
  return Object.fromEntries([...byName(record)].filter(([name]) => !without.has(name)))
}

/** An option that the table does not have makes a look an ask. */
function strangeFacts(parsed: Arguments, label: Label, facts: readonly Fact[]): Fact[] {
  return parsed.options.every((option) => option.known) ? [] : unknownOption(label, facts)
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
  const facts = (use: Use | undefined, path: string): Fact[] =>
    pathFacts(tree ? treeOf(use) : (use ?? 'text'), path, label, invocation)
  const replaced = (program.firstUnless ?? '').split(' ')
  const skipsFirst =
    program.first !== undefined && !parsed.options.some((option) => replaced.includes(option.name))
  const last = parsed.operands.length - 1
  return [
    ...parsed.operands.flatMap((operand, i) =>
      facts(
        skipsFirst && i === 0
          ? program.first
          : i === last && i > 0 && program.last
            ? program.last
            : program.operands,
        operand,
      ),
    ),
    ...parsed.doubtful.flatMap((value) => [
      ...facts(program.operands, value),
      ...facts(program.last, value),
      ...facts(program.first, value),
    ]),
    ...(skipsFirst && parsed.shifted
      ? facts(program.operands, parsed.operands[0] ?? '').filter((fact) => holdsSecret(fact.place))
      : []),
  ]
}

const holdsSecret = (place: Fact['place']): boolean =>
  place === 'secret' || place === 'credential' || place === 'denied'

function treeOf(use: Use | undefined): Use {
  return use === 'delete' ? 'delete-tree' : use === 'mode' ? 'mode-tree' : (use ?? 'text')
}

/**
 * A word that may turn out to be an option is a worry, unless it stands for a file, which asks anyway. So is a pattern
 * (`sort *`) where one of the program's options, as the name of a file, would run or write something.
 */
function unknownFacts(program: Program, parsed: Arguments, label: Label): Fact[] {
  if (program.free) return []
  const worry = parsed.unknown.length > 0 || (parsed.patterns.length > 0 && hasHarmfulOption(program))
  return worry ? [{ ...label, effect: 'shell.unknown-word' }] : []
}

const harmful = new WeakMap<Program, boolean>()

function hasHarmfulOption(program: Program): boolean {
  const known =
    harmful.get(program) ??
    ([...byName(program.flags).values()].some((effect) => effect !== 'tree' && !mildEffects.has(effect)) ||
      [...byName(program.files).values()].some((use) => !/^(text|read|list)$/.test(use)))
  harmful.set(program, known)
  return known
}

/** The fact of using one path in one way; none for plain text, `-` and harmless devices. */
export function pathFacts(use: Use, path: string, label: Label, invocation: Invocation): Fact[] {
  if (use === 'text' || path === '-' || (path === '' && (use === 'read' || use === 'list'))) return []
  const kind = uses[use]
  if (kind.use === 'write' && isNamedInside(path, invocation.state.cwds, invocation.context))
    return [
      {
        ...label,
        effect: kind.effect === 'fs.create' ? 'fs.write' : kind.effect,
        place: 'inside',
        unnamed: true,
      },
    ]
  const place = classifyPath(path, invocation.state.cwds, kind.use, invocation.context)
  if (use === 'delete-tree' && place === 'unknown' && couldBeEverything(path, invocation))
    return [{ ...label, effect: 'floor.delete-unknown' }]
  return place === 'null' ? [] : [{ ...label, effect: kind.effect, place }]
}

/** `$X/`, `$X/*`, `$X/etc`: when the variable is empty, that is the root; `*` in a directory nobody knows, too. */
function couldBeEverything(path: string, invocation: Invocation): boolean {
  const tail = /^[\u0000\u0003\u0006\u0007]+(\/.*)$/s.exec(path)?.[1]
  if (tail === undefined)
    return invocation.state.cwds.length === 0 && /^(\.\/)*[.\u0001\u0002]+\/?$/.test(path)
  const place = hasHole(tail) ? 'unknown' : classifyPath(tail, ['/'], 'delete', invocation.context)
  return place === 'top' || place === 'system' || place === 'vital'
}
