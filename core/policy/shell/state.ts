import type { CompoundList, Function as FunctionNode } from 'unbash'
import { HOLES } from './marks.ts'

/** What is known about a shell at one point of a script, without running it. */
export type ShellState = {
  /** Possible values by name. A name that is not there has a value from outside: unknown. */
  vars: Map<string, readonly string[]>
  /** The directories it may be in; none: unknown. */
  cwds: readonly string[]
  /** Functions the script defines, with the text their positions count in. */
  functions: Map<string, { body: FunctionNode['body'] | CompoundList; source: string }>
}

/** More alternatives than this are not followed: the value counts as unknown. */
export const maxAlternatives = 64
/** Values longer than this together (characters) are not followed either: `x=$x$x` doubles with every turn. */
const maxText = 16_384
const maxDirectories = 8

/** The state a script starts in. */
export function initialState(
  cwd: string | null,
  home: string,
  args: readonly string[] | null = null,
): ShellState {
  const vars = new Map<string, readonly string[]>([['HOME', [home]]])
  if (args) bindArguments(vars, args)
  return { vars, cwds: cwd === null ? [] : [cwd], functions: new Map() }
}

/** Sets `$1` and its like. */
export function bindArguments(vars: Map<string, readonly string[]>, args: readonly string[]): void {
  args.forEach((arg, i) => {
    vars.set(String(i + 1), [arg])
  })
  vars.set('@', [args.join('\u0004')])
  vars.set('*', [args.join('\u0004')])
}

/** A copy that a subshell may change. */
export function copyState(state: ShellState): ShellState {
  return { vars: new Map(state.vars), cwds: state.cwds, functions: new Map(state.functions) }
}

/** Makes `target` what is known when it is not known which of the two happened. */
export function joinInto(target: ShellState, other: ShellState): void {
  for (const name of new Set([...target.vars.keys(), ...other.vars.keys()])) {
    target.vars.set(name, unite(target.vars.get(name) ?? [HOLES], other.vars.get(name) ?? [HOLES]))
  }
  target.cwds = joinDirectories(target.cwds, other.cwds)
  for (const [name, body] of other.functions) target.functions.set(name, body)
}

/** Every value of both, or unknown when that is too many. */
export function unite(a: readonly string[], b: readonly string[]): readonly string[] {
  const all = [...new Set([...a, ...b])]
  return all.length > maxAlternatives || lengthOf(all) > maxText ? [HOLES] : all
}

/** Every text of `texts` followed by every one of `next`, or null when that is too many or too much. */
export function joinTexts(texts: readonly string[], next: readonly string[]): readonly string[] | null {
  if (texts.length * next.length > maxAlternatives) return null
  if (lengthOf(texts) * next.length + lengthOf(next) * texts.length > maxText) return null
  return texts.flatMap((text) => next.map((more) => text + more))
}

const lengthOf = (texts: readonly string[]): number => texts.reduce((sum, text) => sum + text.length, 0)

export function joinDirectories(a: readonly string[], b: readonly string[]): readonly string[] {
  if (a.length === 0 || b.length === 0) return []
  const all = [...new Set([...a, ...b])]
  return all.length > maxDirectories ? [] : all
}

/** Forgets everything that a piece of unknown shell code could have changed. Changing HOME is a fact of its own. */
export function forgetAll(state: ShellState): void {
  const home = state.vars.get('HOME')
  state.vars.clear()
  if (home) state.vars.set('HOME', home)
  state.cwds = []
}
