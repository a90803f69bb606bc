/** What a row of the table of faults that runs by itself is given (tests/faults/main.ts). */
export type Row = {
  /** How many faults; none: as many as the row asks for. */
  count?: number
  seed: number
  tell(line: string): void
}
