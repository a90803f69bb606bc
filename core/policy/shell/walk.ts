import type { Command, CompoundCommand, CompoundList, ParsedScript, Redirected } from 'unbash'
import type { Fact, Finding, Invocation, Stdin } from '../facts.ts'
import type { PolicyContext } from '../verdict.ts'
import type { ShellState } from './state.ts'

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
  steps: Steps
}

/** The steps of a walk that call each other in a circle: words hold scripts, and scripts words. */
export type Steps = {
  script: (walk: Walk, script: ParsedScript, source: string, state: ShellState) => void
  body: (walk: Walk, body: CompoundCommand | CompoundList | Redirected, spot: Spot, state: ShellState) => void
  /** Answers the command's output, where that is plain to see. */
  command: (walk: Walk, node: Command, spot: Spot, state: ShellState) => string | null
}

/** Where a node stands: the text its positions count in, what comes in from the left, whether `time` is before it. */
export type Spot = { source: string; stdin: Stdin; timed?: boolean }

type Position = { pos: number; end: number }

/** Adds a finding, unless there is nothing to say. */
export function add(walk: Walk, text: string, facts: readonly Fact[]): void {
  if (facts.length > 0) walk.findings.push({ text, facts })
}

/** Adds a finding of one effect for a node. What only bash understands is fine in bash. */
export function note(walk: Walk, spot: Spot, node: Position, effect: string): void {
  if (effect === 'shell.not-posix' && walk.shell === 'bash') return
  add(walk, textOf(spot, node), [{ effect }])
}

/** The text of a node as it was written. */
export function textOf(spot: Spot, node: Position): string {
  return spot.source.slice(node.pos, node.end).trim()
}
