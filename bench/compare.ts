import { readFileSync } from 'node:fs'
import { median } from './figures.ts'

/** One side of a comparison: does the work of a round, checks that all of it was done, and returns its figure. */
export type Contestant = { name: string; round(n: number): Promise<number> }

/** What each contestant reached in the rounds that count. */
export type Figures = ReadonlyMap<string, readonly number[]>

/** Shrinks the work of every round, to try a benchmark out: BENCH_SCALE=0.1. */
export const scaled = (count: number): number =>
  Math.max(1, Math.round(count * Number(process.env.BENCH_SCALE ?? 1)))

const ROUNDS = Number(process.env.BENCH_ROUNDS ?? 5)

/** Everybody in turn, round after round; the first round warms up and does not count. */
export async function compare(contestants: readonly Contestant[], rounds = ROUNDS): Promise<Figures> {
  const figures = new Map(contestants.map(({ name }): [string, number[]] => [name, []]))
  for (let n = 0; n <= rounds; n++) {
    for (const { name, round } of contestants) {
      const figure = await round(n)
      if (process.env.BENCH_VERBOSE) console.error(n, name, figure.toFixed(2), loadNow())
      if (n > 0) figures.get(name)?.push(figure)
    }
  }
  return figures
}

/** The machine's load of the last minute: what else ran while this was measured. */
export const loadNow = (): string => readFileSync('/proc/loadavg', 'utf8').split(' ')[0] ?? '?'

export const of = (figures: Figures, name: string): number => median(figures.get(name) ?? [])

/** A line for each contestant: median and range. */
export function lines(figures: Figures, unit: string, digits = 0): string[] {
  const width = Math.max(...[...figures.keys()].map((name) => name.length))
  return [...figures].map(([name, values]) => {
    const [low, high] = [Math.min(...values), Math.max(...values)]
    return `${name.padEnd(width)}  ${median(values).toFixed(digits).padStart(7)}${unit}  (${low.toFixed(digits)} to ${high.toFixed(digits)})`
  })
}

/** A ratio of medians against what it should be at least. */
export function atLeast(figures: Figures, one: string, other: string, aim: number): string {
  const ratio = of(figures, one) / of(figures, other)
  return `${one} / ${other}: ${ratio.toFixed(2)}  aim ${aim} or better  ${ratio >= aim ? 'met' : 'MISSED'}`
}

/** A ratio of medians against what it should be at most. */
export function atMost(figures: Figures, one: string, other: string, aim: number): string {
  const ratio = of(figures, one) / of(figures, other)
  return `${one} / ${other}: ${ratio.toFixed(2)}  aim ${aim} or less  ${ratio <= aim ? 'met' : 'MISSED'}`
}

/** Throws when what was done is not exactly what was asked. */
export function exactly(what: string, got: number | undefined, wanted: number): void {
  if (got !== wanted) throw new Error(`${what}: ${got} instead of ${wanted}`)
}

/** Runs `work` on `count` items, `width` at a time. Returns items a second. */
export async function rateOf(
  count: number,
  width: number,
  work: (item: number, lane: number) => Promise<unknown>,
): Promise<number> {
  let next = 0
  const began = performance.now()
  const lane = async (_: unknown, n: number): Promise<void> => {
    while (next < count) await work(next++, n)
  }
  await Promise.all(Array.from({ length: width }, lane))
  return count / ((performance.now() - began) / 1000)
}
