import {
  type AndOr,
  type Assignment,
  type Command,
  type CommandNode,
  type CompoundCommand,
  type CompoundList,
  forEachChild,
  type ParsedScript,
  type Pipeline,
  type Redirection,
  type Statement,
  type SyntaxNode,
  type Word,
} from 'unbash'
import { arithmeticFacts } from '../describe/describeBuiltin.ts'
import { scanCode } from '../describe/scanCode.ts'
import { type Fact, type Finding, type Invocation, noStdin, type Stdin } from '../facts.ts'
import { classifyPath } from '../paths/classifyPath.ts'
import type { PolicyContext } from '../verdict.ts'
import { applyBuiltin } from './applyBuiltin.ts'
import { assignmentFacts } from './assignmentFacts.ts'
import { type Expander, expandValue, expandWord } from './expandWord.ts'
import { HOLE, HOLES, hasHole, NET_HOLE } from './marks.ts'
import { plainOutput } from './plainOutput.ts'
import { copyState, forgetAll, joinDirectories, joinInto, maxAlternatives, type ShellState } from './state.ts'

/** What one walk over a command line carries along. */
export type Walk = {
  context: PolicyContext
  shell: 'sh' | 'bash'
  findings: Finding[]
  /** Counts down; at zero the rest is not looked at and the whole is not understood. */
  budget: { left: number }
  describe: (invocation: Invocation) => readonly Fact[]
  runText: (walk: Walk, state: ShellState) => Invocation['runText']
  /** Functions being called, to stop at recursion. */
  calling: readonly string[]
}

/** Where a node stands: the text its positions count in, and what comes in from the left. */
type Spot = { source: string; stdin: Stdin }

/** Walks every command of a script in order, collecting a finding for each. Changes `state` as the shell would. */
export function walkScript(
  walk: Walk,
  script: ParsedScript,
  source: string,
  state: ShellState,
  stdin: Stdin = noStdin,
): void {
  if (script.errors && script.errors.length > 0)
    add(walk, source.slice(0, 200), [{ effect: 'shell.syntax' }, ...scanCode(source, walk.context)])
  walkStatements(walk, script.commands, { source: script.source ?? source, stdin }, state)
}

function walkStatements(walk: Walk, statements: readonly Statement[], spot: Spot, state: ShellState): void {
  for (const statement of statements) {
    if (statement.background) walkNode(walk, statement.command, spot, copyState(state))
    else walkStatement(walk, statement, spot, state)
  }
}

/** A `cd` that fails leaves the directory as it was, so afterwards it may be either. */
function walkStatement(walk: Walk, statement: Statement, spot: Spot, state: ShellState): void {
  const before = state.cwds
  walkNode(walk, statement.command, spot, state)
  if (statement.command.type === 'Command') state.cwds = joinDirectories(state.cwds, before)
}

function walkNode(
  walk: Walk,
  node: Statement['command'] | CompoundList,
  spot: Spot,
  state: ShellState,
): void {
  switch (node.type) {
    case 'AndOr':
      return walkAndOr(walk, node, spot, state)
    case 'Pipeline':
      return walkPipeline(walk, node, spot, state)
    case 'CompoundList':
      return walkStatements(walk, node.commands, spot, state)
    default:
      walkCommandNode(walk, node, spot, state)
  }
}

function walkAndOr(walk: Walk, node: AndOr, spot: Spot, state: ShellState): void {
  const ends: ShellState[] = []
  node.commands.forEach((command, i) => {
    const before = copyState(state)
    walkNode(walk, command, spot, state)
    ends.push(
      i === 0 ? { ...copyState(state), cwds: joinDirectories(state.cwds, before.cwds) } : copyState(state),
    )
    if (node.operators[i] === '||') joinInto(state, before)
  })
  for (const end of ends) joinInto(state, end)
}

function walkPipeline(walk: Walk, node: Pipeline, spot: Spot, state: ShellState): void {
  if (node.commands.length === 0) return add(walk, textOf(spot, node), [{ effect: 'shell.syntax' }])
  let stdin = spot.stdin
  for (const command of node.commands) {
    const own = node.commands.length > 1 ? copyState(state) : state
    stdin = walkCommandNode(walk, command, { ...spot, stdin }, own)
    // Some shells run the last stage in their own process, so that it may change variables.
    if (command === node.commands.at(-1) && own !== state) joinInto(state, own)
  }
}

