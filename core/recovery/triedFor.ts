import type { Sql } from '../storage/sql.ts'

/** What was tried for a failed task, or for what it stands for, and did not help: a line each, the newest last. */
export async function triedFor(sql: Sql, taskId: string): Promise<string[]> {
  const rows = await sql.query<{ rung: string; by: string; note: string | null; came_of: string | null }>(
    `SELECT v.rung, v.by, v.note, v.came_of FROM recovery v WHERE v.status = 'not_helped' AND v.root_id = coalesce(
       (SELECT o.root_id FROM task t JOIN recovery o ON o.id = t.recovery_id WHERE t.id = $1), $1) ORDER BY v.created_at DESC, v.id LIMIT 8`,
    [taskId],
  )
  return rows
    .reverse()
    .map(({ rung, by, note, came_of }) => `- ${rung} by ${by}${note ? ` (${note})` : ''}: ${came_of}`)
}
