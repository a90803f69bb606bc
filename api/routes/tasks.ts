import { z } from 'zod'
import { Grant } from '../../core/protocol/grants.ts'
import { ClaimToken } from '../../core/protocol/ids.ts'
import { ExecutionSpec } from '../../core/protocol/specs.ts'
import {
  completePulled,
  type Held,
  heartbeatPulled,
  releasePulled,
  startPulled,
} from '../../core/scheduling/pulledAttempts.ts'
import { claimPulled, peekTask } from '../../core/scheduling/pullTasks.ts'
import { listTasks, readAttempts, readTask, type TaskRow } from '../../core/tasks/listTasks.ts'
import { AgentRef } from '../../core/tasks/taskRequest.ts'
import type { RouteDeps } from '../deps.ts'
import { ApiError } from '../errors.ts'
import { cut, NextCursor, pageQuery, placeOf } from '../page.ts'
import { answer, ok, type Route, route } from '../route.ts'
import {
  AttemptSchema,
  attemptBody,
  DispatchSchema,
  TaskSchema,
  TaskStatusSchema,
  taskBody,
} from '../schemas/task.ts'

const TaskParams = z.object({ id: z.uuid() })
const Capabilities = z.array(z.string().min(1).max(64)).max(64)

const notFound = (): ApiError => new ApiError(404, 'NOT_FOUND', 'There is no such task.')

async function needTask(deps: RouteDeps, id: string): Promise<TaskRow> {
  const row = await readTask(deps.db, id)
  if (!row) throw notFound()
  return row
}

/** Where a page ended. */
const Before = z.tuple([z.number().min(0).max(8.64e15), z.uuid()])

const HeldBody = z.object({
  status: z.string(),
  /** Until then the claim holds without another heartbeat. */
  lease_until: z.iso.datetime().nullable(),
  /** A person wants it stopped: end the work and complete it as failed. */
  cancel: z.boolean(),
  /** Nothing changed: it was said before. */
  repeated: z.boolean(),
})

function heldBody(held: Held): z.input<typeof HeldBody> {
  switch (held.kind) {
    case 'held':
      return {
        status: held.status,
        lease_until: held.leaseUntil?.toISOString() ?? null,
        cancel: held.cancel,
        repeated: false,
      }
    case 'repeated':
      return { status: held.status, lease_until: null, cancel: false, repeated: true }
    case 'lost':
      throw new ApiError(409, 'CLAIM_LOST', held.message)
    case 'unknown_task':
      throw notFound()
  }
}

const holder = { agent_id: AgentRef, claim_token: ClaimToken }
const HolderBody = z.strictObject(holder)
const heldErrors = {
  404: 'NOT_FOUND: there is no such task.',
  409: 'CLAIM_LOST: the claim is not yours any more; stop the work.',
}

