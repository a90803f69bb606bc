import { figures as judged, type Verdict } from './judge.ts'
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
    ...thoughts(outcome),
    counted(verdict),
    ...(died.length > 0 ? [`ended by themselves: ${died.join(', ')}`] : []),
    ...recoveries(samples),
    ...outcome.missing.map((line) => `not injected: ${line}`),
    ...wrong(outcome),
  ]
}

function hitPoints({ points, options: { only } }: Outcome): string[] {
  if (only.length > 0 && !only.includes('points')) return []
  const hits = [...points.hits.values()].reduce((a, b) => a + b, 0)
  const missed = points.missed.length > 0 ? [`  not hit: ${points.missed.join(', ')}`] : []
  return [`failpoints: ${points.hits.size} of ${points.all.length} hit, ${hits} times`, ...missed]
}

const counted = (verdict: Verdict): string =>
  Object.entries(judged)
    .map(([name, words]) => `${words} ${verdict[name as keyof Verdict].length}`)
    .join(', ')

/** What models, recovery and memory did. */
function thoughts({ thoughts: { plans, ways, hopeless, bad }, figures: { mind } }: Outcome): string[] {
  return [
    `language model: asked for ${plans} plans (${mind.planned} runs planned by it) and ${ways + hopeless} other ways, ${bad} answers bad, ${mind.lostCalls} calls without an end`,
    `recovery: ${listed(Object.entries(mind.steps))}`,
    `memory: ${mind.memories} memories of ${mind.sources} sources`,
  ]
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
