import { utimes } from 'node:fs/promises'
import { failpoint } from '../config/failpoint.ts'
import type { Deps } from '../deps.ts'
import type { Sql } from '../storage/sql.ts'
import { type ArchivedPiece, type ArchivedRun, archivePath, writeArchive } from './archiveFile.ts'
import { allPieces } from './readRunLog.ts'

/** Rows deleted by one statement. */
const STEP = 2000
/** Beyond every number of a piece. */
const ALL = 2 ** 31 - 1

export type EndedRun = ArchivedRun & { id: string; endedAt: Date }

/**
 * Puts an ended run's log away: into its file, together with what an earlier file has, and then out of the ledger with
 * `archived_at`, in one transaction. Killed at any point it is done again, and no piece is lost or twice: until the
 * transaction the ledger has all of it, and readers take each piece once. Lines that arrive meanwhile stay in the
 * ledger, and the run is left for the next time. Also takes out the grants, which end with the attempts.
 */
export async function archiveRun(deps: Pick<Deps, 'db'>, dir: string, run: EndedRun): Promise<void> {
  const ids = await attemptsOf(deps.db, run)
  const written = new Map<string, number>()
  if (ids.length > 0) {
    const path = archivePath(dir, run)
    await writeArchive(path, noting(allPieces(deps.db, dir, run, ids), written))
    // A file's age is that of its run.
    await utimes(path, run.endedAt, run.endedAt)
  }
  await moveOut(deps, run, ids, written)
}

/** Deletes an ended run's log from the ledger, archived or not. */
export async function dropLog(deps: Pick<Deps, 'db'>, run: EndedRun): Promise<void> {
  const ids = await attemptsOf(deps.db, run)
  await moveOut(deps, run, ids, new Map(ids.map((id) => [id, ALL])))
}

async function attemptsOf(sql: Sql, run: EndedRun): Promise<string[]> {
  const rows = await sql.query<{ id: string }>(
    'SELECT a.id FROM attempt a JOIN task t ON t.id = a.task_id WHERE t.run_id = $1 ORDER BY t.position, a.number',
    [run.id],
  )
  return rows.map((row) => row.id)
}

/** Takes the pieces up to the given number of each attempt out of the ledger. */
const moveOut = (
  { db }: Pick<Deps, 'db'>,
  run: EndedRun,
  ids: readonly string[],
  upTo: ReadonlyMap<string, number>,
): Promise<void> =>
  db.tx(async (tx) => {
    if (!(await lockEnded(tx, run, ids))) return
    for (const [attemptId, seq] of upTo) await deletePieces(tx, attemptId, seq)
    await tx.query(`UPDATE attempt SET "grant" = '{}' WHERE id = ANY($1::uuid[]) AND exited_at IS NOT NULL`, [
      ids,
    ])
    await tx.query(
      `UPDATE run SET archived_at = clock_timestamp() WHERE id = $1
       AND NOT EXISTS (SELECT 1 FROM log_chunk WHERE attempt_id = ANY($2::uuid[]))`,
      [run.id, ids],
    )
    failpoint('archive.moved:before')
  })

/** Notes how far each attempt's pieces have gone by. */
async function* noting(
  pieces: AsyncIterable<ArchivedPiece>,
  written: Map<string, number>,
): AsyncIterable<ArchivedPiece> {
  for await (const piece of pieces) {
    written.set(piece.attempt, piece.seq)
    yield piece
  }
}

/**
 * Locked in the order of all writers: run, then attempts. False when the run goes on again, or has attempts that were
 * not there.
 */
async function lockEnded(tx: Sql, run: EndedRun, ids: readonly string[]): Promise<boolean> {
  const rows = await tx.query('SELECT 1 FROM run WHERE id = $1 AND ended_at = $2 FOR UPDATE', [
    run.id,
    run.endedAt,
  ])
  const locked = await tx.query(
    `SELECT a.id FROM attempt a WHERE a.task_id IN (SELECT id FROM task WHERE run_id = $1) ORDER BY a.id FOR UPDATE`,
    [run.id],
  )
  return rows.length > 0 && locked.length === ids.length
}

async function deletePieces(tx: Sql, attemptId: string, upTo: number): Promise<void> {
  for (let deleted = STEP; deleted === STEP; ) {
    const rows = await tx.query(
      `DELETE FROM log_chunk WHERE (attempt_id, seq) IN (
         SELECT attempt_id, seq FROM log_chunk WHERE attempt_id = $1 AND seq <= $2 ORDER BY seq LIMIT ${STEP}) RETURNING 1`,
      [attemptId, upTo],
    )
    deleted = rows.length
  }
}
