import type { Deps } from '../deps.ts'
import type { LogCursor, LogPage, LogPiece } from '../runs/readLogPage.ts'
import { readLogPage } from '../runs/readLogPage.ts'
import type { ArchivedRun } from './archiveFile.ts'
import { archiveAccess } from './archiveHome.ts'
import { allPieces } from './readRunLog.ts'

type Attempt = { id: string; taskId: string; taskKey: string; number: number; claimed: number; over: boolean }
type PageDeps = { db: Pick<Deps['db'], 'query'>; settings: Pick<Deps['settings'], 'archiveDir'> }

/**
 * `readLogPage`, wherever the log is: of a run whose log has been put away the page comes from the archive, by the same
 * cursors, so that a reader goes on across it. Its order is then that of the steps. Empty where this process does not
 * reach the archive.
 */
export async function readAnyLogPage(
  deps: PageDeps,
  runId: string,
  cursor: LogCursor,
  limit: number,
  taskKey: string | null,
): Promise<LogPage> {
  const [run] = await deps.db.query<ArchivedRun>(
    'SELECT number, created_at AS "createdAt" FROM run WHERE id = $1 AND archived_at IS NOT NULL',
    [runId],
  )
  if (!run) return readLogPage(deps.db, runId, cursor, limit, taskKey)
  const access = await archiveAccess(deps)
  if (access.kind === 'elsewhere') return { pieces: [], cursor }
  const attempts = await attemptsOf(deps, runId)
  const byId = new Map(attempts.map((attempt) => [attempt.id, attempt]))
  const pieces: LogPiece[] = []
  const last = new Map<string, number>()
  const ids = attempts.map(({ id }) => id)
  for await (const { attempt: id, seq, stream, text, at } of allPieces(deps.db, access.dir, run, ids)) {
    const attempt = byId.get(id)
    if (!attempt || (taskKey !== null && attempt.taskKey !== taskKey)) continue
    last.set(id, seq)
    if (isDone(attempt, cursor) || seq <= (cursor.read[id] ?? 0) || pieces.length >= limit) continue
    const { taskId, taskKey: key, number } = attempt
    pieces.push({ taskId, attemptId: id, taskKey: key, attempt: number, seq, stream, text, at: new Date(at) })
  }
  const read = { ...cursor.read }
  for (const piece of pieces) read[piece.attemptId] = piece.seq
  return {
    pieces,
    cursor: taskKey === null ? folded(attempts, { ...cursor, read }, last) : { ...cursor, read },
  }
}

const attemptsOf = ({ db }: PageDeps, runId: string): Promise<Attempt[]> =>
  db.query<Attempt>(
    `SELECT a.id, t.id AS "taskId", t.key AS "taskKey", a.number, (extract(epoch FROM a.claimed_at) * 1000)::float8 AS claimed,
       (a.exited_at IS NOT NULL OR a.status IN ('refused', 'released')) AS over
     FROM task t JOIN attempt a ON a.task_id = t.id WHERE t.run_id = $1 ORDER BY a.claimed_at, a.id`,
    [runId],
  )

function isDone({ claimed, id }: Attempt, { done }: LogCursor): boolean {
  if (done === null) return false
  return claimed < done[0] || (claimed === done[0] && id <= done[1])
}

/** Attempts at the beginning that have been read to their end become one entry of the cursor. */
function folded(
  attempts: readonly Attempt[],
  cursor: LogCursor,
  last: ReadonlyMap<string, number>,
): LogCursor {
  const { done, read } = { done: cursor.done, read: { ...cursor.read } }
  let upTo = done
  for (const attempt of attempts) {
    if (isDone(attempt, cursor)) continue
    if (!attempt.over || (read[attempt.id] ?? 0) < (last.get(attempt.id) ?? 0)) break
    upTo = [attempt.claimed, attempt.id]
    delete read[attempt.id]
  }
  return { done: upTo, read }
}
