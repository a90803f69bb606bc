import type { TaskStatus } from '../events/states.ts'
import { PlanSpec as Plan, type PlanSpec, type TaskSpec } from '../protocol/specs.ts'
import type { Sql } from '../storage/sql.ts'
import type { FailureClass } from './classify.ts'
import type { CameOf, Rung } from './ladder.ts'

export type CaseTask = {
  id: string
  key: string
  title: string
  status: TaskStatus
  spec: TaskSpec
  spec_hash: string
  effect: 'read' | 'write'
  approved_at: Date | null
  recovery_id: string | null
  /** Of the recovery that brought it. */
  root_id: string | null
  error: { code: string; message: string } | null
  result: { summary?: string } | null
}

/** Everything that is known of a failure for which a way is looked for. */
export type Case = {
  recoveryId: string
  rung: Exclude<Rung, 'retry' | 'ask'>
  by: 'rule' | 'model'
  failure: FailureClass
  rootId: string
  runId: string
  number: number
  request: string
  personId: string | null
  plan: PlanSpec
  policyVersion: string
  source: object
  /** Of the newest plan. */
  tasks: CaseTask[]
  failed: CaseTask
  /** Keys that any version of the plan has used. */
  usedKeys: Set<string>
  /** The task as it was approved, where what failed stands for it. */
  root: { key: string; title: string; spec: TaskSpec }
  tried: { rung: Rung; by: string; cameOf: CameOf | null; note: string | null }[]
}

type Row = Omit<Case, 'plan' | 'tasks' | 'failed' | 'usedKeys' | 'tried'> & {
  task_id: string
  spec: unknown
  keys: string[]
}

/** Reads a failure; undefined when there is nothing of it in the newest plan any more. */
export async function readCase(sql: Sql, recoveryId: string): Promise<Case | undefined> {
  const [row] = await sql.query<Row>(
    `SELECT v.id AS "recoveryId", v.rung, v.by, v.failure, v.root_id AS "rootId", v.task_id, r.id AS "runId", r.number, r.request, r.person_id AS "personId",
       p.spec, p.policy_version AS "policyVersion", p.source, ARRAY(SELECT DISTINCT t.key FROM task t WHERE t.run_id = r.id) AS keys,
       (SELECT json_build_object('key', t.key, 'title', t.title, 'spec', t.spec) FROM task t WHERE t.id = v.root_id) AS root
     FROM recovery v JOIN run r ON r.id = v.run_id JOIN plan p ON p.run_id = r.id AND p.version = r.plan_version WHERE v.id = $1`,
    [recoveryId],
  )
  if (!row) return undefined
  const tasks = await readTasks(sql, row.runId)
  const failed = tasks.find(({ id }) => id === row.task_id)
  if (!failed) return undefined
  const tried = await sql.query<Case['tried'][number]>(
    `SELECT rung, by, came_of AS "cameOf", note FROM recovery WHERE run_id = $1 AND root_id = $2 AND id <> $3 AND rung <> 'ask' ORDER BY created_at, id`,
    [row.runId, row.rootId, recoveryId],
  )
  const { spec, keys, task_id: _, ...facts } = row
  return { ...facts, plan: Plan.parse(spec), tasks, failed, usedKeys: new Set(keys), tried }
}

const readTasks = (sql: Sql, runId: string): Promise<CaseTask[]> =>
  sql.query<CaseTask>(
    `SELECT t.id, t.key, t.title, t.status, t.spec, t.spec_hash, t.effect, t.approved_at, t.recovery_id, v.root_id, t.error, t.result
     FROM task t JOIN run r ON r.id = t.run_id JOIN plan p ON p.id = t.plan_id AND p.version = r.plan_version LEFT JOIN recovery v ON v.id = t.recovery_id
     WHERE t.run_id = $1 ORDER BY t.position`,
    [runId],
  )

/** What a new way takes the place of: what failed, and what else of the same way has not been done. Pure. */
export const replacedBy = ({
  tasks,
  failed,
  rootId,
}: Pick<Case, 'tasks' | 'failed' | 'rootId'>): CaseTask[] =>
  tasks.filter((task) => task.id === failed.id || (task.root_id === rootId && task.status !== 'succeeded'))
