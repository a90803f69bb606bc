import { setTimeout as sleep } from 'node:timers/promises'
import { dropLog } from '../../core/archive/archiveRun.ts'
import { runsToDrop } from '../../core/archive/dueRuns.ts'
import type { Deps } from '../../core/deps.ts'
import { closeLostCalls } from '../../core/llm/callLedger.ts'

/** Rows looked at and deleted at a time, so that no statement holds the tables long; and statements in one pass. */
const STEP = 1000
const STEPS = 50
const PAUSE_MS = 10

/** Each takes the oldest rows by an index and deletes those of them that nobody needs any more. */
const old = [
  `DELETE FROM telegram_update WHERE update_id IN (SELECT update_id FROM (
     SELECT update_id, handled_at FROM telegram_update ORDER BY update_id LIMIT ${STEP}) x WHERE handled_at < now() - interval '7 days') RETURNING 1`,
  ...['sent', 'failed'].map(
    (status) => `DELETE FROM delivery WHERE id IN (SELECT id FROM (
     SELECT id, created_at FROM delivery WHERE status = '${status}' ORDER BY id LIMIT ${STEP}) x WHERE created_at < now() - interval '14 days') RETURNING 1`,
  ),
  `DELETE FROM button WHERE id IN (SELECT id FROM button WHERE created_at < now() - interval '60 days' ORDER BY created_at LIMIT ${STEP}) RETURNING 1`,
  `DELETE FROM model_call WHERE id IN (SELECT id FROM model_call WHERE at < now() - interval '400 days' ORDER BY at LIMIT ${STEP}) RETURNING 1`,
  `DELETE FROM one_time_code WHERE expires_at < now() - interval '7 days' RETURNING 1`,
]

/**
 * Deletes what nobody needs any more (handled updates, sent messages, old buttons, calls to models of over a year ago,
 * logs past their time), in small steps; closes calls to models whose process died. Returns how many rows and logs.
 */
export async function pruneOnce(deps: Pick<Deps, 'db' | 'settings'>): Promise<number> {
  let pruned = await closeLostCalls(deps.db)
  for (const statement of old) pruned += await inSteps(() => deps.db.query(statement))
  const runs = await runsToDrop(deps.db, deps.settings.retention)
  for (const run of runs) await dropLog(deps, run)
  return pruned + runs.length
}

async function inSteps(step: () => Promise<object[]>): Promise<number> {
  let deleted = 0
  for (let n = 0; n < STEPS; n++) {
    const rows = await step()
    deleted += rows.length
    if (rows.length < STEP) break
    await sleep(PAUSE_MS)
  }
  return deleted
}
