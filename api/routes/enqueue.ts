import { z } from 'zod'
import { listMachines } from '../../core/fleet/machineFacts.ts'
import { tokenPerson } from '../../core/people/tokenPerson.ts'
import { ActionNameSchema } from '../../core/protocol/actions.ts'
import { SecretNames } from '../../core/protocol/secretName.ts'
import { type Enqueued, enqueueTasks } from '../../core/tasks/enqueueTasks.ts'
import { readTask, type TaskRow } from '../../core/tasks/listTasks.ts'
import { AgentRef, TaskRequest } from '../../core/tasks/taskRequest.ts'
import type { Caller } from '../auth.ts'
import type { RouteDeps } from '../deps.ts'
import { ApiError } from '../errors.ts'
import { answer, type Route, route } from '../route.ts'
import { TaskSchema, taskBody, VerdictSchema } from '../schemas/task.ts'

const RunId = z.uuid()
/** Tasks of one call: as many as a plan may have. */
const MAX_BATCH = 50

/** One task, or several that may depend on each other, all or none. */
const EnqueueBody = z.union([
  TaskRequest.safeExtend({ run_id: RunId.optional() }),
  z.strictObject({ run_id: RunId.optional(), tasks: z.array(TaskRequest).min(1).max(MAX_BATCH) }),
])

const EnqueuedBody = z.object({
  task_id: z.uuid(),
  run_id: z.uuid(),
  status: z.string(),
  /** What has to be decided before it may run: POST /v1/approvals/{id}/decide, or in the chat. */
  approval_id: z.uuid().nullable(),
  verdict: VerdictSchema,
  task: TaskSchema,
  /** All tasks of the call, in its order. */
  tasks: z.array(TaskSchema),
})

const errors = {
  403: 'POLICY_DENIED: policy refuses it; `details` is the verdict. NOT_ENTITLED: whose token it is may not act there.',
  404: 'NOT_FOUND: there is no such run.',
  409: 'RUN_CLOSED: the run takes no more tasks.',
  422: 'CYCLE, UNKNOWN_DEPENDENCY, REPEATED_TASK, SECRET_IN_TASK, PARTLY_KNOWN, UNKNOWN_AGENT, NO_AGENT, OUTSIDE_ROOTS, LOCKED_DOWN.',
}

type Taken = Extract<Enqueued, { kind: 'enqueued' }>

async function take(
  deps: RouteDeps,
  caller: Caller,
  runId: string | undefined,
  tasks: TaskRequest[],
): Promise<Taken> {
  const personId = await tokenPerson(deps.db, caller)
  const done = await enqueueTasks(deps, {
    runId: runId ?? null,
    tasks,
    personId,
    isPersons: caller.person !== null,
  })
  switch (done.kind) {
    case 'enqueued':
      return done
    case 'denied':
      throw new ApiError(403, 'POLICY_DENIED', done.verdict.reason, done.verdict)
    case 'not_entitled':
      throw new ApiError(403, 'NOT_ENTITLED', done.message)
    case 'unknown_run':
      throw new ApiError(404, 'NOT_FOUND', 'There is no such run.')
    case 'closed_run':
      throw new ApiError(409, 'RUN_CLOSED', done.message)
    case 'fault':
      throw new ApiError(422, done.code, done.message)
  }
}

async function bodyOf(deps: RouteDeps, taken: Taken): Promise<z.input<typeof EnqueuedBody>> {
  const rows = await Promise.all(taken.taskIds.map((id) => readTask(deps.db, id)))
  const tasks = rows.filter((row): row is TaskRow => row !== null).map(taskBody)
  const [first] = tasks
  if (!first) throw new Error('the tasks were not written')
  return {
    task_id: first.task_id,
    run_id: first.run_id,
    status: first.status,
    approval_id: taken.approvalId,
    verdict: first.verdict,
    task: first,
    tasks,
  }
}

/** What an ExecutionSpec says that is not the attempt's own; `machine_id`, when given, must be the agent's. */
const ExecuteBody = z.strictObject({
  action: ActionNameSchema,
  params: z.record(z.string(), z.unknown()).default({}),
  agent_id: AgentRef.optional(),
  machine_id: z.string().min(1).max(128).optional(),
  cwd: z.string().min(1).max(4096).optional(),
  required_files: z.array(z.string().min(1).max(4096)).max(256).optional(),
  timeout_s: z.int().min(1).max(86_400).optional(),
  network: z.boolean().optional(),
  secrets: SecretNames.optional(),
  run_id: RunId.optional(),
  task_id: z.uuid().optional(),
  claim_token: z.string().max(64).optional(),
})

/** The task on the agent of that machine; one that it names as well has to be there. */
async function onMachine(deps: RouteDeps, task: TaskRequest, machineId: string): Promise<TaskRequest> {
  const machines = (await listMachines(deps.db)).filter((one) => one.facts.machine_id === machineId)
  const fits = machines.find(
    ({ agentId, name }) => task.agent_id === undefined || [agentId, name].includes(task.agent_id),
  )
  if (!fits) throw new ApiError(422, 'UNKNOWN_AGENT', 'No such agent is enrolled on this machine.')
  return { ...task, agent_id: fits.agentId }
}

/** Work that a program asks for. */
export const enqueueRoutes: readonly Route[] = [
  route({
    method: 'POST',
    url: '/v1/tasks/enqueue',
    scope: 'operate',
    summary: 'Takes a task, or several that depend on each other, through policy into the ledger.',
    description:
      'The same task_id again answers what the first call made. Without run_id a run is made. Where policy asks, the tasks are held until their approval is decided, and the answer is 202.',
    body: EnqueueBody,
    example: { action: 'shell', params: { command: 'npm test' } },
    answers: { 200: EnqueuedBody, 201: EnqueuedBody, 202: EnqueuedBody },
    errors,
    async handler(deps, { body, caller }) {
      const { run_id, ...rest } = body
      const tasks = 'tasks' in rest ? rest.tasks : [rest]
      const taken = await take(deps, caller, run_id, tasks)
      const made = await bodyOf(deps, taken)
      if (!taken.created) return answer(200, made)
      return taken.approvalId === null ? answer(201, made) : answer(202, made)
    },
  }),
  route({
    method: 'POST',
    url: '/v1/execute',
    scope: 'operate',
    summary: 'Runs one action at once, through policy: 202 with its run and task.',
    description: 'Held, with the approval’s id, where policy asks.',
    body: ExecuteBody,
    example: { action: 'shell', params: { command: 'git status' } },
    answers: { 202: EnqueuedBody },
    errors,
    async handler(deps, { body, caller }) {
      const { run_id, machine_id, network: _network, claim_token: _token, ...rest } = body
      const task = TaskRequest.safeParse({ ...rest, dispatch: 'push' })
      if (!task.success) {
        const [issue] = task.error.issues
        throw new ApiError(400, 'INVALID', `${issue?.path.join('.')}: ${issue?.message}`)
      }
      const placed = machine_id === undefined ? task.data : await onMachine(deps, task.data, machine_id)
      return answer(202, await bodyOf(deps, await take(deps, caller, run_id, [placed])))
    },
  }),
]
