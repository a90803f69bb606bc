import type { Place } from './paths/classifyPath.ts'
import type { ShellState } from './shell/state.ts'
import type { PolicyContext } from './verdict.ts'

/**
 * One thing a command does, as seen in its text. Facts say what is done; the rules of the policy say what is thought
 * of it. A fact whose effect starts with `floor.` is denied whatever the policy says.
 */
export type Fact = {
  /** Such as `fs.read`, `git.push`, `shell.unknown-program`; the list stands in effects.ts. */
  effect: string
  /** The program, without its directory; empty for what the shell itself does (redirections, assignments). */
  program?: string
  subcommand?: string
  /** Options as written, without values. */
  options?: readonly string[]
  place?: Place
  /** The name of what is written is known only when it runs; it stays in its place. */
  unnamed?: boolean
  /** Whether it may reach the network. */
  network?: boolean
}

/** The facts of one simple command, with its text. */
export type Finding = { text: string; facts: readonly Fact[] }

/** What comes in on standard input. */
export type Stdin = {
  /** Piped or redirected; otherwise it is the task's own, which is empty. */
  given: boolean
  /** Its text, when that is plain to see. */
  text: string | null
  /** It comes from the network, or was decoded on the way. */
  network: boolean
  decoded: boolean
}

export const noStdin: Stdin = { given: false, text: null, network: false, decoded: false }

/** A simple command after expansion, with all that is needed to say what it does. */
export type Invocation = {
  /** The words, with marks for what is not literal (see shell/marks.ts). Never empty. */
  argv: readonly string[]
  state: ShellState
  stdin: Stdin
  context: PolicyContext
  /** Counts down over the whole judgement, so that nested wrappers come to an end. */
  budget: { left: number }
  /** How many wrappers were looked through. */
  depth: number
  /** Judges a piece of shell text that this command runs; its findings are added to the walk's. */
  runText: (text: string, options: RunText) => readonly Fact[]
}

type RunText = {
  /** In the same shell (eval) or in one of its own (sh -c). */
  sameShell?: boolean
  /** `bash` reads what `sh` does not. */
  shell?: 'sh' | 'bash'
  /** Only answers the facts; adds no finding. */
  quiet?: boolean
  /** Words for `$0`, `$1` and on. */
  words?: readonly string[]
}
