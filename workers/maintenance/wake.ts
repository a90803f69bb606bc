import type { Deps } from '../../core/deps.ts'
import { anyClaimable } from '../../core/scheduling/anyClaimable.ts'

type Waiting = { claimable: boolean; cancels: boolean; planning: string[]; recovering: string[] }

/**
 * Asks again for whatever the ledger says is waiting: jobs are only wake-ups, and any of them may have been lost.
 * Work younger than a second is left to its own wake-up.
 */
export async function wakeOnce(deps: Pick<Deps, 'db' | 'wake'>): Promise<number> {
  const [row] = await deps.db.query<Waiting>(
    `SELECT
      ${anyClaimable("t.queued_at < clock_timestamp() - interval '0.5 s'")} AS claimable,
      EXISTS (SELECT 1 FROM attempt WHERE cancel_at < clock_timestamp() - interval '0.5 s' AND exited_at IS NULL AND status IN ('claimed', 'accepted', 'started')) AS cancels,
      coalesce((SELECT array_agg(id) FROM (SELECT id FROM run WHERE status = 'planning' AND created_at < clock_timestamp() - interval '0.5 s'
        AND (planning_until IS NULL OR planning_until < clock_timestamp()) LIMIT 50) x), '{}') AS planning,
      coalesce((SELECT array_agg(DISTINCT v.run_id) FROM recovery v JOIN run r ON r.id = v.run_id AND r.status = 'running'
        WHERE v.status = 'open' AND v.created_at < clock_timestamp() - interval '0.5 s' AND (v.taken_until IS NULL OR v.taken_until < clock_timestamp())), '{}') AS recovering`,
  )
  if (!row) return 0
  if (row.claimable) deps.wake('tasks.dispatch', {})
  if (row.cancels) deps.wake('attempts.cancel', {})
  for (const runId of row.planning) deps.wake('run.plan', { runId })
  for (const runId of row.recovering) deps.wake('run.recover', { runId })
  return Number(row.claimable) + Number(row.cancels) + row.planning.length + row.recovering.length
}

/** Runs with something to settle whose own wake-up was lost: all has ended, or all that a blocked task waits for. */
export async function wakeUnsettledOnce(deps: Pick<Deps, 'db' | 'wake'>): Promise<number> {
  const rows = await deps.db.query<{ id: string }>(
    `SELECT r.id FROM run r WHERE r.status IN ('running', 'paused', 'cancelling') AND (
       NOT EXISTS (SELECT 1 FROM recovery v WHERE v.run_id = r.id AND v.status = 'open')
       AND NOT EXISTS (SELECT 1 FROM task t WHERE t.run_id = r.id AND (t.ended_at IS NULL OR t.ended_at > clock_timestamp() - interval '1 s'))
       OR EXISTS (SELECT 1 FROM task t JOIN task_dependency d ON d.task_id = t.id JOIN task x ON x.id = d.depends_on_id
         WHERE t.run_id = r.id AND t.status = 'blocked' GROUP BY t.id HAVING bool_and(x.ended_at < clock_timestamp() - interval '1 s')))
     LIMIT 200`,
  )
  for (const { id } of rows) deps.wake('run.settle', { runId: id })
  return rows.length
}
