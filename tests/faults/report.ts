import { failpoints } from './failpoints.ts'
import { percentile, type Sample } from './recovery.ts'
import type { Outcome } from './runFaults.ts'

/** Recovery within this, for 99 of a hundred. */
const RECOVERY_MS = 15_000

const recoveryOf = ({ samples }: Outcome): number =>
  percentile(
    samples.map(({ ms }) => ms),
    99,
  )

/** Whether any figure is not what it must be. */
export const isBroken = (outcome: Outcome): boolean =>
  Object.values(outcome.verdict).some((lines) => lines.length > 0) ||
  outcome.died.length > 0 ||
  recoveryOf(outcome) > RECOVERY_MS

/** The account of a run, as lines. */
export function report(outcome: Outcome): string[] {
  const { figures, verdict, faults, samples, died } = outcome
  return [
    '',
    `tasks ${figures.tasks}, attempts ${figures.attempts}, started ${figures.started}, decided by a person ${outcome.reviews}`,
    `ended as: ${listed(Object.entries(figures.statuses))}`,
    'faults:',
    ...[...faults].map(([name, count]) => `  ${String(count).padStart(5)}  ${name}`),
    ...hitPoints(outcome),
    `lost ${verdict.lost.length}, twice ${verdict.twice.length}, repeated ${verdict.repeated.length}, stuck ${verdict.stuck.length}, overlapping ${verdict.overlapping.length}, early ${verdict.early.length}, alive after the end ${verdict.alive.length}, replay differs ${verdict.replay.length}`,
    ...(died.length > 0 ? [`ended by themselves: ${died.join(', ')}`] : []),
    ...recoveries(samples),
    ...outcome.missing.map((line) => `not injected: ${line}`),
    ...wrong(outcome),
  ]
}

function hitPoints({ points, options: { only } }: Outcome): string[] {
  if (only.length > 0 && !only.includes('points')) return []
  const all = Object.values(failpoints).flat().length
  const hits = [...points.hits.values()].reduce((a, b) => a + b, 0)
  const missed = points.missed.length > 0 ? [`  not hit: ${points.missed.join(', ')}`] : []
  return [`failpoints: ${points.hits.size} of ${all} hit, ${hits} times`, ...missed]
}

const listed = (entries: [string, number][]): string =>
  entries.map(([name, count]) => `${name} ${count}`).join(', ')

function recoveries(samples: readonly Sample[]): string[] {
  const line = (name: string, of: readonly Sample[]): string => {
    const times = of.map(({ ms }) => ms)
    const [p50, p99, most] = [percentile(times, 50), percentile(times, 99), Math.max(...times)]
    return `${name}: p50 ${seconds(p50)}, p99 ${seconds(p99)}, most ${seconds(most)} (${times.length})`
  }
  if (samples.length === 0) return ['recovery: nothing was affected']
  const kinds = [...Map.groupBy(samples, ({ fault }) => fault)]
  return [line('recovery', samples), ...kinds.map(([name, of]) => `  ${line(name, of)}`)]
}

const seconds = (ms: number): string => `${(ms / 1000).toFixed(2)} s`

function wrong(outcome: Outcome): string[] {
  if (!isBroken(outcome)) return []
  const lines = Object.entries(outcome.verdict).flatMap(([name, found]) =>
    found.slice(0, 20).map((line) => `${name.toUpperCase()}: ${line}`),
  )
  return ['', ...lines, ...outcome.history, `its data: ${outcome.dir}`]
}