/** Walks one stage of a pipeline; answers what it hands to the next. */
function walkCommandNode(walk: Walk, node: CommandNode, spot: Spot, state: ShellState): Stdin {
  const from = walk.findings.length
  const text = walkOne(walk, node, spot, state)
  const facts = walk.findings.slice(from).flatMap((finding) => finding.facts)
  return {
    given: true,
    text,
    network: spot.stdin.network || facts.some((fact) => fact.network === true),
    decoded: spot.stdin.decoded || facts.some((fact) => fact.effect === 'text.decode'),
  }
}

function walkOne(walk: Walk, node: CommandNode, spot: Spot, state: ShellState): string | null {
  switch (node.type) {
    case 'Command':
      return walkCommand(walk, node, spot, state)
    case 'Redirected':
      walkCompound(
        walk,
        node.command,
        { ...spot, stdin: walkRedirects(walk, node.redirects, spot, state) },
        state,
      )
      return null
    case 'Function':
      walkFunction(walk, node, spot, state)
      return null
    case 'Coproc':
      note(walk, spot, node, 'shell.not-posix')
      if (node.body.type === 'CompoundList') walkStatements(walk, node.body.commands, spot, copyState(state))
      else walkCommandNode(walk, node.body, spot, copyState(state))
      return null
    default:
      walkCompound(walk, node, spot, state)
      return null
  }
}

function walkFunction(
  walk: Walk,
  node: Extract<CommandNode, { type: 'Function' }>,
  spot: Spot,
  state: ShellState,
): void {
  const name = node.name.value
  const bomb = callsItself(node.body, name)
  add(walk, textOf(spot, node), [{ effect: bomb ? 'floor.fork-bomb' : 'shell.function' }])
  if (!textOf(spot, node).trimStart().startsWith(node.name.text)) note(walk, spot, node, 'shell.not-posix')
  const unknown = copyState(state)
  forgetAll(unknown)
  walkBody(walk, node.body, spot, unknown)
  state.functions.set(name, { body: node.body, source: spot.source })
}

function walkBody(
  walk: Walk,
  body: CompoundCommand | CompoundList | Extract<CommandNode, { type: 'Redirected' }>,
  spot: Spot,
  state: ShellState,
): void {
  if (body.type === 'CompoundList') walkStatements(walk, body.commands, spot, state)
  else walkCommandNode(walk, body, spot, state)
}

/** A function that starts itself in a pipeline or in the background. */
function callsItself(body: SyntaxNode, name: string): boolean {
  let found = false
  const look = (node: SyntaxNode, forks: boolean): void => {
    const forking =
      forks ||
      (node.type === 'Pipeline' && node.commands.length > 1) ||
      (node.type === 'Statement' && node.background === true)
    if (node.type === 'Command' && forking && node.name?.value === name) found = true
    if (!found) forEachChild(node, (child) => look(child, forking))
  }
  look(body, false)
  return found
}

function walkCompound(walk: Walk, node: CompoundCommand, spot: Spot, state: ShellState): void {
  switch (node.type) {
    case 'Subshell':
      return walkStatements(walk, node.body.commands, spot, copyState(state))
    case 'BraceGroup':
      return walkStatements(walk, node.body.commands, spot, state)
    case 'If':
      return walkBranches(
        walk,
        [
          node.clause,
          node.then,
          ...node.elif.flatMap((elif) => [elif.clause, elif.then]),
          ...(node.else ? [node.else] : []),
        ],
        spot,
        state,
      )
    case 'Case':
      expandWord(node.word, expander(walk, spot, state))
      for (const item of node.items)
        for (const word of item.pattern) expandWord(word, expander(walk, spot, state))
      return walkBranches(
        walk,
        node.items.map((item) => item.body),
        spot,
        state,
      )
    case 'For':
    case 'Select':
      return walkFor(walk, node, spot, state)
    case 'While':
      forgetChanged(node, state)
      walkStatements(walk, node.clause.commands, spot, state)
      return walkBranches(walk, [node.body], spot, state)
    default:
      return walkBashOnly(walk, node, spot, state)
  }
}

/** Each branch may happen or not; afterwards anything of them may hold. */
function walkBranches(walk: Walk, branches: readonly CompoundList[], spot: Spot, state: ShellState): void {
  for (const branch of branches) {
    const own = copyState(state)
    walkStatements(walk, branch.commands, spot, own)
    joinInto(state, own)
  }
}

