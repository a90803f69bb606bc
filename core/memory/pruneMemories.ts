import type { Deps } from '../deps.ts'
import type { Sql } from '../storage/sql.ts'

/** When there are too many, so many more go that it is not done again for each new one. */
const ROOM = 0.02
/** Rows deleted by one statement. */
const STEP = 1000
/** What a memory said before it was corrected is kept for so long. */
const UNDO = "interval '1 hour'"

/** As `importance`, without a question: what people said or corrected themselves goes last. */
const worth = `(CASE WHEN m.kind IN ('fact', 'preference') OR m.corrected_at IS NOT NULL THEN 1 ELSE 0 END
  + 0.25 * 0.5 ^ (greatest(0, extract(epoch FROM clock_timestamp() - m.last_at)) / 604800.0)
  + 0.3 * (CASE WHEN m.succeeded = false THEN 0.3 ELSE 1 END) + 0.1 * least(1, m.times / 10.0))`

/**
 * Keeps memories to their number, the least important go; and forgets for good what only waited for an undo. Returns how
 * many memories it deleted.
 */
export async function pruneMemoriesOnce({ db, memory }: Pick<Deps, 'db' | 'memory'>): Promise<number> {
  if (!memory) return 0
  await db.query(
    `UPDATE memory SET before = NULL WHERE before IS NOT NULL AND corrected_at < clock_timestamp() - ${UNDO}`,
  )
  const deleted = await deleteBeyond(db, memory.max)
  await wipe(db)
  return deleted
}

async function deleteBeyond(db: Sql, max: number): Promise<number> {
  const [row] = await db.query<{ count: number }>('SELECT count(*)::int AS count FROM memory')
  const count = row?.count ?? 0
  if (count <= max) return 0
  const target = Math.floor(max * (1 - ROOM))
  for (let left = count - target; left > 0; left -= STEP)
    await db.query(
      `DELETE FROM memory WHERE id IN (SELECT m.id FROM memory m ORDER BY ${worth}, m.id LIMIT $1)`,
      [Math.min(left, STEP)],
    )
  return count - target
}

/** Tables and indexes that memories lie in. */
const tables = ['memory', 'memory_source', 'memory_word', 'memory_embedding']

/** A deleted row lies in its table, and its words in their index, until they are vacuumed: what was forgotten does not. */
async function wipe(db: Sql): Promise<void> {
  const due = await db.query<{ name: string }>(
    `SELECT s.relname AS name FROM pg_stat_user_tables s WHERE s.relname = ANY($1) AND s.schemaname = current_schema()
     AND (SELECT max(at) FROM memory_forgotten) > coalesce(greatest(s.last_vacuum, s.last_autovacuum), '-infinity')`,
    [tables],
  )
  for (const { name } of due) await db.query(`VACUUM ${name}`)
}
