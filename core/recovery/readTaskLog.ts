import type { Sql } from '../storage/sql.ts'
import { cutLog, type LogBudget } from './cutLog.ts'

/** Pieces read from the start, the end and around errors; characters of one piece. The middle of a huge log stays where it is. */
const HEAD = 60
const TAIL = 200
const ERRORS = 40
const PIECE = 20_000

type Piece = { seq: number; text: string }

/** What the last attempt of a task printed, cut to what tells why it failed. */
export async function readTaskLog(sql: Sql, taskId: string, budget: LogBudget): Promise<string> {
  const pieces = await sql.query<Piece>(
    `WITH last AS (SELECT id FROM attempt WHERE task_id = $1 ORDER BY number DESC LIMIT 1),
     head AS (SELECT seq FROM log_chunk WHERE attempt_id = (SELECT id FROM last) ORDER BY seq LIMIT ${HEAD}),
     tail AS (SELECT seq FROM log_chunk WHERE attempt_id = (SELECT id FROM last) ORDER BY seq DESC LIMIT ${TAIL}),
     wrong AS (SELECT seq FROM log_chunk WHERE attempt_id = (SELECT id FROM last) AND text ~* '(error|fail|fatal|panic|exception|traceback)' ORDER BY seq LIMIT ${ERRORS})
     SELECT seq, CASE WHEN length(text) > ${PIECE} THEN left(text, ${PIECE / 2}) || E'\\n' || right(text, ${PIECE / 2}) ELSE text END AS text FROM log_chunk
     WHERE attempt_id = (SELECT id FROM last)
     AND seq IN (SELECT seq FROM head UNION SELECT seq FROM tail UNION SELECT seq + n FROM wrong, generate_series(-1, 1) n) ORDER BY seq`,
    [taskId],
  )
  return cutLog(join(pieces), budget)
}

/** Pieces in a row are one text; between others something is missing. */
const join = (pieces: readonly Piece[]): string =>
  pieces
    .map(({ seq, text }, i) => {
      const before = pieces[i - 1]
      return !before || before.seq === seq - 1 ? text : `\n… not read …\n${text}`
    })
    .join('')
