import { askAnew } from '../approvals/askAnew.ts'
import type { Deps } from '../deps.ts'
import { now, transition } from '../events/transition.ts'
import { tryAsked } from '../recovery/tryAsked.ts'
import { setLanes } from '../scheduling/lanes.ts'
import type { Tx } from '../storage/sql.ts'
import { settleRun } from './settleRun.ts'

/**
 * Tries the failed tasks of a failed run again (or one of them), under the same planHash: the entitled person's word
 * is the approval, where it could have been one (askAnew). What was skipped because of them is blocked again. Returns the keys that run again.
 */
export async function retryTask(
  deps: Pick<Deps, 'wake' | 'bus' | 'settings'>,
  tx: Tx,
  runId: string,
  taskId: string | null,
  personId: string,
): Promise<string[]> {
  await tx.query('SELECT 1 FROM run WHERE id = $1 FOR UPDATE', [runId])
  const failed = await tx.query<{ id: string; key: string }>(
    `SELECT t.id, t.key FROM task t JOIN plan p ON p.id = t.plan_id JOIN run r ON r.id = t.run_id AND (p.version = r.plan_version OR r.kind = 'api')
     WHERE t.run_id = $1 AND t.status IN ('failed', 'failed_timeout') AND ($2::uuid IS NULL OR t.id = $2) AND r.status = 'failed'
     AND NOT EXISTS (SELECT 1 FROM agent g WHERE g.id = t.agent_id AND g.revoked_at IS NOT NULL)`,
    [runId, taskId],
  )
  if (failed.length === 0) return []
  const data = { person_id: personId, why: 'retry' }
  await transition(tx, 'run', {
    ids: [runId],
    from: ['failed'],
    to: 'running',
    set: { ended_at: null, error: null, started_at: now, archived_at: null, pruned_at: null },
    data,
  })
  await setLanes(tx, runId) // it may have failed while it was paused
  const again = {
    ended_at: null,
    started_at: null,
    error: null,
    result: null,
    claim_token: null,
    standing_id: null,
  }
  await transition(tx, 'task', {
    ids: failed.map((t) => t.id),
    from: ['failed', 'failed_timeout'],
    to: 'queued',
    set: { ...again, queued_at: now, approved_at: now },
    data,
  })
  await askAnew(
    tx,
    deps.settings,
    failed.map((t) => t.id),
    personId,
  )
  await tryAsked(
    tx,
    failed.map((t) => t.id),
    personId,
  )
  const skipped = await tx.query<{ id: string }>(
    `WITH RECURSIVE after AS (
       SELECT task_id FROM task_dependency WHERE depends_on_id = ANY($1::uuid[])
       UNION SELECT d.task_id FROM task_dependency d JOIN after a ON d.depends_on_id = a.task_id)
     SELECT t.id FROM task t JOIN after a ON a.task_id = t.id WHERE t.status = 'skipped'`,
    [failed.map((t) => t.id)],
  )
  await transition(tx, 'task', {
    ids: skipped.map((t) => t.id),
    from: ['skipped'],
    to: 'blocked',
    set: { ended_at: null },
    data,
  })
  await settleRun(deps, tx, runId)
  tx.afterCommit(() => deps.wake('tasks.dispatch', {}))
  return failed.map((t) => t.key)
}
