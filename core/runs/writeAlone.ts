import { type Happening, moveTogether, type Together } from '../events/moveTogether.ts'
import { now } from '../events/transition.ts'
import type { Tx } from '../storage/sql.ts'
import type { Followed, Step } from './followFrames.ts'
import { isAlone } from './lockAttempts.ts'
import { withEnd } from './writeSteps.ts'

/** Whether the steps of one attempt can be written by one statement. */
export const canWriteAlone = ({ steps }: Followed): boolean =>
  steps.length > 0 && steps.every(({ kind }) => kind !== 'ask_cancel')

/** Whether the run seems to end with this attempt's task, and nothing else to follow. */
export const mayEndRun = ({ held, steps, settle }: Followed): boolean =>
  held.alone === true && settle && steps.some((step) => step.kind === 'task' && step.to === 'succeeded')

/**
 * The steps of one attempt, whose rows are locked, in one statement, and in the same the end of a run that has no other
 * task: `moved` tells whether that was so.
 */
export function writeAlone(tx: Tx, one: Followed): Promise<Together> {
  const steps = withEnd(one).map((step) => happening(one, step))
  return moveTogether(tx, mayEndRun(one) ? [...steps, runEnd(one)] : steps)
}

function happening({ held }: Followed, step: Step): Happening {
  switch (step.kind) {
    case 'attempt':
      return { ...step, machine: 'attempt', id: held.id, runId: held.run_id }
    case 'task':
      return { ...step, machine: 'task', id: held.task_id }
    case 'event':
      return { ...step, subject: { runId: held.run_id, taskId: held.task_id, attemptId: held.id } }
    case 'delivered':
      return { machine: 'task', id: held.task_id, set: { lease_until: null } }
    case 'ask_cancel':
      throw new Error('a late holder is asked to stop by a statement of its own')
  }
}

/** Looked at in the statement itself, whose snapshot is younger than the lock of the run. */
const runEnd = ({ held }: Followed): Happening => ({
  machine: 'run',
  id: held.run_id,
  from: 'running',
  to: 'succeeded',
  set: { ended_at: now },
  onlyIf: { sql: `kind = 'api' AND ${isAlone('run.id', '$1::uuid')}`, values: [held.task_id] },
})
