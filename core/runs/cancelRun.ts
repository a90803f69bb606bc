import type { Deps } from '../deps.ts'
import type { RunStatus } from '../events/states.ts'
import { tellEvent } from '../events/tellEvent.ts'
import { now, transition } from '../events/transition.ts'
import { cancelRecoveries } from '../recovery/cancelRecoveries.ts'
import { setLanes } from '../scheduling/lanes.ts'
import type { Tx } from '../storage/sql.ts'
import { freeConfirmed } from '../tasks/freeConfirmed.ts'
import { type SettleDeps, settleRun } from './settleRun.ts'

export type Cancelled =
  | { kind: 'cancelled' }
  | { kind: 'cancelling' }
  | { kind: 'already'; status: RunStatus }
  | { kind: 'unknown' }

/**
 * Cancels a run for real, in the caller's transaction: what has not been handed out ends at once; what has is
 * asked to die, and the run is `cancelling` until its agents confirm that the process trees are gone. Asking twice
 * changes nothing.
 */
export async function cancelRun(
  deps: SettleDeps,
  tx: Tx,
  runId: string,
  personId: string | null,
): Promise<Cancelled> {
  const [run] = await tx.query<{ status: RunStatus }>('SELECT status FROM run WHERE id = $1 FOR UPDATE', [
    runId,
  ])
  if (!run) return { kind: 'unknown' }
  if (!['planning', 'awaiting_approval', 'running', 'paused'].includes(run.status))
    return { kind: 'already', status: run.status }
  const data = { person_id: personId }
  await tx.query('UPDATE run SET cancelled_by = $2, cancel_at = clock_timestamp() WHERE id = $1', [
    runId,
    personId,
  ])
  await tellEvent(tx, 'run.cancel_asked', { runId }, data)
  await supersedeApprovals(tx, runId)
  await cancelRecoveries(tx, runId)
  await doubtUnconfirmed(tx, runId)
  await endUnclaimed(tx, runId)
  tx.afterCommit(() => deps.bus.publish('run.changed', { runId }))
  if (run.status === 'planning' || run.status === 'awaiting_approval') {
    await transition(tx, 'run', {
      ids: [runId],
      from: ['planning', 'awaiting_approval'],
      to: 'cancelled',
      set: { ended_at: now },
      data,
    })
    return { kind: 'cancelled' }
  }
  await transition(tx, 'run', { ids: [runId], from: ['running', 'paused'], to: 'cancelling', data })
  await askAttempts(deps, tx, runId)
  await settleRun(deps, tx, runId)
  const [after] = await tx.query<{ status: RunStatus }>('SELECT status FROM run WHERE id = $1', [runId])
  return after?.status === 'cancelled' ? { kind: 'cancelled' } : { kind: 'cancelling' }
}

async function supersedeApprovals(tx: Tx, runId: string): Promise<void> {
  const rows = await tx.query<{ id: string }>(
    "SELECT id FROM approval WHERE run_id = $1 AND status = 'pending'",
    [runId],
  )
  await transition(tx, 'approval', {
    ids: rows.map((r) => r.id),
    from: ['pending'],
    to: 'superseded',
    set: { decided_at: now },
  })
}

/** What needs review because its machine is silent may still run: it is cancelled like running work, once that is confirmed. */
async function doubtUnconfirmed(tx: Tx, runId: string): Promise<void> {
  const rows = await tx.query<{ id: string }>(
    `SELECT t.id FROM task t JOIN attempt a ON a.task_id = t.id AND a.claim_token = t.claim_token
     WHERE t.run_id = $1 AND t.status = 'needs_review' AND a.exited_at IS NULL`,
    [runId],
  )
  await transition(tx, 'task', {
    ids: rows.map((r) => r.id),
    from: ['needs_review'],
    to: 'running',
    data: { why: 'it may still run' },
  })
}

async function endUnclaimed(tx: Tx, runId: string): Promise<void> {
  const rows = await tx.query<{ id: string }>(
    "SELECT id FROM task WHERE run_id = $1 AND status IN ('held', 'blocked', 'queued', 'needs_review')",
    [runId],
  )
  const ids = rows.map((r) => r.id)
  await transition(tx, 'task', {
    ids,
    from: ['held', 'blocked', 'queued', 'needs_review'],
    to: 'cancelled',
    set: { ended_at: now },
  })
  await freeConfirmed(tx, ids)
}

async function askAttempts(deps: Pick<Deps, 'wake'>, tx: Tx, runId: string): Promise<void> {
  const asked = await tx.query<{ id: string; task_id: string }>(
    `UPDATE attempt a SET cancel_at = clock_timestamp() FROM task t
     WHERE t.id = a.task_id AND t.run_id = $1 AND t.status IN ('claimed', 'running') AND a.claim_token = t.claim_token AND a.cancel_at IS NULL
     RETURNING a.id, a.task_id`,
    [runId],
  )
  for (const row of asked)
    await tellEvent(tx, 'attempt.cancel_asked', { runId, taskId: row.task_id, attemptId: row.id })
  if (asked.length > 0) tx.afterCommit(() => deps.wake('attempts.cancel', {}))
}

/**
 * Every change of a run locks its row before anything else: so no two wait for each other, and the order of their
 * transaction ids, by which events are read, is the order in which they happened.
 */
const lockRun = (tx: Tx, runId: string): Promise<object[]> =>
  tx.query('SELECT 1 FROM run WHERE id = $1 FOR UPDATE', [runId])

/** Pauses: what runs finishes, nothing new starts. False when the run is not running. */
export async function pauseRun(
  deps: Pick<Deps, 'bus'>,
  tx: Tx,
  runId: string,
  personId: string,
): Promise<boolean> {
  await lockRun(tx, runId)
  const moved = await transition(tx, 'run', {
    ids: [runId],
    from: ['running'],
    to: 'paused',
    data: { person_id: personId },
  })
  if (moved.length > 0) await setLanes(tx, runId)
  tx.afterCommit(() => deps.bus.publish('run.changed', { runId }))
  return moved.length > 0
}

/** Goes on with a paused run. False when it is not paused. */
export async function resumeRun(deps: SettleDeps, tx: Tx, runId: string, personId: string): Promise<boolean> {
  await lockRun(tx, runId)
  const moved = await transition(tx, 'run', {
    ids: [runId],
    from: ['paused'],
    to: 'running',
    data: { person_id: personId },
  })
  if (moved.length > 0) await setLanes(tx, runId)
  await settleRun(deps, tx, runId)
  tx.afterCommit(() => deps.wake('tasks.dispatch', {}))
  return moved.length > 0
}