function walkFor(
  walk: Walk,
  node: Extract<CompoundCommand, { type: 'For' | 'Select' }>,
  spot: Spot,
  state: ShellState,
): void {
  if (node.type === 'Select') note(walk, spot, node, 'shell.not-posix')
  add(
    walk,
    node.name.text,
    assignmentFacts(node.name.value, [], false).filter((fact) => fact.effect !== 'shell.builtin'),
  )
  const words = (node.wordlist ?? []).flatMap((word) => expandWord(word, expander(walk, spot, state)).flat())
  forgetChanged(node.body, state)
  const few = node.wordlist && words.length <= maxAlternatives
  state.vars.set(node.name.value, few ? [...new Set(words)] : [HOLES])
  walkBranches(walk, [node.body], spot, state)
}

function walkBashOnly(walk: Walk, node: CompoundCommand, spot: Spot, state: ShellState): void {
  note(walk, spot, node, 'shell.not-posix')
  if (node.type === 'ArithmeticFor') {
    forgetChanged(node, state)
    walkBranches(walk, [node.body], spot, state)
  }
  visitExpansions(walk, node, spot, state)
}

/** Before a loop: what its body may change, an earlier turn may have changed. */
function forgetChanged(node: SyntaxNode, state: ShellState): void {
  if (node.type === 'Assignment') state.vars.set(node.name, [HOLES])
  if (node.type === 'Command' && changesShell(node, state)) forgetAll(state)
  forEachChild(node, (child) => forgetChanged(child, state))
}

const changers = new Set([
  'cd',
  'pushd',
  'popd',
  'read',
  'eval',
  'source',
  '.',
  'mapfile',
  'readarray',
  'getopts',
  'printf',
  'let',
  'set',
  'shift',
  'unset',
  'command',
  'builtin',
])

