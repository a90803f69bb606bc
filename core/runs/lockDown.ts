import type { Actor } from '../people/actor.ts'
import { setLockdown } from '../people/lockdown.ts'
import type { Database } from '../storage/openDatabase.ts'
import type { Sql } from '../storage/sql.ts'
import { cancelRun } from './cancelRun.ts'
import type { SettleDeps } from './settleRun.ts'

/**
 * Locks down: nothing starts any more, and everything that runs or waits is cancelled. `inTx` lends a transaction: one
 * for all of it, or one each time; killed halfway in the latter case, it is locked all the same, and asked again it
 * cancels the rest. Says whether it was not locked before, and how many runs were cancelled, without looks of the planner.
 */
export async function lockDown(
  deps: SettleDeps,
  inTx: Database['tx'],
  by: Actor,
): Promise<{ changed: boolean; cancelled: number }> {
  const changed = await inTx((tx) => setLockdown(tx, true, by))
  const runs = await inTx(activeRuns)
  const personId = typeof by === 'string' ? by : null
  for (const { id } of runs) await inTx((tx) => cancelRun(deps, tx, id, personId))
  return { changed, cancelled: runs.filter(({ number }) => number > 0).length }
}

const activeRuns = (sql: Sql): Promise<{ id: string; number: number }[]> =>
  sql.query<{ id: string; number: number }>(
    "SELECT id, number FROM run WHERE status IN ('planning', 'awaiting_approval', 'running', 'paused') ORDER BY number",
  )
