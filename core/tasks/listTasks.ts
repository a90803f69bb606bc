import type { TaskStatus } from '../events/states.ts'
import type { Verdict } from '../policy/judge.ts'
import type { ActionName } from '../protocol/actions.ts'
import type { ExecutionResult } from '../protocol/frames.ts'
import type { TaskSpec } from '../protocol/specs.ts'
import { waitingFor, waitingWords } from '../scheduling/waitingFor.ts'
import type { Sql } from '../storage/sql.ts'

export type TaskRow = {
  id: string
  run_id: string
  run_number: number
  key: string
  title: string
  status: TaskStatus
  action: ActionName
  effect: string
  spec: TaskSpec
  spec_hash: string
  plan_hash: string
  agent_id: string
  agent_name: string
  machine_id: string
  cwd: string
  owns: string[]
  verdict: Verdict
  dispatch: 'push' | 'pull'
  capabilities: string[]
  priority: number
  attempts_made: number
  max_attempts: number
  dependencies: string[]
  /** The question about it that is open, or was answered last. */
  approval_id: string | null
  /** In plain words; null when it is at work or has ended. */
  waiting_for: string | null
  lease_until: Date | null
  result: ExecutionResult | null
  error: { code: string; message: string } | null
  created_at: Date
  queued_at: Date | null
  started_at: Date | null
  ended_at: Date | null
}

export type AttemptRow = {
  id: string
  number: number
  status: string
  agent_id: string
  agent_name: string | null
  containment: string | null
  exit_code: number | null
  signal: string | null
  error: { code: string; message: string } | null
  claimed_at: Date
  accepted_at: Date | null
  started_at: Date | null
  ended_at: Date | null
  cancel_at: Date | null
  exited_at: Date | null
}

const columns = `SELECT t.id, t.run_id, r.number AS run_number, t.key, t.title, t.status, t.action, t.effect, t.spec, t.spec_hash, p.plan_hash,
  t.agent_id, a.name AS agent_name, t.machine_id, t.cwd, t.owns, t.verdict, t.dispatch, t.capabilities, t.priority, t.attempts_made, t.max_attempts,
  ARRAY(SELECT d.depends_on_id::text FROM task_dependency d WHERE d.task_id = t.id) AS dependencies,
  (SELECT q.id FROM approval q WHERE q.plan_id = t.plan_id ORDER BY q.created_at DESC LIMIT 1) AS approval_id,
  t.lease_until, t.result, t.error, t.created_at, t.queued_at, t.started_at, t.ended_at
  FROM task t JOIN run r ON r.id = t.run_id JOIN plan p ON p.id = t.plan_id JOIN agent a ON a.id = t.agent_id`

/** One task, whole; null when there is none of this id. */
export async function readTask(sql: Sql, id: string): Promise<TaskRow | null> {
  const [row] = await withWaiting(sql, await sql.query<BareRow>(`${columns} WHERE t.id = $1`, [id]))
  return row ?? null
}

type BareRow = Omit<TaskRow, 'waiting_for'>

async function withWaiting(sql: Sql, rows: BareRow[]): Promise<TaskRow[]> {
  const waiting = await waitingFor(
    sql,
    rows.map((row) => row.id),
  )
  return rows.map((row) => {
    const why = waiting.get(row.id)
    return { ...row, waiting_for: why ? waitingWords(why) : null }
  })
}

/** The attempts of a task, first to last. */
export const readAttempts = (sql: Sql, taskId: string): Promise<AttemptRow[]> =>
  sql.query<AttemptRow>(
    `SELECT x.id, x.number, x.status, x.agent_id, a.name AS agent_name, x.containment, x.exit_code, x.signal, x.error,
       x.claimed_at, x.accepted_at, x.started_at, x.ended_at, x.cancel_at, x.exited_at
     FROM attempt x LEFT JOIN agent a ON a.id = x.agent_id WHERE x.task_id = $1 ORDER BY x.number`,
    [taskId],
  )

export type TaskFilter = {
  status: TaskStatus | null
  runId: string | null
  /** Id or name. */
  agent: string | null
  dispatch: 'push' | 'pull' | null
}
/** Where a page ended: the next one begins after it. */
export type TaskSpot = { createdAt: string; id: string }

/** Tasks, newest first, without those of the planner's looks unless such a run is named; after a spot: what arrives meanwhile stands before it, so that no page repeats or skips. */
export async function listTasks(
  sql: Sql,
  filter: TaskFilter,
  after: TaskSpot | null,
  limit: number,
): Promise<TaskRow[]> {
  const rows = await sql.query<BareRow>(
    `${columns} WHERE ($1::text IS NULL OR t.status = $1) AND (CASE WHEN $2::uuid IS NULL THEN r.number > 0 ELSE t.run_id = $2 END)
     AND ($3::text IS NULL OR a.name = $3 OR a.id::text = lower($3)) AND ($4::text IS NULL OR t.dispatch = $4)
     AND ($5::timestamptz IS NULL OR (t.created_at, t.id) < ($5::timestamptz, $6::uuid))
     ORDER BY t.created_at DESC, t.id DESC LIMIT $7`,
    [
      filter.status,
      filter.runId,
      filter.agent,
      filter.dispatch,
      after?.createdAt ?? null,
      after?.id ?? null,
      limit,
    ],
  )
  return withWaiting(sql, rows)
}
