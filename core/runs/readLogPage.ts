import { z } from 'zod'
import type { Sql } from '../storage/sql.ts'

/** How far a reader came: the last `seq` read of each attempt, and the attempts that are done with. */
export const LogCursor = z.strictObject({
  /** Every attempt claimed up to this one (time in ms, id) has been read to its end. */
  done: z.tuple([z.number(), z.uuid()]).nullable(),
  read: z.record(
    z.uuid(),
    z
      .int()
      .min(0)
      .max(2 ** 31 - 1),
  ),
})
export type LogCursor = z.infer<typeof LogCursor>
export const logStart: LogCursor = { done: null, read: {} }

export type LogPiece = {
  taskId: string
  attemptId: string
  taskKey: string
  attempt: number
  seq: number
  stream: string
  text: string
  at: Date
}

export type LogPage = { pieces: LogPiece[]; cursor: LogCursor }

/** From here on what is finished is no longer told one by one. */
const FOLD_FROM = 20

/**
 * Log text of a run (or of one task) after `cursor`, oldest first, at most `limit` pieces, and the cursor after them.
 * Attempts print side by side and each numbers its own pieces, so the cursor counts for each: what arrives meanwhile is
 * neither skipped nor repeated.
 */
export async function readLogPage(
  sql: Sql,
  runId: string,
  cursor: LogCursor,
  limit: number,
  taskKey: string | null,
): Promise<LogPage> {
  const pieces = await sql.query<LogPiece>(
    `SELECT a.id AS "attemptId", t.id AS "taskId", t.key AS "taskKey", a.number AS attempt, l.seq, l.stream, l.text, l.at
     FROM task t JOIN attempt a ON a.task_id = t.id CROSS JOIN LATERAL (
       SELECT seq, stream, text, at, max(at) OVER (ORDER BY seq) AS by FROM (
         SELECT seq, stream, text, at FROM log_chunk WHERE attempt_id = a.id AND seq > coalesce(($2::jsonb->>a.id::text)::int, 0)
         ORDER BY seq LIMIT $3) x) l
     WHERE t.run_id = $1 AND ($4::text IS NULL OR t.key = $4) AND ${unfinished(5)}
     ORDER BY l.by, a.claimed_at, a.id, l.seq LIMIT $3`,
    [runId, JSON.stringify(cursor.read), limit, taskKey, ...doneOf(cursor)],
  )
  const read = { ...cursor.read }
  for (const piece of pieces) read[piece.attemptId] = piece.seq
  const next = { ...cursor, read }
  return { pieces, cursor: Object.keys(read).length < FOLD_FROM ? next : await fold(sql, runId, next) }
}

/** Attempts after the cursor's `done`, whose parts are two parameters from the given number on. */
const unfinished = (at: number): string =>
  `($${at}::float8 IS NULL OR (a.claimed_at, a.id) > (to_timestamp($${at}::float8 / 1000), $${at + 1}::uuid))`
const doneOf = ({ done }: LogCursor): [number | null, string | null] => done ?? [null, null]

/** Attempts at the beginning whose process tree is gone and that are read to their end become one entry. */
async function fold(sql: Sql, runId: string, cursor: LogCursor): Promise<LogCursor> {
  const attempts = await sql.query<{ id: string; at: number; over: boolean }>(
    `SELECT a.id, (extract(epoch FROM a.claimed_at) * 1000)::float8 AS at,
       (a.exited_at IS NOT NULL OR a.status IN ('refused', 'released')) AND NOT EXISTS (
         SELECT 1 FROM log_chunk l WHERE l.attempt_id = a.id AND l.seq > coalesce(($2::jsonb->>a.id::text)::int, 0)) AS over
     FROM task t JOIN attempt a ON a.task_id = t.id
     WHERE t.run_id = $1 AND ${unfinished(3)} ORDER BY a.claimed_at, a.id LIMIT 500`,
    [runId, JSON.stringify(cursor.read), ...doneOf(cursor)],
  )
  const firstOpen = attempts.findIndex(({ over }) => !over)
  const over = firstOpen < 0 ? attempts : attempts.slice(0, firstOpen)
  const last = over.at(-1)
  if (!last) return cursor
  const gone = new Set(over.map(({ id }) => id))
  const read = Object.fromEntries(Object.entries(cursor.read).filter(([id]) => !gone.has(id)))
  return { done: [last.at, last.id], read }
}
