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

/** Xid and number of a cursor. Throws CursorError for one that was not given out here. */
function readCursor(cursor: string): string[] {
  if (!CursorForm.test(cursor))
    throw new CursorError(
      `"${cursor.slice(0, 40)}" is not a cursor; take one from an event, or none to start at the oldest`,
    )
  const [xid = '', seq = ''] = cursor.split('.')
  if (BigInt(xid) > 2n ** 64n - 1n || BigInt(seq) > 2n ** 63n - 1n)
    throw new CursorError(`"${cursor}" is not a cursor`)
  return [xid, seq]
}

const columns =
  "xid::text || '.' || seq AS cursor, seq, type, run_id, task_id, attempt_id, approval_id, agent_id, data, at"
/** Beyond the cursor whose parts are $1 and $2, and below the oldest transaction still open. */
const unread = '(xid, seq) > ($1::text::xid8, $2::bigint) AND xid < pg_snapshot_xmin(pg_current_snapshot())'

/**
 * The events after `after` (an opaque cursor of an earlier event, or OLDEST), at most `limit`, in the order of
 * (xid, seq) and only below the oldest transaction still open, so that none is ever skipped (invariant 12).
 * Throws CursorError for a cursor that this function did not give out.
 */
export async function readEvents(sql: Sql, after: string, limit: number): Promise<LedgerEvent[]> {
  return sql.query<LedgerEvent>(`SELECT ${columns} FROM event WHERE ${unread} ORDER BY xid, seq LIMIT $3`, [
    ...readCursor(after),
    limit,
  ])
}

/** As `readEvents`, of one run. */
export async function readRunEvents(
  sql: Sql,
  runId: string,
  after: string,
  limit: number,
): Promise<LedgerEvent[]> {
  return sql.query<LedgerEvent>(
    `SELECT ${columns} FROM event WHERE run_id = $4 AND ${unread} ORDER BY xid, seq LIMIT $3`,
    [...readCursor(after), limit, runId],
  )
}

/** Whether a run has any event after a cursor, told already or not. */
export async function hasRunEvents(sql: Sql, runId: string, after: string): Promise<boolean> {
  const rows = await sql.query(
    'SELECT 1 FROM event WHERE run_id = $3 AND (xid, seq) > ($1::text::xid8, $2::bigint) LIMIT 1',
    [...readCursor(after), runId],
  )
  return rows.length > 0
}

/** In SQL: whether an event `e` is below what every reader of this installation has read. Without readers: all are. */
export const readByAll = `NOT EXISTS (SELECT 1 FROM event_cursor c
  WHERE (e.xid, e.seq) > (split_part(c.cursor, '.', 1)::xid8, split_part(c.cursor, '.', 2)::bigint))`

/** Events looked at for one page, at most. */
const WINDOW = 5000

/** `cursor`: where to go on, beyond what was left out as well. `more`: there was more to look at. */
export type EventPage = { events: LedgerEvent[]; cursor: string; more: boolean }

/**
 * A page of events of some types (null: all). It may be short, even empty, while there is `more`: the work for a page
 * is bounded, however rare the types are.
 */
export async function readEventPage(
  sql: Sql,
  after: string,
  limit: number,
  types: readonly string[] | null,
): Promise<EventPage> {
  if (types === null) {
    const events = await readEvents(sql, after, limit)
    return { events, cursor: events.at(-1)?.cursor ?? after, more: events.length === limit }
  }
  const rows = await sql.query<LedgerEvent & { last: string | null; looked: number }>(
    `WITH looked AS MATERIALIZED (SELECT * FROM event WHERE ${unread} ORDER BY xid, seq LIMIT ${WINDOW}),
     found AS (SELECT ${columns}, xid FROM looked WHERE type = ANY($4::text[]) ORDER BY xid, seq LIMIT $3),
     meta AS (SELECT count(*)::int AS looked, (SELECT xid::text || '.' || seq FROM looked ORDER BY xid DESC, seq DESC LIMIT 1) AS last FROM looked)
     SELECT found.*, meta.* FROM meta LEFT JOIN found ON true ORDER BY found.xid, found.seq`,
    [...readCursor(after), limit, types],
  )
  const events = rows.filter((row) => row.cursor !== null).map(({ last: _, looked: __, ...event }) => event)
  const [meta] = rows
  const full = events.length === limit
  return {
    events,
    cursor: (full ? events.at(-1)?.cursor : meta?.last) ?? after,
    more: full || meta?.looked === WINDOW,
  }
}

/** The cursor of the newest event there is now; OLDEST when there is none. */
export async function newestCursor(sql: Sql): Promise<string> {
  const rows = await sql.query<{ cursor: string }>(
    "SELECT xid::text || '.' || seq AS cursor FROM event WHERE xid < pg_snapshot_xmin(pg_current_snapshot()) ORDER BY xid DESC, seq DESC LIMIT 1",
  )
  return rows[0]?.cursor ?? OLDEST
}
