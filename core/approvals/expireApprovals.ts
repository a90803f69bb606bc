import type { Deps } from '../deps.ts'
import { tellEvent } from '../events/tellEvent.ts'
import { now, transition } from '../events/transition.ts'
import { settleRun } from '../runs/settleRun.ts'
import type { Tx } from '../storage/sql.ts'

type Due = { id: string; run_id: string; expired: boolean }

/**
 * Ends approvals whose time is up, with their runs, and reminds once at half time. Called by the maintenance tick;
 * safe to run twice at once. Returns how many expired.
 */
export async function expireApprovalsOnce(
  deps: Pick<Deps, 'db' | 'bus' | 'wake' | 'settings'>,
): Promise<number> {
  const due = await deps.db.query<Due>(
    `SELECT id, run_id, expires_at <= clock_timestamp() AS expired FROM approval WHERE status = 'pending'
     AND (expires_at <= clock_timestamp() OR (reminded_at IS NULL AND clock_timestamp() > created_at + (expires_at - created_at) / 2)) LIMIT 100`,
  )
  for (const row of due) await (row.expired ? expire(deps, row) : remind(deps, row))
  return due.filter((row) => row.expired).length
}

async function expire(deps: Pick<Deps, 'db' | 'bus' | 'wake' | 'settings'>, row: Due): Promise<void> {
  await deps.db.tx(async (tx) => {
    await tx.query('SELECT 1 FROM run WHERE id = $1 FOR UPDATE', [row.run_id])
    const moved = await transition(tx, 'approval', {
      ids: [row.id],
      from: ['pending'],
      to: 'expired',
      set: { decided_at: now },
    })
    if (moved.length === 0) return
    const ended = await transition(tx, 'run', {
      ids: [row.run_id],
      from: ['awaiting_approval'],
      to: 'expired',
      set: { ended_at: now },
    })
    if (ended.length === 0) await endHeld(deps, tx, row)
  })
  deps.bus.publish('run.changed', { runId: row.run_id })
}

/** A step that was asked about while its run went on is left out, so that the run can end. */
async function endHeld(deps: Pick<Deps, 'bus' | 'wake' | 'settings'>, tx: Tx, row: Due): Promise<void> {
  const held = await tx.query<{ id: string }>("SELECT id FROM task WHERE run_id = $1 AND status = 'held'", [
    row.run_id,
  ])
  await transition(tx, 'task', {
    ids: held.map((task) => task.id),
    from: ['held'],
    to: 'cancelled',
    set: { ended_at: now },
    data: { why: 'nobody answered in time' },
  })
  await settleRun(deps, tx, row.run_id)
}

async function remind(deps: Pick<Deps, 'db' | 'bus'>, row: Due): Promise<void> {
  await deps.db.tx(async (tx) => {
    const first = await tx.query(
      "UPDATE approval SET reminded_at = clock_timestamp() WHERE id = $1 AND reminded_at IS NULL AND status = 'pending' RETURNING id",
      [row.id],
    )
    if (first.length > 0) await tellEvent(tx, 'approval.reminder', { runId: row.run_id, approvalId: row.id })
  })
  deps.bus.publish('run.changed', { runId: row.run_id })
}
