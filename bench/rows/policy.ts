import { judge } from '../../core/policy/judge.ts'
import { exampleContext, loadPolicy } from '../../core/policy/loadPolicy.ts'
import { type Class, dangerous, harmless } from '../../tests/security/corpus.ts'
import { scaled } from '../compare.ts'
import { percentile } from '../figures.ts'

/** How often each command is judged, after three times that are not counted. */
const ROUNDS = scaled(50)
const AIM_P99 = 2

/** Milliseconds of one judgement: of everyday commands, of dangerous ones, and of the longest text that is read. */
export async function policyRow(): Promise<string[]> {
  const policy = await loadPolicy(null)
  const timesOf = (commands: readonly string[], rounds: number): number[] => {
    const times: number[] = []
    for (let round = -3; round < rounds; round++)
      for (const command of commands) {
        const begun = performance.now()
        judge({ action: 'shell', params: { command } }, exampleContext, policy)
        if (round >= 0) times.push(performance.now() - begun)
      }
    return times
  }
  const all = (classes: readonly Class[]): string[] => classes.flatMap(({ commands }) => commands)
  const everyday = timesOf(all(harmless), ROUNDS)
  const long = [`ls ${'src/a.ts '.repeat(1700)}`, 'git status; '.repeat(1300)]
  const met = percentile(everyday, 99) <= AIM_P99 ? 'met' : 'MISSED'
  return [
    `${line('everyday commands', everyday)}  aim p99 ${AIM_P99} ms  ${met}`,
    line('dangerous commands', timesOf(all(dangerous), Math.ceil(ROUNDS / 10))),
    line('texts of 15,000 characters', timesOf(long, ROUNDS)),
  ]
}

const line = (name: string, times: readonly number[]): string =>
  `${name.padEnd(28)} p50 ${shown(percentile(times, 50))}  p99 ${shown(percentile(times, 99))}  (n=${times.length})`

const shown = (value: number): string => `${value.toFixed(3).padStart(8)} ms`
