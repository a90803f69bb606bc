import { setTimeout as sleep } from 'node:timers/promises'
import type { Deps } from '../../core/deps.ts'
import { readByAll } from '../../core/events/readEvents.ts'
import type { Sql } from '../../core/storage/sql.ts'

/** Rows deleted by one statement, and runs whose events go in one pass. */
const STEP = 1000
const PASS = 200
/** The ledger's other writers come first. */
const PAUSE_MS = 10
/** However many there are, events are kept this long. */
const ALWAYS_MS = 86_400_000

type Due = { id: string }

/**
 * Deletes the events of runs that ended long ago, of each run all or none, so that the events of every run that is kept
 * still tell its states; and old events of no run. What a reader has not read yet stays. Returns the rows deleted.
 */
export async function pruneEventsOnce({ db, settings }: Pick<Deps, 'db' | 'settings'>): Promise<number> {
  const { eventsMs, eventsMaxBytes } = settings.retention
  const keepMs = (await eventBytes(db)) > eventsMaxBytes ? Math.min(eventsMs, ALWAYS_MS) : eventsMs
  const runs = await db.query<Due>(
    `SELECT r.id FROM run r WHERE r.pruned_at IS NULL AND r.ended_at < clock_timestamp() - $1 * interval '1 ms'
     AND NOT EXISTS (SELECT 1 FROM event e WHERE e.run_id = r.id AND NOT ${readByAll}) ORDER BY r.ended_at LIMIT ${PASS}`,
    [keepMs],
  )
  let deleted = 0
  for (const { id } of runs) {
    deleted += await db.tx((tx) => pruneRun(tx, id))
    await sleep(PAUSE_MS)
  }
  return deleted + (await pruneLoose(db, keepMs))
}

/** All events of one run, unless it goes on again. */
async function pruneRun(tx: Sql, runId: string): Promise<number> {
  const rows = await tx.query(
    'UPDATE run SET pruned_at = clock_timestamp() WHERE id = $1 AND ended_at IS NOT NULL RETURNING 1',
    [runId],
  )
  if (rows.length === 0) return 0
  return inSteps(() =>
    tx.query(
      `DELETE FROM event WHERE seq IN (SELECT seq FROM event WHERE run_id = $1 ORDER BY seq LIMIT ${STEP}) RETURNING 1`,
      [runId],
    ),
  )
}

/** Events that belong to no run: machines that came and went, people's roles. */
const pruneLoose = (db: Sql, keepMs: number): Promise<number> =>
  inSteps(() =>
    db.query(
      `DELETE FROM event WHERE seq IN (SELECT seq FROM (SELECT * FROM event WHERE run_id IS NULL ORDER BY seq LIMIT ${STEP}) e
         WHERE at < clock_timestamp() - $1 * interval '1 ms' AND ${readByAll}) RETURNING 1`,
      [keepMs],
    ),
  )

async function inSteps(step: () => Promise<object[]>): Promise<number> {
  for (let deleted = 0; ; ) {
    const rows = await step()
    deleted += rows.length
    if (rows.length < STEP) return deleted
  }
}

/** About how many bytes the events take, without what deleted ones left behind. */
async function eventBytes(db: Sql): Promise<number> {
  const [row] = await db.query<{ bytes: number }>(
    `SELECT coalesce(s.n_live_tup * (SELECT avg(pg_column_size(e)) + 100 FROM (SELECT * FROM event ORDER BY seq DESC LIMIT 200) e), 0)::float8 AS bytes
     FROM pg_stat_user_tables s WHERE s.relid = 'event'::regclass`,
  )
  return row?.bytes ?? 0
}
