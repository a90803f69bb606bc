import { z } from 'zod'
import type { RunStatus } from '../../core/events/states.ts'
import { cancelRun, pauseRun, resumeRun } from '../../core/runs/cancelRun.ts'
import { retryTask } from '../../core/runs/retryTask.ts'
import { reviewTask } from '../../core/runs/reviewTask.ts'
import { skipTask } from '../../core/runs/skipTask.ts'
import type { Tx } from '../../core/storage/sql.ts'
import { actAs, needRun } from '../actor.ts'
import type { Caller } from '../auth.ts'
import type { RouteDeps } from '../deps.ts'
import { ApiError } from '../errors.ts'
import { ok, type Route, route } from '../route.ts'
import { RunAnswer, RunParams, runAnswer, runIdOf } from '../runAnswer.ts'

type Steering = {
  verb: 'cancel' | 'pause' | 'resume'
  summary: string
  /** Where the run is already what it is asked to be: nothing changes, and that is told with 200. */
  same: readonly RunStatus[]
  from: readonly RunStatus[]
  act(deps: RouteDeps, tx: Tx, runId: string, personId: string): Promise<unknown>
}

const steerings: readonly Steering[] = [
  {
    verb: 'cancel',
    summary: 'Stops a run for real: `cancelling` until its agents confirm that nothing of it is left.',
    same: ['cancelling', 'cancelled', 'force_cancelled'],
    from: ['planning', 'awaiting_approval', 'running', 'paused'],
    act: cancelRun,
  },
  {
    verb: 'pause',
    summary: 'Pauses a run: what runs goes on to its end, nothing new starts.',
    same: ['paused'],
    from: ['running'],
    act: pauseRun,
  },
  {
    verb: 'resume',
    summary: 'Goes on with a paused run.',
    same: ['running'],
    from: ['paused'],
    act: resumeRun,
  },
]

const wrongState = (number: number, status: RunStatus, needs: readonly RunStatus[]): ApiError =>
  new ApiError(
    409,
    'WRONG_STATE',
    `Run #${number} is ${status}; this needs one that is ${needs.join(', ')}.`,
    { status },
  )

type Row = { number: number; status: RunStatus }
async function lockRun(tx: Tx, runId: string): Promise<Row> {
  const [run] = await tx.query<Row>('SELECT number, status FROM run WHERE id = $1 FOR UPDATE', [runId])
  if (!run) throw new ApiError(404, 'NOT_FOUND', 'There is no such run.')
  return run
}

async function steer(deps: RouteDeps, caller: Caller, runId: string, how: Steering): Promise<void> {
  await actAs(deps, caller, async (tx, personId) => {
    const { number, status } = await lockRun(tx, runId)
    await needRun(tx, caller, `POST /v1/runs/:id/${how.verb}`, runId)
    if (how.same.includes(status)) return
    if (!how.from.includes(status)) throw wrongState(number, status, how.from)
    await how.act(deps, tx, runId, personId)
  })
}

const errors = {
  403: 'FORBIDDEN, NOT_ENTITLED: the run is not of the person whose token this is, or of another chat or machine than theirs.',
  404: 'There is no such run.',
  409: 'WRONG_STATE: the run is in a state where this cannot be done.',
}

/** What people do with a run by buttons. */
export const steerRoutes: readonly Route[] = [
  ...steerings.map((how) =>
    route({
      method: 'POST',
      url: `/v1/runs/:id/${how.verb}`,
      scope: 'operate',
      summary: how.summary,
      description: 'Asking again changes nothing and answers 200 with the run.',
      params: RunParams,
      answers: { 200: RunAnswer },
      errors,
      async handler(deps, { params, caller }) {
        const runId = await runIdOf(deps.db, params.id)
        await steer(deps, caller, runId, how)
        return ok(await runAnswer(deps.db, runId))
      },
    }),
  ),
  route({
    method: 'POST',
    url: '/v1/runs/:id/retry',
    scope: 'operate',
    summary: 'Tries the failed tasks of a failed run again, or one of them; what was skipped follows.',
    description: 'The plan hash stays the same, and asking for it is the approval.',
    params: RunParams,
    body: z.strictObject({ task_id: z.uuid().optional() }).default({}),
    answers: { 200: RunAnswer },
    errors: { ...errors, 404: 'There is no such run, or no such task that failed.' },
    async handler(deps, { params, body, caller }) {
      const runId = await runIdOf(deps.db, params.id)
      await actAs(deps, caller, async (tx, personId) => {
        const { number, status } = await lockRun(tx, runId)
        await needRun(tx, caller, 'POST /v1/runs/:id/retry', runId)
        if (status !== 'failed') throw wrongState(number, status, ['failed'])
        const again = await retryTask(deps, tx, runId, body.task_id ?? null, personId)
        if (again.length === 0)
          throw new ApiError(404, 'NOT_FOUND', `Run #${number} has no such task that failed.`)
      })
      return ok(await runAnswer(deps.db, runId))
    },
  }),
  route({
    method: 'POST',
    url: '/v1/runs/:id/skip',
    scope: 'operate',
    summary:
      'Leaves a task out that has not begun, or whose end is not known; what depends on it is skipped too.',
    params: RunParams,
    body: z.strictObject({ task_id: z.uuid() }),
    answers: { 200: RunAnswer },
    errors: {
      403: errors[403],
      404: 'There is no such run, or it has no such task.',
      409: 'WRONG_STATE: the task has begun or ended.',
    },
    async handler(deps, { params, body, caller }) {
      const runId = await runIdOf(deps.db, params.id)
      const done = await actAs(deps, caller, async (tx, personId) => {
        await needRun(tx, caller, 'POST /v1/runs/:id/skip', runId)
        return skipTask(deps, tx, { runId, taskId: body.task_id }, personId)
      })
      if (done.kind === 'unknown') throw new ApiError(404, 'NOT_FOUND', 'This run has no such task.')
      if (done.kind === 'too_late')
        throw new ApiError(409, 'WRONG_STATE', `The task is ${done.status}; it cannot be left out any more.`)
      return ok(await runAnswer(deps.db, runId))
    },
  }),
  route({
    method: 'POST',
    url: '/v1/runs/:id/review',
    scope: 'operate',
    summary:
      'Decides about a task whose end is not known: runs it again under a new claim, or leaves it out.',
    description: 'Look first at what it left behind: asking for it again is the approval.',
    params: RunParams,
    body: z.strictObject({ task_id: z.uuid(), verdict: z.enum(['again', 'skip']) }),
    answers: { 200: RunAnswer },
    errors: {
      404: 'There is no such run, or it has no such task.',
      409: 'WRONG_STATE: the end of the task is known, or its run goes on no longer.',
    },
    async handler(deps, { params, body: { task_id: taskId, verdict }, caller }) {
      const runId = await runIdOf(deps.db, params.id)
      await actAs(deps, caller, async (tx, personId) => {
        await needRun(tx, caller, 'POST /v1/runs/:id/review', runId)
        if (await reviewTask(deps, tx, { runId, taskId }, verdict, personId)) return
        const [task] = await tx.query<{ status: string }>(
          'SELECT status FROM task WHERE id = $1 AND run_id = $2',
          [taskId, runId],
        )
        if (!task) throw new ApiError(404, 'NOT_FOUND', 'This run has no such task.')
        throw new ApiError(409, 'WRONG_STATE', `The task is ${task.status}; nothing changed.`)
      })
      return ok(await runAnswer(deps.db, runId))
    },
  }),
]
