import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Happening, moveTogether } from '../../core/events/moveTogether.ts'
import type { Machine } from '../../core/events/states.ts'
import type { Wake } from '../../core/queue/jobs.ts'
import { completePulled, type Holder, startPulled } from '../../core/scheduling/pulledAttempts.ts'
import { claimPulled } from '../../core/scheduling/pullTasks.ts'
import { enqueueTasks } from '../../core/tasks/enqueueTasks.ts'
import { TaskRequest } from '../../core/tasks/taskRequest.ts'
import { openTestControl, type TestControl } from '../support/control.ts'
import { newDatabase, type TestDatabase } from '../support/database.ts'
import { actual, replayed } from '../support/fleet.ts'

/* What happens to a run, its task and its attempt at once is one statement, and is told step by step all the same. */

let database: TestDatabase
let control: TestControl
/** What the queue was asked for. */
const woken: { name: string; payload: unknown }[] = []
beforeAll(async () => {
  database = await newDatabase()
  const opened = await openTestControl({ databaseUrl: database.url })
  const wake: Wake = (name, payload) => void woken.push({ name, payload })
  control = { ...opened, deps: { ...opened.deps, wake } }
})
afterAll(async () => {
  await control?.close()
  await database?.drop()
})

type Asked = { runId?: string; after?: string }

async function enqueue({ runId, after }: Asked = {}): Promise<{ runId: string; taskId: string }> {
  const task = TaskRequest.parse({
    action: 'noop',
    dispatch: 'pull',
    agent_id: 'outside',
    ...(after ? { dependencies: [after] } : {}),
  })
  const done = await enqueueTasks(control.deps, { runId: runId ?? null, personId: null, tasks: [task] })
  if (done.kind !== 'enqueued') throw new Error(JSON.stringify(done))
  return { runId: done.runId, taskId: done.taskIds[0] ?? '' }
}

async function claim(taskId: string): Promise<{ holder: Holder; attemptId: string }> {
  const pulled = await claimPulled(control.deps, { agent: 'outside', capabilities: [], taskId })
  if (pulled.kind !== 'claimed') throw new Error(pulled.kind)
  const { claimToken, attemptId } = pulled.claim
  return { holder: { taskId, agent: 'outside', claimToken }, attemptId }
}

const complete = (holder: Holder) =>
  completePulled(control.deps, holder, { status: 'succeeded', result: 'ok', error: null })

const statusOf = async (machine: Machine, id: string): Promise<string | undefined> => {
  const rows = await control.deps.db.query<{ status: string }>(
    `SELECT status FROM ${machine} WHERE id = $1`,
    [id],
  )
  return rows[0]?.status
}

const told = async (runId: string): Promise<string[]> => {
  const rows = await control.deps.db.query<{ type: string; data: { from?: string; status?: string } }>(
    'SELECT type, data FROM event WHERE run_id = $1 ORDER BY seq',
    [runId],
  )
  return rows.map(({ type, data }) => [type, data.from ?? data.status].filter(Boolean).join(' < '))
}

test('a life is told step by step, in the order of its steps', async () => {
  const { runId, taskId } = await enqueue()
  const { holder } = await claim(taskId)
  expect(await startPulled(control.deps, holder)).toMatchObject({ kind: 'held', status: 'running' })
  expect(await complete(holder)).toMatchObject({ kind: 'held', status: 'succeeded', leaseUntil: null })
  expect(await told(runId)).toEqual([
    'run.created < planning',
    'plan.made',
    'task.created < blocked',
    'run.running < planning',
    'task.queued < blocked',
    'task.claimed < queued',
    'attempt.claimed < claimed',
    'attempt.started < claimed',
    'task.running < claimed',
    'attempt.exited < started',
    'task.succeeded < running',
    'attempt.tree_exited',
    'run.succeeded < running',
  ])
})

test('an end without a beginning is told with one; each row is written once', async () => {
  const { runId, taskId } = await enqueue()
  const { holder, attemptId } = await claim(taskId)
  expect(await complete(holder)).toMatchObject({ kind: 'held', status: 'succeeded' })
  expect((await told(runId)).slice(7)).toEqual([
    'attempt.started < claimed',
    'task.running < claimed',
    'attempt.exited < started',
    'task.succeeded < running',
    'attempt.tree_exited',
    'run.succeeded < running',
  ])
  expect(await statusOf('attempt', attemptId)).toBe('exited')
})

test('a beginning gives a lease, from the clock of the ledger', async () => {
  const { taskId } = await enqueue()
  const { holder } = await claim(taskId)
  const started = await startPulled(control.deps, holder)
  const [row] = await control.deps.db.query<{ lease_until: Date; ahead: boolean }>(
    'SELECT lease_until, lease_until > clock_timestamp() AS ahead FROM task WHERE id = $1',
    [taskId],
  )
  expect(started).toMatchObject({ leaseUntil: row?.lease_until })
  expect(row?.ahead).toBe(true)
})

test('a run that got another task meanwhile does not end with the first', async () => {
  const { runId, taskId } = await enqueue()
  const { holder } = await claim(taskId)
  await startPulled(control.deps, holder)
  const [, second] = await Promise.all([complete(holder), enqueue({ runId }).catch(() => null)])
  if (second) {
    expect(await statusOf('run', runId)).toBe('running')
    await complete((await claim(second.taskId)).holder)
  }
  expect(await statusOf('run', runId)).toBe('succeeded')
  const other = await enqueue()
  const held = (await claim(other.taskId)).holder
  const more = await enqueue({ runId: other.runId })
  await complete(held)
  expect(await statusOf('run', other.runId)).toBe('running')
  await complete((await claim(more.taskId)).holder)
  expect(await statusOf('run', other.runId)).toBe('succeeded')
})

test('a task of another run that waits for the only one of this is settled with its end', async () => {
  const first = await enqueue()
  const { holder } = await claim(first.taskId)
  const second = await enqueue({ after: first.taskId })
  expect(await statusOf('task', second.taskId)).toBe('blocked')
  await complete(holder)
  expect(await statusOf('run', first.runId)).toBe('succeeded')
  expect(woken).toContainEqual({ name: 'run.settle', payload: { runId: second.runId } })
})

test('a row in another status takes all of it back', async () => {
  const { taskId, runId } = await enqueue()
  const { attemptId } = await claim(taskId)
  const moves: Happening[] = [
    { machine: 'attempt', id: attemptId, runId, from: 'claimed', to: 'started', set: {} },
    { machine: 'task', id: taskId, from: 'running', to: 'succeeded', set: {} },
  ]
  await expect(control.deps.db.tx((tx) => moveTogether(tx, moves))).rejects.toThrow('a task moved')
  expect([await statusOf('attempt', attemptId), await statusOf('task', taskId)]).toEqual([
    'claimed',
    'claimed',
  ])
  const illegal: Happening[] = [{ machine: 'run', id: randomUUID(), from: 'failed', to: 'paused', set: {} }]
  await expect(control.deps.db.tx((tx) => moveTogether(tx, illegal))).rejects.toThrow('is not a transition')
})

test('replaying the events gives the states, after everything else here', async () => {
  expect(await replayed(control.deps)).toEqual(await actual(control.deps))
})