function changesShell(node: Command, state: ShellState): boolean {
  const name = node.name
  if (!name) return false
  const quiet =
    changers.has(name.value) &&
    !(name.value === 'printf' && !node.args.some((arg) => arg.text.startsWith('-')))
  return quiet || state.functions.has(name.value) || /[$`]/.test(name.text)
}

/** Walks a simple command; answers its output where that is plain to see. */
function walkCommand(walk: Walk, node: Command, spot: Spot, state: ShellState): string | null {
  if (--walk.budget.left < 0) return null
  const stdin = walkRedirects(walk, node.redirects, spot, state)
  const assigned = walkAssignments(walk, node, spot, state)
  const alternatives = node.name ? expandAll(walk, [node.name, ...node.args], spot, state) : []
  const dynamic = node.name && !isPlainName(node.name) ? [{ effect: 'shell.dynamic-command' }] : []
  const text = textOf(spot, node)
  const facts = alternatives.flatMap((argv) => describe(walk, argv, stdin, state))
  add(walk, text, [...assigned, ...dynamic, ...hiddenSubstitutions(node), ...facts])
  for (const argv of alternatives) callFunction(walk, argv, state, spot)
  for (const argv of alternatives.slice(0, 1))
    if (!state.functions.has(argv[0] ?? '')) applyBuiltin(argv, state, alternatives.length > 1)
  return alternatives.length === 1 ? plainOutput(alternatives[0] ?? [], stdin) : null
}

function describe(walk: Walk, argv: readonly string[], stdin: Stdin, state: ShellState): readonly Fact[] {
  if (argv.length === 0) return [{ effect: 'shell.dynamic-command' }]
  if (state.functions.has(argv[0] ?? '')) return [{ effect: 'shell.function' }]
  return walk.describe({
    argv,
    state,
    stdin,
    context: walk.context,
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
  return evaluates && node.args.some(hides) ? [{ effect: 'shell.not-understood' }] : []
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
          ? expandWord(word, expander(walk, spot, state))
          : expandAssigned(walk, word, spot, state)
      if (lists.length * next.length > maxAlternatives) return lists.map((list) => [...list, HOLES])
      return lists.flatMap((list) => next.map((more) => [...list, ...more]))
    },
    [[]],
  )
}

/** `export A=b`: an assignment in the place of an argument. */
function expandAssigned(walk: Walk, node: Assignment, spot: Spot, state: ShellState): string[][] {
  if (node.value.type === 'ArrayValue') return [[`${node.name}=${HOLE}`]]
  return expandValue(node.value, expander(walk, spot, state)).map((value) => [`${node.name}=${value}`])
}

function walkAssignments(walk: Walk, node: Command, spot: Spot, state: ShellState): Fact[] {
  const assignments = [...node.prefix, ...node.suffix].filter((item) => item.type === 'Assignment')
  return assignments.flatMap((assignment) => {
    const values = assignedValues(walk, assignment, spot, state)
    if (!node.name || node.suffix.includes(assignment)) state.vars.set(assignment.name, values)
    return assignmentFacts(assignment.name, values, node.name !== undefined)
  })
}

function assignedValues(walk: Walk, node: Assignment, spot: Spot, state: ShellState): readonly string[] {
  if (node.index) expandWord(node.index, expander(walk, spot, state))
  if (node.value.type === 'ArrayValue') {
    note(walk, spot, node, 'shell.not-posix')
    for (const element of node.value.elements) expandWord(element, expander(walk, spot, state))
    return [HOLES]
  }
  const values = expandValue(node.value, expander(walk, spot, state))
  if (node.index) return [HOLES]
  return node.append
    ? (state.vars.get(node.name) ?? [HOLES])
        .flatMap((old) => values.map((value) => old + value))
        .slice(0, maxAlternatives)
    : values
}

function callFunction(walk: Walk, argv: readonly string[], state: ShellState, spot: Spot): void {
  const name = argv[0] ?? ''
  const called = state.functions.get(name)
  if (!called) return
  if (walk.calling.includes(name) || walk.calling.length > 8) return forgetAll(state)
  const saved = ['@', '*', ...Array.from({ length: 9 }, (_, i) => String(i + 1))].map(
    (key) => [key, state.vars.get(key)] as const,
  )
  for (const [key] of saved) state.vars.set(key, [''])
  argv.slice(1, 10).forEach((arg, i) => state.vars.set(String(i + 1), [arg]))
  state.vars.set('@', [argv.slice(1).join('\u0004')])
  state.vars.set('*', [argv.slice(1).join('\u0004')])
  walkBody(
    { ...walk, calling: [...walk.calling, name] },
    called.body,
    { ...spot, source: called.source },
    state,
  )
  for (const [key, values] of saved) values ? state.vars.set(key, values) : state.vars.delete(key)
}

/** Judges redirections, and answers what standard input is after them. */
function walkRedirects(walk: Walk, redirects: readonly Redirection[], spot: Spot, state: ShellState): Stdin {
  return redirects.reduce((stdin, redirect) => walkRedirect(walk, redirect, spot, state) ?? stdin, spot.stdin)
}

function walkRedirect(walk: Walk, redirect: Redirection, spot: Spot, state: ShellState): Stdin | null {
  const text = textOf(spot, redirect)
  if (redirect.type === 'HereDoc') {
    if (!redirect.closing) add(walk, text, [{ effect: 'shell.syntax' }])
    visitExpansions(walk, redirect.body, spot, state)
    return {
      ...noStdin,
      given: true,
      text: redirect.delimiter?.quoted || !/[$`\\]/.test(redirect.body.text) ? redirect.body.text : null,
    }
  }
  if (!redirect.target) add(walk, text, [{ effect: 'shell.syntax' }])
  const targets = redirect.target ? expandValue(redirect.target, expander(walk, spot, state)) : []
  if (redirect.type === 'HereString') {
    note(walk, spot, redirect, 'shell.not-posix')
    return {
      ...noStdin,
      given: true,
      text: targets.length === 1 && !hasHole(targets[0] ?? '') ? (targets[0] ?? null) : null,
      network: targets.some((target) => target.includes(NET_HOLE)),
    }
  }
  add(
    walk,
    text,
    targets.flatMap((target) => redirectFacts(redirect.operator, target, state, walk.context)),
  )
  return redirect.operator === '<' || redirect.operator === '<>'
    ? { ...noStdin, given: true, network: targets.some((target) => target.includes(NET_HOLE)) }
    : null
}

