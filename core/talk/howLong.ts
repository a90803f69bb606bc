import type { RunView } from '../runs/viewRun.ts'
import type { Sql } from '../storage/sql.ts'

const MOST = 20

/** How long the last successes of the same work at the same place took, in milliseconds. */
export async function pastTimes(sql: Sql, run: Pick<RunView, 'id' | 'summary' | 'kind'>): Promise<number[]> {
  const rows = await sql.query<{ ms: number }>(
    `SELECT extract(epoch FROM p.ended_at - p.started_at)::float8 * 1000 AS ms FROM run r JOIN run p
       ON p.id <> r.id AND p.kind = r.kind AND p.status = 'succeeded' AND p.started_at IS NOT NULL AND p.ended_at IS NOT NULL
       AND coalesce(p.summary, p.request) = coalesce(r.summary, r.request)
       AND p.agent_id IS NOT DISTINCT FROM r.agent_id AND p.cwd IS NOT DISTINCT FROM r.cwd
     WHERE r.id = $1 AND p.number > r.number - 2000 ORDER BY p.number DESC LIMIT ${MOST}`,
    [run.id],
  )
  return rows.map((row) => row.ms)
}

export type Estimate =
  /** From `times` past runs of the same; 0 when it takes longer than it ever did. */
  | { from: 'past'; leftMs: number; usualMs: number; times: number }
  /** From how far it is: steps still to go at the pace of those that are done. */
  | { from: 'pace'; leftMs: number }
  | { from: 'nothing' }

/** How long a run that is under way still needs, as far as the past tells. Pure. */
export function estimate(
  run: Pick<RunView, 'startedAt' | 'tasks'>,
  past: readonly number[],
  now: Date,
): Estimate {
  if (!run.startedAt) return { from: 'nothing' }
  const spent = now.getTime() - run.startedAt.getTime()
  const usual = median(past)
  if (usual !== null)
    return { from: 'past', leftMs: Math.max(0, usual - spent), usualMs: usual, times: past.length }
  const done = run.tasks.filter((task) => task.status === 'succeeded').length
  if (done === 0 || run.tasks.length < 3) return { from: 'nothing' }
  return { from: 'pace', leftMs: Math.round((spent / done) * (run.tasks.length - done)) }
}

function median(values: readonly number[]): number | null {
  const sorted = [...values].sort((a, b) => a - b)
  const [low, high] = [sorted[Math.floor((sorted.length - 1) / 2)], sorted[Math.floor(sorted.length / 2)]]
  return low === undefined || high === undefined ? null : (low + high) / 2
}
