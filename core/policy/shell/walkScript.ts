import type {
  AndOr,
  CommandNode,
  CompoundCommand,
  CompoundList,
  ParsedScript,
  Pipeline,
  Redirected,
  Statement,
} from 'unbash'
import { scanCode } from '../describe/scanCode.ts'
import { noStdin, type Stdin } from '../facts.ts'
import { overrideFacts } from './assignmentFacts.ts'
import { expandWord } from './expandWord.ts'
import { callsItself, forgetChanged } from './lookAhead.ts'
import { HOLES } from './marks.ts'
import { copyState, forgetAll, joinDirectories, joinInto, maxAlternatives, type ShellState } from './state.ts'
import { add, note, type Spot, type Steps, textOf, type Walk } from './walk.ts'
import { walkCommand } from './walkCommand.ts'
import { walkRedirects } from './walkRedirects.ts'
import { expanderAt, noteOperands, visitExpansions } from './walkWords.ts'

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
      walkAndOr(walk, node, spot, state)
      break
    case 'Pipeline':
      walkPipeline(walk, node, spot, state)
      break
    case 'CompoundList':
      walkStatements(walk, node.commands, spot, state)
      break
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
  if (node.commands.length === 0) add(walk, textOf(spot, node), [{ effect: 'shell.syntax' }])
  let stdin = spot.stdin
  const timed = node.prefixes?.some((prefix) => prefix.type === 'Time') === true
  for (const command of node.commands) {
    const own = node.commands.length > 1 ? copyState(state) : state
    stdin = walkCommandNode(
      walk,
      command,
      { ...spot, stdin, timed: timed && command === node.commands[0] },
      own,
    )
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
  body: CompoundCommand | CompoundList | Redirected,
  spot: Spot,
  state: ShellState,
): void {
  if (body.type === 'CompoundList') walkStatements(walk, body.commands, spot, state)
  else walkCommandNode(walk, body, spot, state)
}

function walkCompound(walk: Walk, node: CompoundCommand, spot: Spot, state: ShellState): void {
  switch (node.type) {
    case 'Subshell':
      walkStatements(walk, node.body.commands, spot, copyState(state))
      break
    case 'BraceGroup':
      walkStatements(walk, node.body.commands, spot, state)
      break
    case 'If':
      walkBranches(
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
      break
    case 'Case':
      expandWord(node.word, expanderAt(walk, spot, state))
      for (const item of node.items)
        for (const word of item.pattern) expandWord(word, expanderAt(walk, spot, state))
      walkBranches(
        walk,
        node.items.map((item) => item.body),
        spot,
        state,
      )
      break
    case 'For':
    case 'Select':
      walkFor(walk, node, spot, state)
      break
    case 'While':
      forgetChanged(node, state)
      walkStatements(walk, node.clause.commands, spot, state)
      walkBranches(walk, [node.body], spot, state)
      break
    default:
      walkBashOnly(walk, node, spot, state)
      break
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
  add(walk, node.name.text, overrideFacts(node.name.value))
  const words = (node.wordlist ?? []).flatMap((word) =>
    expandWord(word, expanderAt(walk, spot, state)).flat(),
  )
  forgetChanged(node.body, state)
  const few = node.wordlist && words.length <= maxAlternatives
  state.vars.set(node.name.value, few ? [...new Set(words)] : [HOLES])
  walkBranches(walk, [node.body], spot, state)
}

function walkBashOnly(walk: Walk, node: CompoundCommand, spot: Spot, state: ShellState): void {
  note(walk, spot, node, 'shell.not-posix')
  // Numbers that are compared are worked out as sums, and so is what a loop counts with.
  const text = textOf(spot, node)
  const counted = node.type === 'ArithmeticFor' ? text.slice(0, text.indexOf('))')) : text
  if (node.type === 'ArithmeticFor' || /\s-([gln][et]|eq|v|R)\s/.test(text))
    noteOperands(walk, node, counted, /\$\(|`/.test(counted) ? [HOLES] : [], spot, state)
  if (node.type === 'ArithmeticFor') {
    forgetChanged(node, state)
    walkBranches(walk, [node.body], spot, state)
  }
  visitExpansions(walk, node, spot, state)
}

/** The steps, for `Walk`. */
export const steps: Steps = { script: walkScript, body: walkBody, command: walkCommand }
