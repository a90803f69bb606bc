import type { RunStatus, TaskStatus } from '../events/states.ts'
import { now, transition } from '../events/transition.ts'
import type { Tx } from '../storage/sql.ts'
import type { FollowDeps } from './deps.ts'
import type { CameOf } from './ladder.ts'
import { openRecovery, type Unanswered } from './openRecovery.ts'
import { putBack } from './putBack.ts'

/**
 * What follows for recovery from the end of any task of a run, in the transaction of that end, with the run's row locked:
 * steps that were tried end with whether they helped, and each failed task that nothing is tried for gets its next step,
 * or the question to a person. True when anything moved. Idempotent.
 */
export async function followRecoveries(deps: FollowDeps, tx: Tx, runId: string): Promise<boolean> {
  const closed = await closeTried(deps, tx, runId)
  const failed = await readUnanswered(tx, runId)
  for (const task of failed) await openRecovery(deps, tx, runId, task)
  return closed || failed.length > 0
}

type End = { to: 'helped' | 'not_helped'; cameOf: CameOf | null }
type Tried = { id: string; by_plan: boolean; statuses: TaskStatus[]; denied: boolean }

/** Ends the steps of which the outcome is known. What was denied, left out or never answered gives way to what failed. */
async function closeTried(deps: FollowDeps, tx: Tx, runId: string): Promise<boolean> {
  const tried = await tx.query<Tried>(
    `SELECT v.id, v.plan_version IS NOT NULL AS by_plan,
       ARRAY(SELECT t.status FROM task t JOIN plan p ON p.id = t.plan_id AND p.version = r.plan_version
         WHERE CASE WHEN v.plan_version IS NULL THEN t.id = v.task_id ELSE t.recovery_id = v.id END) AS statuses,
       EXISTS (SELECT 1 FROM approval a JOIN plan p ON p.id = a.plan_id WHERE a.run_id = $1 AND a.status = 'denied' AND p.version >= v.plan_version) AS denied
     FROM recovery v JOIN run r ON r.id = v.run_id WHERE v.run_id = $1 AND v.status = 'trying' ORDER BY v.created_at, v.id`,
    [runId],
  )
  let moved = false
  for (const one of tried) {
    const end = endOf(one)
    if (!end) continue
    moved = true
    const { cameOf } = end
    await transition(tx, 'recovery', {
      ids: [one.id],
      from: ['trying'],
      to: end.to,
      set: { came_of: cameOf, ended_at: now },
      data: cameOf ? { came_of: cameOf } : {},
    })
    if (one.by_plan && (cameOf === 'denied' || cameOf === 'not_run')) await putBack(deps, tx, runId, one.id)
  }
  return moved
}

const open: readonly TaskStatus[] = ['held', 'blocked', 'queued', 'claimed', 'running', 'needs_review']

/** What came of a step, by the statuses of what it runs; null while that is open. Pure. */
export function endOf({ statuses, denied }: Pick<Tried, 'statuses' | 'denied'>): End | null {
  if (statuses.length === 0 || statuses.some((status) => status === 'failed' || status === 'failed_timeout'))
    return { to: 'not_helped', cameOf: 'failed_again' }
  if (statuses.some((status) => open.includes(status))) return null
  if (statuses.every((status) => status === 'succeeded')) return { to: 'helped', cameOf: null }
  return { to: 'not_helped', cameOf: denied ? 'denied' : 'not_run' }
}

/** Failed tasks of the newest plan for which nothing is tried, and about which nobody is asked. */
const readUnanswered = (tx: Tx, runId: string): Promise<Unanswered[]> =>
  tx.query<Unanswered & { run_status: RunStatus }>(
    `SELECT t.id, t.key, t.status, t.effect, t.error, t.result, (t.spec->>'timeout_s')::int AS timeout_s, r.kind,
       coalesce(v.root_id, t.id) AS root_id,
       coalesce((SELECT a.status FROM attempt a WHERE a.task_id = t.id ORDER BY a.number DESC LIMIT 1), '') = 'refused' AS refused
     FROM task t JOIN run r ON r.id = t.run_id JOIN plan p ON p.id = t.plan_id AND p.version = r.plan_version LEFT JOIN recovery v ON v.id = t.recovery_id
     WHERE t.run_id = $1 AND t.status IN ('failed', 'failed_timeout') AND ${isUnanswered} ORDER BY t.position`,
    [runId],
  )

/** In SQL, over a failed task `t` and its run `r`. */
export const isUnanswered = `r.status IN ('running', 'paused') AND r.kind IN ('request', 'command')
  AND NOT EXISTS (SELECT 1 FROM recovery o WHERE o.task_id = t.id AND o.status IN ('open', 'trying', 'asked'))`
