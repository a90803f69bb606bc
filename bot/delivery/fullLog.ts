import type { Sql } from '../../core/storage/sql.ts'

/** The whole log of a run, step by step, as text. Output that the limits cut out is said where it was. */
export async function fullLog(sql: Sql, runId: string): Promise<string> {
  const rows = await sql.query<{ key: string; title: string; number: number; text: string }>(
    `SELECT t.key, t.title, a.number, coalesce(string_agg(l.text, '' ORDER BY l.seq), '') AS text
     FROM task t JOIN plan p ON p.id = t.plan_id JOIN attempt a ON a.task_id = t.id LEFT JOIN log_chunk l ON l.attempt_id = a.id
     WHERE t.run_id = $1 GROUP BY p.version, t.position, t.key, t.title, a.number ORDER BY p.version, t.position, a.number`,
    [runId],
  )
  if (rows.length === 0) return 'Nothing has run yet.\n'
  return rows
    .map(
      (row) =>
        `== ${row.key} ${row.title}${row.number > 1 ? ` (attempt ${row.number})` : ''}\n${row.text.trimEnd()}\n`,
    )
    .join('\n')
}
