import type { Retention } from '../deps.ts'
import type { Sql } from '../storage/sql.ts'
import type { EndedRun } from './archiveRun.ts'

/** Runs put away in one pass. */
const PASS = 100

/**
 * Ended runs whose log is to leave the ledger, oldest first, at most a hundred: those that ended long enough ago, and,
 * while the ledger holds more log than it may, the oldest of the others. What agents may still add to is left alone, and
 * so are looks of the planner, which are deleted whole.
 */
export const runsToArchive = (sql: Sql, { archiveAfterMs, logsMaxBytes }: Retention): Promise<EndedRun[]> =>
  sql.query<EndedRun>(
    `WITH kept AS (
       SELECT r.id, r.number, r.created_at, r.ended_at, coalesce(sum(greatest(0, coalesce((a.result->>'output_bytes')::bigint, 0)
         - coalesce((a.result->>'output_lost')::bigint, 0))), 0) AS bytes,
         coalesce(bool_or(a.exited_at IS NULL AND a.status NOT IN ('refused', 'released', 'lost')), false) AS open
       FROM run r LEFT JOIN task t ON t.run_id = r.id LEFT JOIN attempt a ON a.task_id = t.id
       WHERE r.number > 0 AND r.archived_at IS NULL AND r.ended_at IS NOT NULL GROUP BY r.id
     ), counted AS (SELECT *, sum(bytes) OVER (ORDER BY ended_at DESC, id) AS with_newer FROM kept)
     SELECT id, number, created_at AS "createdAt", ended_at AS "endedAt" FROM counted
     WHERE NOT open AND (ended_at < clock_timestamp() - $1 * interval '1 ms' OR with_newer > $2)
     ORDER BY ended_at, id LIMIT ${PASS}`,
    [archiveAfterMs, logsMaxBytes],
  )

/** Ended runs whose log is to be kept no longer and that nobody has archived. */
export const runsToDrop = (sql: Sql, { logsMs }: Retention): Promise<EndedRun[]> =>
  sql.query<EndedRun>(
    `SELECT id, number, created_at AS "createdAt", ended_at AS "endedAt" FROM run
     WHERE archived_at IS NULL AND ended_at < clock_timestamp() - $1 * interval '1 ms' ORDER BY ended_at LIMIT ${PASS}`,
    [logsMs],
  )
