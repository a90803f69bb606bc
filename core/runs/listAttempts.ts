import type { AttemptStatus } from '../events/states.ts'
import type { Sql } from '../storage/sql.ts'

export type AttemptLine = {
  id: string
  taskId: string
  number: number
  status: AttemptStatus
  agentId: string
  gatewayId: string | null
  claimedAt: Date
  acceptedAt: Date | null
  startedAt: Date | null
  endedAt: Date | null
  exitCode: number | null
  signal: string | null
}

/** Every attempt at the tasks of a run, in the order in which they were claimed. */
export const listAttempts = (sql: Sql, runId: string): Promise<AttemptLine[]> =>
  sql.query<AttemptLine>(
    `SELECT a.id, a.task_id AS "taskId", a.number, a.status, a.agent_id AS "agentId", a.gateway_id AS "gatewayId", a.claimed_at AS "claimedAt",
       a.accepted_at AS "acceptedAt", a.started_at AS "startedAt", a.ended_at AS "endedAt", a.exit_code AS "exitCode", a.signal
     FROM attempt a JOIN task t ON t.id = a.task_id WHERE t.run_id = $1 ORDER BY a.claimed_at, a.number`,
    [runId],
  )
