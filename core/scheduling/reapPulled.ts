import type { Deps } from '../deps.ts'
import { now, transition } from '../events/transition.ts'
import { lockReported } from '../runs/lockAttempts.ts'
import { recordPulled } from '../runs/recordFrames.ts'
import { settleRun } from '../runs/settleRun.ts'
import type { Tx } from '../storage/sql.ts'
import { freeFiles } from './claimTasks.ts'

type ReapDeps = Pick<Deps, 'db' | 'bus' | 'wake' | 'redact' | 'settings'>
type Lapsed = { id: string; agent_id: string; task_id: string; run_id: string }

const BATCH = 200

/**
 * Pulled tasks whose holder has not been heard of for a lease: before the start they are queued again under a new
 * token, or have failed after `max_attempts`; after it, that counts as loss. Safe to run twice at once. Returns how
 * many there were.
 */
export async function reapPulledOnce(deps: ReapDeps): Promise<number> {
  const rows = await deps.db.query<Lapsed>(
    `SELECT a.id, a.agent_id, t.id AS task_id, t.run_id FROM task t JOIN attempt a ON a.task_id = t.id AND a.claim_token = t.claim_token
     WHERE t.dispatch = 'pull' AND t.status IN ('claimed', 'running', 'force_cancelled') AND a.status IN ('claimed', 'started')
     AND t.lease_until < clock_timestamp() LIMIT ${BATCH}`,
  )
  for (const row of rows) await deps.db.tx((tx) => reap(deps, tx, row))
  return rows.length
}

async function reap(deps: ReapDeps, tx: Tx, row: Lapsed): Promise<void> {
  const [held] = await lockReported(tx, row.agent_id, [row.id], [row.id])
  const [still] = await tx.query('SELECT 1 FROM task WHERE id = $1 AND lease_until < clock_timestamp()', [
    row.task_id,
  ])
  if (!still || !held?.holds) return
  if (held.status === 'started') {
    await tx.query('UPDATE task SET lease_until = NULL WHERE id = $1', [row.task_id])
    // Somebody wants it stopped and nobody answers: that it has ended is not known.
    if (!held.cancel_at) await recordPulled(deps, tx, [{ held, frames: [{ type: 'lost' }] }])
  } else if (held.status === 'claimed') await giveBack(deps, tx, row, held)
}

const why = { code: 'lapsed', message: 'Its agent did not begin in time.' }

async function giveBack(
  deps: ReapDeps,
  tx: Tx,
  row: Lapsed,
  held: { attempts_made: number; max_attempts: number; cancel_at: Date | null },
): Promise<void> {
  await transition(tx, 'attempt', {
    ids: [row.id],
    from: ['claimed'],
    to: 'released',
    set: { exited_at: now },
    data: why,
  })
  await freeFiles(tx, [row.task_id])
  const ended = { lease_until: null, ended_at: now, error: why }
  const move = { ids: [row.task_id], data: why }
  if (held.cancel_at)
    await transition(tx, 'task', {
      ...move,
      from: ['claimed', 'force_cancelled'],
      to: 'cancelled',
      set: ended,
    })
  else if (held.attempts_made >= held.max_attempts)
    await transition(tx, 'task', { ...move, from: ['claimed'], to: 'failed_timeout', set: ended })
  else
    await transition(tx, 'task', {
      ...move,
      from: ['claimed'],
      to: 'queued',
      set: { claim_token: null, lease_until: null },
    })
  await settleRun(deps, tx, row.run_id)
}
