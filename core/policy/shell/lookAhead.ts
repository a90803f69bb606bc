import { type Assignment, type Command, forEachChild, type SyntaxNode } from 'unbash'
import { changesState } from './applyBuiltin.ts'
import { HOLES, NAME } from './marks.ts'
import { forgetAll, type ShellState, unite } from './state.ts'

/** A function that starts itself in a pipeline or in the background. */
export function callsItself(body: SyntaxNode, name: string): boolean {
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

/** Before a loop: what its body may change, an earlier turn may have changed. */
export function forgetChanged(node: SyntaxNode, state: ShellState): void {
  if (node.type === 'Assignment') {
    const old = state.vars.get(node.name) ?? [HOLES]
    state.vars.set(node.name, isCounted(node) ? unite(old, [NAME]) : [HOLES])
  }
  if (node.type === 'For' || node.type === 'Select') state.vars.set(node.name.value, [HOLES])
  if (node.type === 'ParameterExpansion' && node.operation?.type === 'Default')
    state.vars.set(node.parameter, [HOLES])
  if (node.type === 'Command' && changesShell(node, state)) forgetAll(state)
  forEachChild(node, (child) => forgetChanged(child, state))
}

/** `i=$((i+1))` and `i=0`: a number, whatever it is. */
const isCounted = (node: Assignment): boolean =>
  !node.append && /^\w+=(\d+|\$\(\([^()$`"'\\]*\)\))$/.test(node.text)

function changesShell(node: Command, state: ShellState): boolean {
  if (!node.name) return false
  const { value, text } = node.name
  if (value === 'printf') return node.args.some((arg) => !/^[\w%]/.test(arg.text))
  return changesState(value) || state.functions.has(value) || /[$`]/.test(text)
}
