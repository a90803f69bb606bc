import { atOnce, now, transition } from '../events/transition.ts'
import { beside, type Sql } from '../storage/sql.ts'

/** Dependents of tasks that will not succeed are skipped, and theirs in turn. Returns how many. */
export async function skipOrphans(tx: Sql, runId: string): Promise<number> {
  for (let skipped = 0; ; ) {
    const rows = await tx.query<{ id: string }>(
      `SELECT t.id FROM task t WHERE t.run_id = $1 AND ${beside("t.status IN ('held', 'blocked')")} AND EXISTS (
         SELECT 1 FROM task_dependency d JOIN task x ON x.id = d.depends_on_id
         WHERE d.task_id = t.id AND x.status IN ('failed', 'failed_timeout', 'skipped', 'cancelled', 'force_cancelled')
         AND NOT EXISTS (SELECT 1 FROM recovery o WHERE o.task_id = x.id AND o.status = 'open'))`,
      [runId],
    )
    if (rows.length === 0) return skipped
    skipped += rows.length
    await transition(tx, 'task', {
      ids: rows.map((r) => r.id),
      from: ['held', 'blocked'],
      to: 'skipped',
      set: { ended_at: now },
      data: { why: 'a step before it did not succeed' },
    })
  }
}

/** A task of which nothing that it depends on is still to come. */
const isUnblocked = `NOT EXISTS (SELECT 1 FROM task_dependency d JOIN task x ON x.id = d.depends_on_id
  WHERE d.task_id = task.id AND x.status <> 'succeeded')`

/** Blocked tasks whose dependencies have all succeeded become claimable. Returns how many. */
export async function queueUnblocked(tx: Sql, runId: string): Promise<number> {
  const rows = await tx.query<{ id: string }>(
    `SELECT id FROM task WHERE run_id = $1 AND ${beside("status = 'blocked'")} AND ${isUnblocked}`,
    [runId],
  )
  return queueThose(
    tx,
    rows.map((row) => row.id),
  )
}

/** Those of these tasks that are blocked by nothing become claimable. Returns how many. */
async function queueThose(tx: Sql, ids: readonly string[]): Promise<number> {
  const moved = await transition(tx, 'task', {
    ids,
    from: ['blocked'],
    to: 'queued',
    set: { queued_at: atOnce },
    where: { sql: isUnblocked, values: [] },
  })
  return moved.length
}
