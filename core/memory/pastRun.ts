import type { TaskStatus } from '../events/states.ts'
import type { PlanSource } from '../planning/planOutcome.ts'
import type { TaskSpec } from '../protocol/specs.ts'
import type { Sql } from '../storage/sql.ts'

/** A run as it is remembered from. */
export type PastRun = {
  id: string
  number: number
  kind: string
  status: string
  request: string
  /** Its words were somebody else's, sent on. */
  forwarded: boolean
  personId: string | null
  chatId: number | null
  agentId: string | null
  cwd: string | null
  error: { message?: string; rule?: string } | null
  source: PlanSource | null
  /** Somebody else changed its plan. */
  changedByOthers: boolean
  /** The name of its machine. */
  machine: string | null
}

/** In SQL: `changedByOthers` of a run `r`. */
export const changedByOthers =
  'EXISTS (SELECT 1 FROM plan c WHERE c.run_id = r.id AND c.revised_by <> r.person_id) AS "changedByOthers"'

/** A step of its plan as it stands now. */
export type PastStep = {
  id: string
  status: TaskStatus
  spec: TaskSpec
  agentId: string
  cwd: string
  exitCode: number | null
  said: string | null
  endedAt: Date | null
}

/** One time that a step failed, whatever became of it later. */
export type PastFailure = Pick<PastStep, 'spec' | 'agentId' | 'cwd' | 'exitCode' | 'said'> & {
  attemptId: string
  late: boolean
  at: Date
}

export async function readPastRun(tx: Sql, runId: string): Promise<PastRun | undefined> {
  const [run] = await tx.query<PastRun>(
    `SELECT r.id, r.number, r.kind, r.status, r.request, r.forwarded, r.person_id AS "personId", r.chat_id AS "chatId", r.agent_id AS "agentId",
       r.cwd, r.error, p.source, ${changedByOthers}, (SELECT a.name FROM agent a WHERE a.id = coalesce(r.agent_id,
         (SELECT t.agent_id FROM task t WHERE t.plan_id = p.id ORDER BY t.position LIMIT 1))) AS machine
     FROM run r LEFT JOIN plan p ON p.run_id = r.id AND p.version = r.plan_version WHERE r.id = $1`,
    [runId],
  )
  return run
}

/** Steps of one run that are looked at, at most. */
const MAX_STEPS = 100

export const readPastSteps = (tx: Sql, runId: string): Promise<PastStep[]> =>
  tx.query<PastStep>(
    `SELECT t.id, t.status, t.spec, t.agent_id AS "agentId", t.cwd, (t.result->>'exit_code')::int AS "exitCode",
       t.result->>'summary' AS said, t.ended_at AS "endedAt"
     FROM task t JOIN run r ON r.id = t.run_id JOIN plan p ON p.id = t.plan_id
     WHERE t.run_id = $1 AND (p.version = r.plan_version OR r.kind = 'api') ORDER BY t.position, t.created_at LIMIT ${MAX_STEPS}`,
    [runId],
  )

export const readPastFailures = (tx: Sql, runId: string): Promise<PastFailure[]> =>
  tx.query<PastFailure>(
    `SELECT a.id AS "attemptId", t.spec, t.agent_id AS "agentId", t.cwd, (a.result->>'exit_code')::int AS "exitCode",
       a.result->>'summary' AS said, a.result->>'status' = 'timeout' AS late, coalesce(a.ended_at, a.claimed_at) AS at
     FROM attempt a JOIN task t ON t.id = a.task_id
     WHERE t.run_id = $1 AND a.result->>'status' IN ('failed', 'timeout') ORDER BY a.claimed_at LIMIT ${MAX_STEPS}`,
    [runId],
  )
