import type { Deps } from '../deps.ts'
import type { TaskStatus } from '../events/states.ts'
import { now, transition } from '../events/transition.ts'
import type { Tx } from '../storage/sql.ts'
import { reviewTask } from './reviewTask.ts'
import { settleRun } from './settleRun.ts'

/** Nothing of a task in one of these has begun. */
const waiting: readonly ('held' | 'blocked' | 'queued')[] = ['held', 'blocked', 'queued']

export type Skipped = { kind: 'skipped' } | { kind: 'unknown' } | { kind: 'too_late'; status: TaskStatus }

/**
 * A person leaves a task out that has not begun, or whose end is not known: what depends on it is skipped as well, the
 * others go on. Asking twice changes nothing.
 */
export async function skipTask(
  deps: Pick<Deps, 'wake' | 'bus' | 'settings'>,
  tx: Tx,
  task: { runId: string; taskId: string },
  personId: string,
): Promise<Skipped> {
  const [run] = await tx.query<{ status: string }>('SELECT status FROM run WHERE id = $1 FOR UPDATE', [
    task.runId,
  ])
  const [row] = await tx.query<{ status: TaskStatus }>(
    'SELECT status FROM task WHERE id = $1 AND run_id = $2 FOR UPDATE',
    [task.taskId, task.runId],
  )
  if (!run || !row) return { kind: 'unknown' }
  if (row.status === 'skipped') return { kind: 'skipped' }
  if (run.status !== 'running' && run.status !== 'paused') return { kind: 'too_late', status: row.status }
  if (row.status === 'needs_review') {
    await reviewTask(deps, tx, task, 'skip', personId)
    return { kind: 'skipped' }
  }
  const moved = await transition(tx, 'task', {
    ids: [task.taskId],
    from: waiting,
    to: 'skipped',
    set: { ended_at: now },
    data: { person_id: personId, why: 'left out' },
  })
  if (moved.length === 0) return { kind: 'too_late', status: row.status }
  await settleRun(deps, tx, task.runId)
  return { kind: 'skipped' }
}
