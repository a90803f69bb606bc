import { setTimeout as sleep } from 'node:timers/promises'
import type { Deps } from '../../core/deps.ts'
import { readByAll } from '../../core/events/readEvents.ts'
import type { Sql } from '../../core/storage/sql.ts'

/** A look serves plans for a minute; for a day one can see what a plan was made with. */
const KEPT = "interval '1 day'"
/** Looks in one pass. */
const PASS = 500
/** The ledger's other writers come first. */
const PAUSE_MS = 10

/** Everything of one look, children first. Of people it has nothing: no approval, no card, no memory. */
const parts = [
  'DELETE FROM log_chunk WHERE attempt_id IN (SELECT a.id FROM attempt a JOIN task t ON t.id = a.task_id WHERE t.run_id = $1)',
  'DELETE FROM attempt WHERE task_id IN (SELECT id FROM task WHERE run_id = $1)',
  'DELETE FROM task WHERE run_id = $1',
  'DELETE FROM milestone WHERE plan_id IN (SELECT id FROM plan WHERE run_id = $1)',
  'DELETE FROM plan WHERE run_id = $1',
  'DELETE FROM event WHERE run_id = $1',
  'DELETE FROM run WHERE id = $1',
]

/**
 * Deletes looks of the planner that ended over a day ago, each whole and in one transaction: rows, log and events, so
 * that the events that are left still tell every state. One that a reader of events has not read stays, and so does one
 * of which an agent may still tell. Returns how many it deleted.
 */
export async function pruneLooksOnce({ db }: Pick<Deps, 'db'>): Promise<number> {
  const looks = await db.query<{ id: string }>(
    `SELECT r.id FROM run r WHERE r.number < 0 AND r.ended_at < clock_timestamp() - ${KEPT}
     AND NOT EXISTS (SELECT 1 FROM task t JOIN attempt a ON a.task_id = t.id
       WHERE t.run_id = r.id AND a.exited_at IS NULL AND a.status NOT IN ('refused', 'released', 'lost'))
     AND NOT EXISTS (SELECT 1 FROM event e WHERE e.run_id = r.id AND NOT ${readByAll}) ORDER BY r.number DESC LIMIT ${PASS}`,
  )
  for (const { id } of looks) {
    await db.tx((tx) => deleteLook(tx, id))
    await sleep(PAUSE_MS)
  }
  return looks.length
}

/** Locked in the order of all writers: run, then attempts. */
async function deleteLook(tx: Sql, id: string): Promise<void> {
  await tx.query('SELECT 1 FROM run WHERE id = $1 FOR UPDATE', [id])
  await tx.query(
    'SELECT 1 FROM attempt WHERE task_id IN (SELECT id FROM task WHERE run_id = $1) ORDER BY id FOR UPDATE',
    [id],
  )
  for (const part of parts) await tx.query(part, [id])
}
