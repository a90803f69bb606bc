import { askAnew } from '../approvals/askAnew.ts'
import type { Deps } from '../deps.ts'
import { now, transition } from '../events/transition.ts'
import type { Tx } from '../storage/sql.ts'
import { freeConfirmed } from '../tasks/freeConfirmed.ts'
import { settleRun } from './settleRun.ts'

/**
 * A person's answer for a task whose end is not known: run it again under a new token, or leave it out. The old
 * attempt is asked to die should it ever be heard of; where its end is not confirmed it keeps its files until then, so
 * that a new one does not start beside it. False when the task does not need review any more, or its machine was revoked.
 */
export async function reviewTask(
  deps: Pick<Deps, 'wake' | 'bus' | 'settings'>,
  tx: Tx,
  task: { runId: string; taskId: string },
  verdict: 'again' | 'skip',
  personId: string,
): Promise<boolean> {
  const [run] = await tx.query<{ status: string }>('SELECT status FROM run WHERE id = $1 FOR UPDATE', [
    task.runId,
  ])
  if (run?.status !== 'running' && run?.status !== 'paused') return false
  if (verdict === 'again' && (await isRevoked(tx, task.taskId))) return false
  const data = { person_id: personId }
  const where = { sql: 'task.run_id = $1', values: [task.runId] }
  const moved =
    verdict === 'again'
      ? await transition(tx, 'task', {
          ids: [task.taskId],
          from: ['needs_review'],
          to: 'queued',
          set: { claim_token: null, error: null, queued_at: now, approved_at: now, standing_id: null },
          where,
          data,
        })
      : await transition(tx, 'task', {
          ids: [task.taskId],
          from: ['needs_review'],
          to: 'skipped',
          set: { ended_at: now },
          where,
          data,
        })
  if (moved.length === 0) return false
  if (verdict === 'again') await askAnew(tx, deps.settings, [task.taskId], personId)
  await tx.query(
    'UPDATE attempt SET cancel_at = clock_timestamp() WHERE task_id = $1 AND exited_at IS NULL AND cancel_at IS NULL',
    [task.taskId],
  )
  await freeConfirmed(tx, [task.taskId])
  await settleRun(deps, tx, task.runId)
  tx.afterCommit(() => deps.wake('tasks.dispatch', {}))
  return true
}

/** A machine that was revoked starts nothing again. */
const isRevoked = async (tx: Tx, taskId: string): Promise<boolean> =>
  (
    await tx.query(
      'SELECT 1 FROM task t JOIN agent g ON g.id = t.agent_id WHERE t.id = $1 AND g.revoked_at IS NOT NULL',
      [taskId],
    )
  ).length > 0
