import type { Database } from '../../core/storage/openDatabase.ts'
import type { Verdict } from './judge.ts'

/** Everything the ledger knows of the tasks that something is wrong with, the first few of them. */
export async function histories(db: Database, verdict: Verdict): Promise<string[]> {
  const ids = Object.values(verdict)
    .flat()
    .flatMap((line) => /(?:task|tasks|run) ([0-9a-f-]{36})/.exec(line)?.[1] ?? [])
  const lines: string[] = []
  for (const id of [...new Set(ids)].slice(0, 5)) {
    const events = await db.query<{ line: string }>(
      `SELECT to_char(at, 'HH24:MI:SS.MS') || ' ' || type || ' ' || coalesce('attempt ' || attempt_id || ' ', '') || left(data::text, 300) AS line
       FROM event WHERE task_id = $1 OR run_id = $1 ORDER BY xid, seq LIMIT 60`,
      [id],
    )
    lines.push(`history of ${id}:`, ...events.map(({ line }) => `  ${line}`))
  }
  return lines
}
