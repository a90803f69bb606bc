import { lockedDown } from '../people/lockdown.ts'
import type { Sql } from '../storage/sql.ts'

export type Counts = Record<string, number>

const looks = '(SELECT id FROM run WHERE number < 0)'
/** What is counted of each: what belongs to a look of the planner is not, since nobody asked for it. */
const counted = {
  run: 'number > 0',
  task: `run_id NOT IN ${looks}`,
  attempt: `task_id NOT IN (SELECT id FROM task WHERE run_id IN ${looks})`,
  approval: 'true',
}

/** How many runs, tasks, attempts and approvals are in each status, by machine. Statuses without any are left out. */
export async function countStates(
  sql: Sql,
): Promise<Record<'run' | 'task' | 'attempt' | 'approval', Counts>> {
  const rows = await sql.query<{
    machine: 'run' | 'task' | 'attempt' | 'approval'
    status: string
    n: number
  }>(
    Object.entries(counted)
      .map(
        ([name, which]) =>
          `SELECT '${name}' AS machine, status, count(*)::int AS n FROM ${name} WHERE ${which} GROUP BY status`,
      )
      .join(' UNION ALL '),
  )
  const counts = { run: {}, task: {}, attempt: {}, approval: {} }
  for (const { machine, status, n } of rows) Object.assign(counts[machine], { [status]: n })
  return counts
}

export type Pressure = {
  /** Claimable tasks, and how long the oldest of them waits, in seconds. */
  queued: number
  oldestQueuedS: number
  deliveriesPending: number
  deliveriesFailed: number
  agents: number
  agentsConnected: number
  gateways: number
  gatewaysConnected: number
  lockdown: boolean
  postgres: string
}

/** What waits, and who is there to do it. */
export async function readPressure(sql: Sql): Promise<Pressure> {
  const [row] = await sql.query<Pressure>(
    `SELECT (SELECT count(*)::int FROM task WHERE status = 'queued') AS queued,
       coalesce((SELECT extract(epoch FROM clock_timestamp() - min(queued_at))::float8 FROM task WHERE status = 'queued'), 0) AS "oldestQueuedS",
       (SELECT count(*)::int FROM delivery WHERE status = 'pending') AS "deliveriesPending",
       (SELECT count(*)::int FROM delivery WHERE status = 'failed') AS "deliveriesFailed",
       (SELECT count(*)::int FROM agent WHERE revoked_at IS NULL) AS agents,
       (SELECT count(*)::int FROM agent WHERE revoked_at IS NULL AND connected AND last_seen_at > clock_timestamp() - interval '30 s') AS "agentsConnected",
       (SELECT count(*)::int FROM gateway) AS gateways,
       (SELECT count(*)::int FROM gateway WHERE last_seen_at > clock_timestamp() - interval '20 s') AS "gatewaysConnected",
       ${lockedDown} AS lockdown, current_setting('server_version') AS postgres`,
  )
  if (!row) throw new Error('the ledger did not answer')
  return row
}
