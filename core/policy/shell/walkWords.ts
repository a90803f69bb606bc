import { forEachChild, type ParameterExpansionPart, type ParsedScript, type SyntaxNode } from 'unbash'
import { arithmeticFacts } from '../describe/describeBuiltin.ts'
import { noStdin } from '../facts.ts'
import { overrideFacts } from './assignmentFacts.ts'
import type { Expander } from './expandWord.ts'
import { HOLES, NAME, NET_HOLE } from './marks.ts'
import { countOutput, nameOutput } from './nameOutput.ts'
import { copyState, type ShellState } from './state.ts'
import { add, note, type Spot, textOf, type Walk } from './walk.ts'

/** How words are expanded at one point of a walk. */
export function expanderAt(walk: Walk, spot: Spot, state: ShellState): Expander {
  return {
    state,
    home: walk.context.home,
    substitute: (script) => substitute(walk, script, spot, state),
    visit: (part) => visitExpansions(walk, part, spot, state),
    bashOnly: (part) => note(walk, spot, part, 'shell.not-posix'),
    unclear: (part) => note(walk, spot, part, 'shell.not-understood'),
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
  const output = walkOutput(walk, script, spot, copyState(state))
  if (output !== null) return output
  const network = walk.findings.slice(from).some((finding) => finding.facts.some((fact) => fact.network))
  return [network ? NET_HOLE : HOLES]
}

/** The output of a script of one plain command; shells differ in `echo -e` and backslashes, so that is a guess. */
function walkOutput(
  walk: Walk,
  script: ParsedScript,
  spot: Spot,
  state: ShellState,
): readonly string[] | null {
  const only = script.commands.length === 1 ? script.commands[0]?.command : undefined
  if (only?.type !== 'Command' || script.errors?.length) {
    const count = only?.type === 'Pipeline' ? countOutput(only.commands.at(-1), state) : null
    walk.steps.script(walk, script, spot.source, state)
    return count === null ? null : [count]
  }
  const source = script.source ?? spot.source
  const output =
    walk.steps.command(walk, only, { source, stdin: noStdin }, state)?.replace(/\n+$/, '') ?? null
  if (only.name?.value === 'pwd' && only.args.length === 0) return state.cwds.length > 0 ? state.cwds : null
  const name = output === null ? nameOutput(only, state) : null
  if (name !== null) return [name]
  const sure = only.name?.value === 'echo' && !/[\\$`]|\s-/.test(source.slice(only.pos, only.end))
  return output === null ? null : sure ? [output] : [output, HOLES]
}

/** Finds the commands inside anything that is not followed closer (arithmetic, tests, parameter operations). */
export function visitExpansions(walk: Walk, node: SyntaxNode, spot: Spot, state: ShellState): void {
  if (
    node.type === 'CommandExpansion' ||
    node.type === 'ProcessSubstitution' ||
    node.type === 'ArithmeticCommandExpansion'
  ) {
    // One that does not end, in a here-document, takes in what follows that.
    if (!/[)`}]$/.test(node.text)) note(walk, spot, node, 'shell.syntax')
    if (node.type === 'ProcessSubstitution') note(walk, spot, node, 'shell.not-posix')
    substitute(walk, node.script, spot, state)
    return
  }
  if (node.type === 'ParameterExpansion') noteOperation(walk, node, spot)
  if (node.type === 'ArithmeticExpansion' || node.type === 'ArithmeticCommand') {
    const text = node.type === 'ArithmeticExpansion' ? node.text : node.body
    noteArithmetic(walk, text, node.expression !== undefined, spot, node)
    visitOperands(walk, node, text, spot, state)
  } else forEachChild(node, (child) => visitExpansions(walk, child, spot, state))
}

function visitOperands(
  walk: Walk,
  node: Extract<SyntaxNode, { type: 'ArithmeticExpansion' | 'ArithmeticCommand' }>,
  text: string,
  spot: Spot,
  state: ShellState,
): void {
  const values: string[] = []
  const visit = (child: SyntaxNode): void => {
    if (child.type === 'CommandExpansion') values.push(...substitute(walk, child.script, spot, state))
    else if (child.type === 'ProcessSubstitution' || child.type === 'ArithmeticCommandExpansion')
      visitExpansions(walk, child, spot, state)
    else {
      if (child.type === 'ParameterExpansion') noteOperation(walk, child, spot)
      forEachChild(child, visit)
    }
  }
  forEachChild(node, visit)
  noteOperands(walk, node, text, values, spot, state)
}

/** Bash reads the text of a variable in a sum as a sum, down to `a[$(id)]`: what is no number could run. */
export function noteOperands(
  walk: Walk,
  node: { pos: number; end: number },
  text: string,
  values: readonly string[],
  spot: Spot,
  state: ShellState,
): void {
  const names = text.match(/[A-Za-z_]\w*|(?<=\$)\d/g) ?? []
  const all = [...values, ...names.flatMap((name) => state.vars.get(name) ?? [])]
  if (!all.every(isNumber)) note(walk, spot, node, 'shell.dynamic-code')
}

const isNumber = (value: string): boolean => value === NAME || /^[-+\d\s]*$/.test(value)

/** Shells differ in quotes inside `${x#...}`; `${x@P}` runs the text of x; `${x:=y}` assigns. */
function noteOperation(walk: Walk, node: ParameterExpansionPart, spot: Spot): void {
  if (node.prefix === '!' || (node.index && !/^[@*\d]$/.test(node.index.text)))
    note(walk, spot, node, 'shell.dynamic-code')
  if (!node.operation) return
  if (node.operation.type === 'Slice')
    note(
      walk,
      spot,
      node,
      /^\$\{\w+:\s*-?\d+(:\d+)?\}$/.test(node.text) ? 'shell.not-posix' : 'shell.dynamic-code',
    )
  if (node.operation.type === 'Transform' || /['"\\]|[<>]\(/.test(node.text))
    note(walk, spot, node, 'shell.not-understood')
  if (node.operation.type === 'Default' && node.operation.operator.endsWith('='))
    add(walk, node.text, overrideFacts(node.parameter))
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
  // Two words in a row are no sum: `$((cat x))` is one for some shells, and a command in a command for others.
  const words = /[\w)]\s+[\w.~]*[A-Za-z.~]|[.;]/.test(text)
  if ((!understood && /[^\s$()]/.test(text)) || words) note(walk, spot, node, 'shell.not-understood')
  add(walk, textOf(spot, node), arithmeticFacts(text))
}
