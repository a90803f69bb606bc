import { access } from 'node:fs/promises'
import type { Deps } from '../deps.ts'
import type { Sql } from '../storage/sql.ts'
import { type ArchivedPiece, type ArchivedRun, archivePath, readArchive } from './archiveFile.ts'
import { type ArchiveAccess, archiveAccess } from './archiveHome.ts'

/** Pieces read from the ledger at a time. */
const PAGE = 200

/** The pieces of log that the ledger has of an attempt, in order. */
export async function* ledgerPieces(sql: Sql, attemptId: string): AsyncIterable<ArchivedPiece> {
  for (let after = 0; ; ) {
    const page = await sql.query<Omit<ArchivedPiece, 'attempt' | 'at'> & { at: Date }>(
      'SELECT seq, stream, text, at FROM log_chunk WHERE attempt_id = $1 AND seq > $2 ORDER BY seq LIMIT $3',
      [attemptId, after, PAGE],
    )
    for (const { at, ...piece } of page) yield { attempt: attemptId, at: at.toISOString(), ...piece }
    after = page.at(-1)?.seq ?? after
    if (page.length < PAGE) return
  }
}

/**
 * All pieces of a run's log, those of each attempt in order: what is in the archive, then what is in the ledger, each
 * piece once. `dir` null: only the ledger.
 */
export async function* allPieces(
  sql: Sql,
  dir: string | null,
  run: ArchivedRun,
  attemptIds: readonly string[],
): AsyncIterable<ArchivedPiece> {
  const known = new Map<string, number>()
  if (dir !== null)
    for await (const piece of readArchive(archivePath(dir, run))) {
      known.set(piece.attempt, piece.seq)
      yield piece
    }
  for (const id of attemptIds)
    for await (const piece of ledgerPieces(sql, id)) if (piece.seq > (known.get(id) ?? 0)) yield piece
}

export type LoggedAttempt = { id: string; key: string; title: string; number: number }
export type RunLog = {
  /** In the order of the plan. */
  attempts: LoggedAttempt[]
  pieces: AsyncIterable<ArchivedPiece>
  /** Why the log is not here; null when it is. */
  missing: 'no longer kept' | { host: string; dir: string } | null
}

/** A run's log, from wherever it is. */
export async function readRunLog(
  deps: { db: Pick<Deps['db'], 'query'>; settings: Pick<Deps['settings'], 'archiveDir'> },
  runId: string,
): Promise<RunLog> {
  const [run] = await deps.db.query<ArchivedRun & { archivedAt: Date | null }>(
    'SELECT number, created_at AS "createdAt", archived_at AS "archivedAt" FROM run WHERE id = $1',
    [runId],
  )
  const attempts = await deps.db.query<LoggedAttempt>(
    `SELECT a.id, t.key, t.title, a.number FROM task t JOIN plan p ON p.id = t.plan_id JOIN attempt a ON a.task_id = t.id
     WHERE t.run_id = $1 ORDER BY p.version, t.position, a.number`,
    [runId],
  )
  if (!run) return { attempts, pieces: none(), missing: null }
  const where = await archiveAccess(deps)
  const dir = where.kind === 'here' ? where.dir : null
  const ids = attempts.map((attempt) => attempt.id)
  return {
    attempts,
    pieces: allPieces(deps.db, dir, run, ids),
    missing: run.archivedAt === null ? null : await whyMissing(where, run),
  }
}

async function whyMissing(where: ArchiveAccess, run: ArchivedRun): Promise<RunLog['missing']> {
  if (where.kind === 'elsewhere') return { host: where.host, dir: where.dir }
  return access(archivePath(where.dir, run)).then(
    () => null,
    () => 'no longer kept' as const,
  )
}

async function* none(): AsyncIterable<ArchivedPiece> {}
