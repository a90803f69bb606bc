import type { ExecutionResult } from '../protocol/frames.ts'
import type { TaskInput } from '../protocol/specs.ts'
import type { Sql } from '../storage/sql.ts'

type Row = { task_id: string; key: string; id: string; result: ExecutionResult | null }

/** Characters of results that one task is handed at most, so that a dispatch stays small. */
const MAX_TEXT = 64_000

/**
 * What the tasks that these depend on left behind, by task. A task that succeeded never changes, so the same task is
 * always handed the same. Tasks without dependencies have no entry.
 */
export async function readInputs(sql: Sql, taskIds: readonly string[]): Promise<Map<string, TaskInput[]>> {
  const rows = await sql.query<Row>(
    `SELECT d.task_id, x.key, x.id, x.result FROM task_dependency d JOIN task x ON x.id = d.depends_on_id
     WHERE d.task_id = ANY($1::uuid[]) AND x.status = 'succeeded' ORDER BY x.position, x.id`,
    [taskIds],
  )
  return new Map([...Map.groupBy(rows, (row) => row.task_id)].map(([id, own]) => [id, inputsOf(own)]))
}

function inputsOf(rows: readonly Row[]): TaskInput[] {
  const each = Math.floor(MAX_TEXT / rows.length)
  return rows.map(({ key, id, result }) => ({
    key,
    task_id: id,
    exit_code: result?.exit_code ?? null,
    summary: (result?.summary ?? '').slice(-Math.min(4000, each)),
    changed: result?.changed ?? [],
  }))
}
