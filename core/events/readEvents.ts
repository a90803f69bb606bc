import type { Sql } from '../storage/sql.ts'

export type LedgerEvent = {
  cursor: string
  seq: number
  type: string
  run_id: string | null
  task_id: string | null
  attempt_id: string | null
  approval_id: string | null
  agent_id: string | null
  data: Record<string, unknown>
  at: Date
}

const CursorForm = /^\d{1,20}\.\d{1,19}$/

/** The cursor before the first event. */
export const OLDEST = '0.0'

export class CursorError extends Error {
  override name = 'CursorError'
}

/**
 * The events after `after` (an opaque cursor of an earlier event, or OLDEST), at most `limit`, in the order of
 * (xid, seq) and only below the oldest transaction still open, so that none is ever skipped (invariant 12).
 * Throws CursorError for a cursor that this function did not give out.
 */
export async function readEvents(sql: Sql, after: string, limit: number): Promise<LedgerEvent[]> {
  if (!CursorForm.test(after))
    throw new CursorError(
      `"${after.slice(0, 40)}" is not a cursor; take one from an event, or none to start at the oldest`,
    )
  const [xid, seq] = after.split('.')
  return sql.query<LedgerEvent>(
    `SELECT xid::text || '.' || seq AS cursor, seq, type, run_id, task_id, attempt_id, approval_id, agent_id, data, at
     FROM event WHERE (xid, seq) > ($1::text::xid8, $2::bigint) AND xid < pg_snapshot_xmin(pg_current_snapshot())
     ORDER BY xid, seq LIMIT $3`,
    [xid, seq, limit],
  )
}

/** The cursor of the newest event there is now; OLDEST when there is none. */
export async function newestCursor(sql: Sql): Promise<string> {
  const rows = await sql.query<{ cursor: string }>(
    "SELECT xid::text || '.' || seq AS cursor FROM event WHERE xid < pg_snapshot_xmin(pg_current_snapshot()) ORDER BY xid DESC, seq DESC LIMIT 1",
  )
  return rows[0]?.cursor ?? OLDEST
}
