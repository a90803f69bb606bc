import type { Deps } from '../../core/deps.ts'

/** Rows deleted at a time, so that no statement holds the tables long. */
const STEP = 1000

const old = [
  `DELETE FROM telegram_update WHERE update_id IN (SELECT update_id FROM telegram_update WHERE handled_at < now() - interval '7 days' LIMIT ${STEP}) RETURNING 1`,
  `DELETE FROM delivery WHERE id IN (SELECT id FROM delivery WHERE status IN ('sent', 'failed') AND created_at < now() - interval '14 days' LIMIT ${STEP}) RETURNING 1`,
  `DELETE FROM button WHERE id IN (SELECT id FROM button WHERE created_at < now() - interval '60 days' LIMIT ${STEP}) RETURNING 1`,
  `DELETE FROM one_time_code WHERE expires_at < now() - interval '7 days' RETURNING 1`,
]

/** Deletes what nobody needs any more (handled updates, sent messages, old buttons), in small steps. */
export async function pruneOnce(deps: Pick<Deps, 'db'>): Promise<number> {
  let pruned = 0
  for (const statement of old) pruned += (await deps.db.query(statement)).length
  return pruned
}
