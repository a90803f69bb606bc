/** What is done with a file that a command names. */
export type Use =
  | 'text'
  | 'read'
  | 'list'
  | 'write'
  | 'create'
  | 'append'
  | 'delete'
  | 'delete-tree'
  | 'mode'
  | 'mode-tree'
  | 'source'
  | 'run'

/**
 * What a program does, as data. Lists of names are written in one string, separated by blanks. Everything left out
 * means "nothing": no value options, operands that are only text.
 */
export type Program = {
  /** The effect of the command as a whole; `info` when left out. */
  effect?: string
  /** What operands are; `first` and `last` where these differ. */
  operands?: Use
  first?: Use
  last?: Use
  /** With one of these options, the first operand is like the others (`grep -e x file`). */
  firstUnless?: string
  /**
   * Options without a value that change nothing that matters: `-abc` for single letters, `-#` for numbers (`-5`),
   * long names with `=value` or without. An option that no list has is unknown, and a program that looks then asks.
   */
  plain?: string
  /** Options that take a value, in the same word or the next. Since it may be a file elsewhere, it is judged as one. */
  takes?: string
  /** Options whose value is text in every version of the program, such as a pattern. */
  texts?: string
  /** Options whose value, if any, stands in the same word (`-w80`). */
  maybe?: string
  /** Options whose value is a file. */
  files?: Record<string, Use>
  /** Options that have an effect of their own. */
  flags?: Record<string, string>
  /** The effect without any operand, where that differs. */
  bare?: string
  /** Subcommands; the first operand names one. */
  subcommands?: Record<string, Program>
  /** The effect of a subcommand that is not listed; `shell.unknown-program` when left out. */
  other?: string
  /** Its arguments never matter, whatever they expand to. */
  free?: boolean
  /** It may reach the network. */
  network?: boolean
  /** Options are words with one dash, such as `-name`. */
  longDash?: boolean
  /** Commands and the verdicts they must get, under roots /work; a test checks each. */
  examples?: { allow?: readonly string[]; ask?: readonly string[]; deny?: readonly string[] }
}

export type ProgramTable = Readonly<Record<string, Program>>

/** Spreads a table with several names per key into one entry per name. */
export function spreadNames(table: ProgramTable): Map<string, Program> {
  return new Map(
    Object.entries(table).flatMap(([names, program]) =>
      names.split(' ').map((name) => [name, program] as const),
    ),
  )
}