function redirectFacts(operator: string, target: string, state: ShellState, context: PolicyContext): Fact[] {
  if (/^[<>]&$/.test(operator) && /^(\d+-?|-)$/.test(target)) return []
  if (/^\/dev\/(tcp|udp)\//.test(target)) return [{ effect: 'floor.reverse-shell', network: true }]
  const reads = operator === '<' || operator === '<&'
  const place = classifyPath(target, state.cwds, reads ? 'read' : 'write', context)
  return place === 'null' ? [] : [{ effect: reads ? 'fs.read' : 'fs.write', place }]
}

function expander(walk: Walk, spot: Spot, state: ShellState): Expander {
  return {
    state,
    home: walk.context.home,
    substitute: (script) => substitute(walk, script, spot, state),
    visit: (part) => visitExpansions(walk, part, spot, state),
    bashOnly: (part) => note(walk, spot, part, 'shell.not-posix'),
  }
}

/** Judges the commands of `$(...)`; answers its output where plain, else a hole that remembers the network. */
function substitute(
  walk: Walk,
  script: ParsedScript | undefined,
  spot: Spot,
  state: ShellState,
): readonly string[] {
  if (!script) {
    add(walk, spot.source.slice(0, 200), [{ effect: 'shell.not-understood' }])
    return [HOLES]
  }
  const from = walk.findings.length
  const own = copyState(state)
  const output = walkOutput(walk, script, spot, own)
  if (output !== null) return [output.replace(/\n+$/, '')]
  const network = walk.findings.slice(from).some((finding) => finding.facts.some((fact) => fact.network))
  return [network ? NET_HOLE : HOLES]
}

function walkOutput(walk: Walk, script: ParsedScript, spot: Spot, state: ShellState): string | null {
  const only = script.commands.length === 1 ? script.commands[0]?.command : undefined
  if (only?.type !== 'Command' || script.errors?.length) {
    walkScript(walk, script, spot.source, state)
    return null
  }
  if (only.name?.value === 'pwd' && state.cwds.length === 1) return state.cwds[0] ?? null
  return walkCommand(walk, only, { source: script.source ?? spot.source, stdin: noStdin }, state)
}

/** Finds the commands inside anything that is not followed closer (arithmetic, tests, parameter operations). */
function visitExpansions(walk: Walk, node: SyntaxNode, spot: Spot, state: ShellState): void {
  if (
    node.type === 'CommandExpansion' ||
    node.type === 'ProcessSubstitution' ||
    node.type === 'ArithmeticCommandExpansion'
  ) {
    substitute(walk, node.script, spot, state)
    return
  }
  if (node.type === 'ParameterExpansion' && node.operation?.type === 'Transform')
    note(walk, spot, node, 'shell.not-understood')
  if (node.type === 'ArithmeticExpansion')
    noteArithmetic(walk, node.text, node.expression !== undefined, spot, node)
  if (node.type === 'ArithmeticCommand')
    noteArithmetic(walk, node.body, node.expression !== undefined, spot, node)
  if (node.type === 'ParameterExpansion' && node.operation && /['"\\]/.test(node.text))
    note(walk, spot, node, 'shell.not-understood')
  if (
    node.type === 'ParameterExpansion' &&
    node.operation?.type === 'Default' &&
    node.operation.operator.endsWith('=')
  )
    add(
      walk,
      node.text,
      assignmentFacts(node.parameter, [], false).filter((fact) => fact.effect !== 'shell.builtin'),
    )
  forEachChild(node, (child) => visitExpansions(walk, child, spot, state))
}

/** What bash alone understands, what cannot be read, and what assigns to variables that matter. */
function noteArithmetic(
  walk: Walk,
  text: string,
  understood: boolean,
  spot: Spot,
  node: { pos: number; end: number },
): void {
  if (text.startsWith('$[')) note(walk, spot, node, 'shell.not-posix')
  if (!understood && /[^\s$()]/.test(text)) note(walk, spot, node, 'shell.not-understood')
  add(walk, textOf(spot, node), arithmeticFacts(text))
}

function note(walk: Walk, spot: Spot, node: { pos: number; end: number }, effect: string): void {
  if (effect === 'shell.not-posix' && walk.shell === 'bash') return
  add(walk, textOf(spot, node), [{ effect }])
}

function add(walk: Walk, text: string, facts: readonly Fact[]): void {
  if (facts.length > 0) walk.findings.push({ text, facts })
}

function textOf(spot: Spot, node: { pos: number; end: number }): string {
  return spot.source.slice(node.pos, node.end).trim()
}
