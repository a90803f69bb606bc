import type { Assignment, Command, Word } from 'unbash'
import type { Fact, Stdin } from '../facts.ts'
import { applyBuiltin, changesState } from './applyBuiltin.ts'
import { assignmentFacts } from './assignmentFacts.ts'
import { expandValue, expandWord } from './expandWord.ts'
import { HOLE, HOLES } from './marks.ts'
import { plainOutput } from './plainOutput.ts'
import { bindArguments, forgetAll, joinTexts, maxAlternatives, type ShellState, unite } from './state.ts'
import { add, note, type Spot, textOf, type Walk } from './walk.ts'
import { walkRedirects } from './walkRedirects.ts'
import { expanderAt } from './walkWords.ts'

/** Walks a simple command; answers its output where that is plain to see. */
export function walkCommand(walk: Walk, node: Command, spot: Spot, state: ShellState): string | null {
  if (--walk.budget.left < 0) return null
  const stdin = walkRedirects(walk, node.redirects, spot, state)
  const assigned = walkAssignments(walk, node, spot, state)
  const expanded = node.name ? expandAll(walk, [node.name, ...node.args], spot, state) : []
  const alternatives = spot.timed ? expanded.map(withTime) : expanded
  const dynamic = node.name && !isPlainName(node.name) ? [{ effect: 'shell.dynamic-command' }] : []
  const text = textOf(spot, node)
  const facts = alternatives.flatMap((argv) => describe(walk, argv, stdin, state))
  add(walk, text, [...assigned, ...dynamic, ...hiddenSubstitutions(node), ...facts])
  for (const argv of alternatives) callFunction(walk, argv, state, spot)
  const [first = []] = alternatives
  if (alternatives.length > 0) changeState(first, state, alternatives.length > 1)
  return alternatives.length === 1 ? plainOutput(alternatives[0] ?? [], stdin) : null
}

/** `time -f %U ls` is the keyword for some shells, and for sh a program with options. */
function withTime(argv: string[]): string[] {
  return argv[0]?.startsWith('-') ? ['time', ...argv] : argv
}

/** A function may be defined or not, by then: what the name does otherwise counts as well. */
function changeState(argv: readonly string[], state: ShellState, uncertain: boolean): void {
  if (!state.functions.has(argv[0] ?? '')) applyBuiltin(argv, state, uncertain)
  else if (changesState(argv[0] ?? '')) forgetAll(state)
}

function describe(walk: Walk, argv: readonly string[], stdin: Stdin, state: ShellState): readonly Fact[] {
  if (argv.length === 0) return [{ effect: 'shell.dynamic-command' }]
  return walk.describe({
    argv,
    state,
    stdin,
    context: walk.context,
    budget: walk.budget,
    depth: 0,
    runText: walk.runText(walk, state),
  })
}

/** Quotes and backslashes in a command's name are legal, and a way to hide it; patterns and variables more so. */
function isPlainName(name: Word): boolean {
  return name.text === name.value && !name.parts?.some((part) => part.type !== 'Literal')
}

/** A literal `$(` in an argument of these is run by the shell after all (`test -v 'a[$(id)]'`). */
function hiddenSubstitutions(node: Command): Fact[] {
  const evaluates =
    /^(test|\[|let|declare|typeset|local|export|readonly|unset|read|printf|mapfile|readarray)$/.test(
      node.name?.value ?? '',
    )
  const hides = (word: Word | Assignment): boolean =>
    word.type === 'Word' && /'[^']*(\$\(|`)|\\[$`]/.test(word.text) && /\[/.test(word.text)
  return evaluates && (node.args.some(hides) || asksByName(node)) ? [{ effect: 'shell.not-understood' }] : []
}

/** `test -v "$X"`: bash runs what stands between the brackets of the name. */
function asksByName({ name, args }: Command): boolean {
  return (
    /^(test|\[)$/.test(name?.value ?? '') &&
    args.some((arg, i) => /^-[vR]$/.test(arg.text) && !/^\w*$/.test(args[i + 1]?.text ?? ''))
  )
}

function expandAll(
  walk: Walk,
  words: readonly (Word | Assignment)[],
  spot: Spot,
  state: ShellState,
): string[][] {
  return words.reduce<string[][]>(
    (lists, word) => {
      const next =
        word.type === 'Word'
          ? expandWord(word, expanderAt(walk, spot, state))
          : expandAssigned(walk, word, spot, state)
      const [only, more] = [lists[0], next[0]]
      if (lists.length === 1 && next.length === 1 && only && more) {
        only.push(...more)
        return lists
      }
      if (lists.length * next.length > maxAlternatives) return lists.map((list) => [...list, HOLES])
      return lists.flatMap((list) => next.map((more) => [...list, ...more]))
    },
    [[]],
  )
}

/** `export A=b`: an assignment in the place of an argument. */
function expandAssigned(walk: Walk, node: Assignment, spot: Spot, state: ShellState): string[][] {
  if (node.value.type === 'ArrayValue') return [[`${node.name}=${HOLE}`]]
  return expandValue(node.value, expanderAt(walk, spot, state)).map((value) => [`${node.name}=${value}`])
}

function walkAssignments(walk: Walk, node: Command, spot: Spot, state: ShellState): Fact[] {
  const assignments = [...node.prefix, ...node.suffix].filter((item) => item.type === 'Assignment')
  return assignments.flatMap((assignment) => {
    const values = assignedValues(walk, assignment, spot, state)
    const old = state.vars.get(assignment.name) ?? [HOLES]
    // Before a special builtin or a function, some shells keep the value, others do not.
    const stays = !node.name || node.suffix.includes(assignment)
    state.vars.set(assignment.name, stays ? values : unite(old, values))
    return assignmentFacts(assignment.name, values, node.name !== undefined)
  })
}

function assignedValues(walk: Walk, node: Assignment, spot: Spot, state: ShellState): readonly string[] {
  if (node.index) {
    expandWord(node.index, expanderAt(walk, spot, state))
    if (!/^\d+$/.test(node.index.text)) note(walk, spot, node, 'shell.dynamic-code')
  }
  if (node.value.type === 'ArrayValue') {
    note(walk, spot, node, /\[[^\]\d]/.test(node.text) ? 'shell.dynamic-code' : 'shell.not-posix')
    for (const element of node.value.elements) expandWord(element, expanderAt(walk, spot, state))
    return [HOLES]
  }
  const values = expandValue(node.value, expanderAt(walk, spot, state))
  if (node.index) return [HOLES]
  return node.append ? (joinTexts(state.vars.get(node.name) ?? [HOLES], values) ?? [HOLES]) : values
}

function callFunction(walk: Walk, argv: readonly string[], state: ShellState, spot: Spot): void {
  const name = argv[0] ?? ''
  const called = state.functions.get(name)
  if (!called) return
  if (walk.calling.includes(name) || walk.calling.length > 8) {
    forgetAll(state)
    return
  }
  const positional = ['@', '*', '1', '2', '3', '4', '5', '6', '7', '8', '9']
  const saved = positional.map((key) => [key, state.vars.get(key)] as const)
  for (const key of positional) state.vars.set(key, [''])
  bindArguments(state.vars, argv.slice(1))
  const inner = { ...walk, calling: [...walk.calling, name] }
  walk.steps.body(inner, called.body, { ...spot, source: called.source }, state)
  for (const [key, values] of saved) values ? state.vars.set(key, values) : state.vars.delete(key)
}