/** Reading tasks, and the way of those that agents fetch: claim, start, heartbeat, complete or release. */
export const taskRoutes: readonly Route[] = [
  route({
    method: 'GET',
    url: '/v1/tasks',
    scope: 'read',
    summary: 'Tasks, newest first.',
    query: z.strictObject({
      status: TaskStatusSchema.optional(),
      run_id: z.uuid().optional(),
      agent_id: AgentRef.optional(),
      dispatch: DispatchSchema.optional(),
      ...pageQuery,
    }),
    answers: { 200: z.object({ tasks: z.array(TaskSchema), next_cursor: NextCursor }) },
    async handler(deps, { query }) {
      const filter = {
        status: query.status ?? null,
        runId: query.run_id ?? null,
        agent: query.agent_id ?? null,
        dispatch: query.dispatch ?? null,
      }
      const before = placeOf(Before, query.cursor)
      const spot = before && { createdAt: new Date(before[0]).toISOString(), id: before[1] }
      const rows = await listTasks(deps.db, filter, spot, query.limit + 1)
      const [page, next_cursor] = cut(rows, query.limit, (row) => [row.created_at.getTime(), row.id])
      return ok({ tasks: page.map(taskBody), next_cursor })
    },
  }),
  route({
    method: 'GET',
    url: '/v1/tasks/next',
    scope: ['read', 'agent'],
    summary: 'The task this agent would be given now, without claiming it; 204 when there is none.',
    query: z.strictObject({ agent_id: AgentRef, capabilities: z.string().max(2000).optional() }),
    answers: { 200: TaskSchema, 204: null },
    async handler(deps, { query }) {
      const id = await peekTask(deps.db, {
        agent: query.agent_id,
        capabilities: query.capabilities?.split(',').filter(Boolean) ?? [],
      })
      return id === null ? answer(204, null) : ok(taskBody(await needTask(deps, id)))
    },
  }),
  route({
    method: 'GET',
    url: '/v1/tasks/:id',
    scope: 'read',
    summary: 'One task with its attempts.',
    params: TaskParams,
    answers: { 200: TaskSchema.extend({ attempts: z.array(AttemptSchema) }) },
    errors: { 404: heldErrors[404] },
    async handler(deps, { params }) {
      const task = await needTask(deps, params.id)
      const attempts = await readAttempts(deps.db, params.id)
      return ok({ ...taskBody(task), attempts: attempts.map(attemptBody) })
    },
  }),
  route({
    method: 'POST',
    url: '/v1/tasks/claim',
    scope: 'agent',
    summary: 'Claims the next task for this agent, or the one that is named; 204 when there is none.',
    description:
      'Heartbeat before lease_until, start before the work begins, complete or release at its end. The grant is the signed permission for exactly this attempt.',
    body: z.strictObject({
      agent_id: AgentRef,
      task_id: z.uuid().optional(),
      capabilities: Capabilities.optional(),
    }),
    answers: {
      200: z.object({
        task: TaskSchema,
        spec: ExecutionSpec,
        grant: Grant,
        execution_id: z.uuid(),
        claim_token: ClaimToken,
        lease_until: z.iso.datetime(),
      }),
      204: null,
    },
    errors: {
      404: heldErrors[404],
      409: 'TASK_NOT_CLAIMABLE: `message` says why.',
      422: 'UNKNOWN_AGENT: the agent was revoked.',
    },
    async handler(deps, { body }) {
      const pulled = await claimPulled(deps, {
        agent: body.agent_id,
        capabilities: body.capabilities ?? [],
        taskId: body.task_id ?? null,
      })
      switch (pulled.kind) {
        case 'none':
          return answer(204, null)
        case 'unknown_task':
          throw notFound()
        case 'not_claimable':
          throw new ApiError(409, 'TASK_NOT_CLAIMABLE', pulled.message)
        case 'unknown_agent':
          throw new ApiError(422, 'UNKNOWN_AGENT', 'This agent was revoked.')
        case 'claimed': {
          const { claim, leaseUntil } = pulled
          deps.bus.publish('run.changed', { runId: claim.runId })
          return ok({
            task: taskBody(await needTask(deps, claim.taskId)),
            spec: claim.spec,
            grant: claim.grant,
            execution_id: claim.attemptId,
            claim_token: claim.claimToken,
            lease_until: leaseUntil.toISOString(),
          })
        }
      }
    },
  }),
  route({
    method: 'POST',
    url: '/v1/tasks/:id/start',
    scope: 'agent',
    summary: 'The work begins now. Repeating it changes nothing.',
    params: TaskParams,
    body: HolderBody,
    answers: { 200: HeldBody },
    errors: heldErrors,
    handler: async (deps, { params, body }) => ok(heldBody(await startPulled(deps, held(params, body)))),
  }),
  route({
    method: 'POST',
    url: '/v1/tasks/:id/heartbeat',
    scope: 'agent',
    summary: 'The holder is still there: renews its lease, and says whether a person wants it stopped.',
    params: TaskParams,
    body: HolderBody,
    answers: { 200: HeldBody },
    errors: heldErrors,
    handler: async (deps, { params, body }) => ok(heldBody(await heartbeatPulled(deps, held(params, body)))),
  }),
  route({
    method: 'POST',
    url: '/v1/tasks/:id/complete',
    scope: 'agent',
    summary: 'The work has ended. Repeating it changes nothing; a late holder is refused.',
    params: TaskParams,
    body: z.strictObject({
      ...holder,
      status: z.enum(['succeeded', 'failed']),
      /** A text, or anything that JSON can hold; at most 4,000 characters of it are kept. */
      result: z.unknown().optional(),
      error: z.union([z.string().max(10_000), z.looseObject({ message: z.string().max(10_000) })]).nullish(),
    }),
    answers: { 200: HeldBody },
    errors: heldErrors,
    async handler(deps, { params, body }) {
      const error = typeof body.error === 'object' ? (body.error?.message ?? null) : (body.error ?? null)
      const completion = { status: body.status, result: body.result, error }
      return ok(heldBody(await completePulled(deps, held(params, body), completion)))
    },
  }),
  route({
    method: 'POST',
    url: '/v1/tasks/:id/release',
    scope: 'agent',
    summary: 'Gives the task back: queued again when it has not begun, else it counts as lost.',
    params: TaskParams,
    body: z.strictObject({ ...holder, reason: z.string().max(1000).optional() }),
    answers: { 200: HeldBody },
    errors: heldErrors,
    handler: async (deps, { params, body }) =>
      ok(heldBody(await releasePulled(deps, held(params, body), body.reason ?? 'released by its agent'))),
  }),
]

const held = (params: { id: string }, body: { agent_id: string; claim_token: string }) => ({
  taskId: params.id,
  agent: body.agent_id,
  claimToken: body.claim_token,
})
