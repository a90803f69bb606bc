import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { forceCancelOnce } from '../../core/dispatch/cancelAttempts.ts'
import { grantFault, readPublicKey } from '../../core/protocol/grants.ts'
import { cancelRun } from '../../core/runs/cancelRun.ts'
import { settleRun } from '../../core/runs/settleRun.ts'
import { claimTasks } from '../../core/scheduling/claimTasks.ts'
import {
  completeAllPulled,
  completePulled,
  type Held,
  type Holder,
  heartbeatPulled,
  releasePulled,
  startPulled,
} from '../../core/scheduling/pulledAttempts.ts'
import { claimAllPulled, claimPulled, type Pulled, peekTask } from '../../core/scheduling/pullTasks.ts'
import { reapPulledOnce } from '../../core/scheduling/reapPulled.ts'
import { type Enqueued, enqueueTasks } from '../../core/tasks/enqueueTasks.ts'
import { TaskRequest } from '../../core/tasks/taskRequest.ts'
import { openTestControl, type TestControl } from '../support/control.ts'
import { newDatabase, type TestDatabase } from '../support/database.ts'
import { actual, addMachine, approve, replayed, type TestMachine } from '../support/fleet.ts'

/* Tasks of programs: enqueued, claimed by outside agents, started, completed, lost, cancelled. Each test in a scope of its own. */

let database: TestDatabase
let control: TestControl
let machine: TestMachine
beforeAll(async () => {
  database = await newDatabase()
  control = await openTestControl({ databaseUrl: database.url, poolSize: 16 })
  machine = await addMachine(control.deps, { name: 'laptop' })
})
afterAll(async () => {
  await control?.close()
  await database?.drop()
})
let scope: string
let agent: string
beforeEach(() => {
  scope = randomUUID()
  agent = `agent-${randomUUID().slice(0, 8)}`
})

const task = (more: object = {}): TaskRequest =>
  TaskRequest.parse({ action: 'noop', dispatch: 'pull', agent_id: agent, ownership_scope: scope, ...more })
const enqueue = (tasks: TaskRequest | TaskRequest[], runId: string | null = null): Promise<Enqueued> =>
  enqueueTasks(control.deps, { runId, personId: null, tasks: [tasks].flat() })
async function add(more: object = {}, runId: string | null = null): Promise<{ id: string; runId: string }> {
  const done = await enqueue(task(more), runId)
  if (done.kind !== 'enqueued') throw new Error(JSON.stringify(done))
  return { id: done.taskIds[0] ?? '', runId: done.runId }
}
const claim = (taskId: string | null = null, who = agent, capabilities: string[] = []): Promise<Pulled> =>
  claimPulled(control.deps, { agent: who, capabilities, taskId })
async function claimed(taskId: string | null = null, who = agent): Promise<Holder> {
  const pulled = await claim(taskId, who)
  if (pulled.kind !== 'claimed') throw new Error(JSON.stringify(pulled))
  return { taskId: pulled.claim.taskId, agent: who, claimToken: pulled.claim.claimToken }
}
const done = (holder: Holder, status: 'succeeded' | 'failed' = 'succeeded'): Promise<Held> =>
  completePulled(control.deps, holder, { status, result: 'fine', error: null })
const statusOf = async (id: string): Promise<string | undefined> =>
  (await control.deps.db.query<{ status: string }>('SELECT status FROM task WHERE id = $1', [id]))[0]?.status
const runOf = async (id: string): Promise<string | undefined> =>
  (await control.deps.db.query<{ status: string }>('SELECT status FROM run WHERE id = $1', [id]))[0]?.status
const lapse = (id: string): Promise<object[]> =>
  control.deps.db.query("UPDATE task SET lease_until = clock_timestamp() - interval '1 ms' WHERE id = $1", [
    id,
  ])

describe('a task of a program', () => {
  test('goes the whole way, and says its end twice without harm', async () => {
    const { id, runId } = await add({ title: 'one' })
    expect(await statusOf(id)).toBe('queued')
    expect(await peekTask(control.deps.db, { agent, capabilities: [] })).toBe(id)
    const pulled = await claim()
    if (pulled.kind !== 'claimed') throw new Error(pulled.kind)
    expect(pulled.claim.taskId).toBe(id)
    expect(pulled.leaseUntil.getTime()).toBeGreaterThan(Date.now())
    const { grant, spec } = pulled.claim
    const want = {
      spec,
      executionId: pulled.claim.attemptId,
      agentId: pulled.claim.agentId,
      machineId: spec.machine_id,
    }
    expect(grantFault(grant, { ...want, now: new Date() }, readPublicKey(control.controlKey))).toBeNull()
    const holder = { taskId: id, agent, claimToken: pulled.claim.claimToken }
    expect(await claim()).toEqual({ kind: 'none' })
    expect(await startPulled(control.deps, holder)).toMatchObject({ kind: 'held', status: 'running' })
    expect(await startPulled(control.deps, holder)).toMatchObject({ kind: 'repeated', status: 'running' })
    expect(await heartbeatPulled(control.deps, holder)).toMatchObject({ kind: 'held', cancel: false })
    expect(await done(holder)).toMatchObject({ kind: 'held', status: 'succeeded' })
    expect(await done(holder)).toEqual({ kind: 'repeated', status: 'succeeded' })
    expect(await heartbeatPulled(control.deps, holder)).toMatchObject({ kind: 'lost' })
    expect([await statusOf(id), await runOf(runId)]).toEqual(['succeeded', 'succeeded'])
    expect(await replayed(control.deps)).toEqual(await actual(control.deps))
  })

  test('asked for twice with its id is made once', async () => {
    const task_id = randomUUID()
    const both = await Promise.all([1, 2, 3].map(() => enqueue(task({ task_id }))))
    expect(both.filter((one) => one.kind === 'enqueued' && one.created)).toHaveLength(1)
    expect(new Set(both.map((one) => (one.kind === 'enqueued' ? one.runId : one.kind))).size).toBe(1)
  })

  test('waits for others, of its batch and of other runs, and gets them in order', async () => {
    const before = await add({ title: 'before' })
    const [a, b] = [randomUUID(), randomUUID()]
    const batch = await enqueue([
      task({ task_id: b, dependencies: [a] }),
      task({ task_id: a, dependencies: [before.id] }),
    ])
    expect(batch.kind).toBe('enqueued')
    expect([await statusOf(a), await statusOf(b)]).toEqual(['blocked', 'blocked'])
    await done(await claimed(before.id))
    if (batch.kind === 'enqueued') await control.deps.db.tx((tx) => settleRun(control.deps, tx, batch.runId))
    expect([await statusOf(a), await statusOf(b)]).toEqual(['queued', 'blocked'])
    await done(await claimed(a), 'failed')
    expect(await statusOf(b)).toBe('skipped')
  })

  test('is refused whole for a circle, an unknown dependency, a double id', async () => {
    const [a, b] = [randomUUID(), randomUUID()]
    expect(await enqueue(task({ task_id: a, dependencies: [a] }))).toMatchObject({ code: 'CYCLE' })
    expect(
      await enqueue([task({ task_id: a, dependencies: [b] }), task({ task_id: b, dependencies: [a] })]),
    ).toMatchObject({ kind: 'fault', code: 'CYCLE' })
    expect(await enqueue(task({ dependencies: [a] }))).toMatchObject({ code: 'UNKNOWN_DEPENDENCY' })
    expect(await enqueue([task({ task_id: a }), task({ task_id: a })])).toMatchObject({
      code: 'REPEATED_TASK',
    })
    expect(await statusOf(a)).toBeUndefined()
  })

  test('joins the run it names, while that is open', async () => {
    const first = await add()
    const second = await add({}, first.runId)
    expect(second.runId).toBe(first.runId)
    await done(await claimed(first.id))
    expect(await runOf(first.runId)).toBe('running')
    await done(await claimed(second.id))
    expect(await runOf(first.runId)).toBe('succeeded')
    expect(await enqueue(task(), first.runId)).toMatchObject({ kind: 'closed_run' })
    expect(await enqueue(task(), randomUUID())).toEqual({ kind: 'unknown_run' })
  })

  test('that policy asks about is held until it is approved; denied is not taken at all', async () => {
    const held = await enqueue(task({ action: 'shell', params: { command: 'touch x' }, cwd: '/w' }))
    if (held.kind !== 'enqueued' || !held.approvalId) throw new Error(JSON.stringify(held))
    const id = held.taskIds[0] ?? ''
    expect(await statusOf(id)).toBe('held')
    expect(await claim(id)).toMatchObject({ kind: 'not_claimable' })
    await approve(control.deps, held.runId)
    await done(await claimed(id))
    expect(await runOf(held.runId)).toBe('succeeded')
    const denied = await enqueue(task({ action: 'shell', params: { command: 'rm -rf /' } }))
    expect(denied).toMatchObject({ kind: 'denied', verdict: { verdict: 'deny' } })
  })

  test('that is pushed goes to the agent it names or the best one, and needs one', async () => {
    const named = await enqueue(task({ dispatch: 'push', agent_id: 'laptop' }))
    const open = await enqueue(TaskRequest.parse({ action: 'noop' }))
    expect([named.kind, open.kind]).toEqual(['enqueued', 'enqueued'])
    const { claims } = await claimTasks(control.deps, 10)
    expect(claims.map((one) => one.agentId)).toEqual([machine.agentId, machine.agentId])
    expect(await enqueue(task({ dispatch: 'push', agent_id: 'nobody' }))).toMatchObject({
      code: 'UNKNOWN_AGENT',
    })
    expect(await enqueue(TaskRequest.parse({ action: 'noop', capabilities: ['quantum'] }))).toMatchObject({
      code: 'NO_AGENT',
    })
    expect(await enqueue(task({ dispatch: 'push', agent_id: 'laptop', cwd: '/etc' }))).toMatchObject({
      code: 'OUTSIDE_ROOTS',
    })
    expect(await claim(named.kind === 'enqueued' ? (named.taskIds[0] ?? '') : '')).toMatchObject({
      kind: 'not_claimable',
    })
  })
})

describe('many at once', () => {
  const claimMany = async (limit: number): Promise<Holder[]> => {
    const pulled = await claimAllPulled(control.deps, { agent, capabilities: [], taskId: null }, limit)
    if (pulled.kind !== 'claimed') return []
    return pulled.claims.map(({ claim: { taskId, claimToken } }) => ({ taskId, agent, claimToken }))
  }
  const endAll = (holders: readonly Holder[]): Promise<Held[]> => {
    const completion = { status: 'succeeded' as const, result: 'fine', error: null }
    return completeAllPulled(
      control.deps,
      holders.map((holder) => ({ holder, completion })),
    )
  }

  test('tasks are claimed by priority and age, each once, by however many', async () => {
    const made = await enqueue([task({ priority: 1 }), ...Array.from({ length: 30 }, () => task())])
    if (made.kind !== 'enqueued') throw new Error(made.kind)
    const [first] = await claimMany(1)
    expect(first?.taskId).toBe(made.taskIds[0])
    const taken = (await Promise.all([claimMany(9), claimMany(9), claimMany(9), claimMany(9)])).flat()
    const all = [first, ...taken].map((holder) => holder?.taskId)
    expect(new Set(all).size).toBe(all.length)
    for (const { taskId } of await claimMany(50)) all.push(taskId)
    expect(all.sort()).toEqual([...made.taskIds].sort())
  })

  test('ends are told together; what was said before, what is not theirs and what nobody had stands in its place', async () => {
    await enqueue([task(), task(), task()])
    const [a, b, c] = await claimMany(3)
    if (!a || !b || !c) throw new Error('there were three')
    expect((await endAll([a]))[0]?.kind).toBe('held')
    const strange = { ...c, claimToken: 'another' }
    const nowhere = { taskId: randomUUID(), agent, claimToken: 'none' }
    const kinds = (await endAll([a, b, strange, nowhere, b])).map(({ kind }) => kind)
    expect(kinds).toEqual(['repeated', 'held', 'lost', 'unknown_task', 'held'])
    expect(await statusOf(b.taskId)).toBe('succeeded')
    expect(await statusOf(c.taskId)).toBe('claimed')
    await endAll([c])
    expect(await statusOf(c.taskId)).toBe('succeeded')
  })
})

describe('claims', () => {
  test('20 agents at once each get another task, by priority', async () => {
    const ids = await Promise.all(Array.from({ length: 20 }, (_, i) => add({ agent_id: agent, priority: i })))
    const holders = await Promise.all(ids.map(() => claimed()))
    expect(new Set(holders.map((holder) => holder.taskId)).size).toBe(20)
    const one = await add({ priority: 1 })
    const two = await add({ priority: 2 })
    expect((await claimed()).taskId).toBe(two.id)
    expect((await claimed()).taskId).toBe(one.id)
  })

  test('a task for anybody goes to one who can do what it needs', async () => {
    const { id } = await add({ agent_id: undefined, capabilities: [`gpu-${scope.slice(0, 8)}`] })
    expect(await claim(id)).toMatchObject({ kind: 'not_claimable' })
    const pulled = await claim(id, agent, [`gpu-${scope.slice(0, 8)}`])
    expect(pulled.kind).toBe('claimed')
    expect(await claim(id, 'other')).toMatchObject({ kind: 'not_claimable' })
    expect(await claim(randomUUID())).toEqual({ kind: 'unknown_task' })
  })

  test('files are owned in the scope, directories with what is below', async () => {
    const write = { action: 'file_write', params: { path: 'x', content: '' }, cwd: '/w' }
    const ask = async (files: string[], at = scope) => {
      const made = await enqueue(task({ ...write, required_files: files, ownership_scope: at }))
      if (made.kind !== 'enqueued') throw new Error(JSON.stringify(made))
      await approve(control.deps, made.runId)
      return made.taskIds[0] ?? ''
    }
    const dir = await ask(['src'])
    const file = await ask(['src/../src/a.ts'])
    const elsewhere = await ask(['src'], `${scope}-2`)
    const holder = await claimed(dir)
    expect(await claim(file)).toMatchObject({ kind: 'not_claimable' })
    expect((await claimed(elsewhere)).taskId).toBe(elsewhere)
    await done(holder)
    expect((await claimed(file)).taskId).toBe(file)
  })

  test('a stale or foreign token is refused everywhere', async () => {
    const { id } = await add()
    const holder = await claimed(id)
    const stranger = { ...holder, agent: 'stranger' }
    const forged = { ...holder, claimToken: 'x'.repeat(32) }
    for (const wrong of [stranger, forged]) {
      for (const call of [startPulled, heartbeatPulled])
        expect(await call(control.deps, wrong)).toMatchObject({ kind: 'lost' })
      expect(await done(wrong)).toMatchObject({ kind: 'lost' })
      expect(await releasePulled(control.deps, wrong, '')).toMatchObject({ kind: 'lost' })
    }
    expect(await done({ ...holder, taskId: randomUUID() })).toEqual({ kind: 'unknown_task' })
    expect(await statusOf(id)).toBe('claimed')
  })
})

describe('silence', () => {
  test('before the start: queued again under a new token, until its attempts are used up', async () => {
    const { id, runId } = await add({ max_attempts: 2 })
    const holder = await claimed(id)
    expect(await reapPulledOnce(control.deps)).toBe(0)
    await lapse(id)
    await Promise.all([reapPulledOnce(control.deps), reapPulledOnce(control.deps)])
    expect(await statusOf(id)).toBe('queued')
    expect(await startPulled(control.deps, holder)).toMatchObject({ kind: 'lost' })
    await claimed(id)
    await lapse(id)
    await reapPulledOnce(control.deps)
    expect([await statusOf(id), await runOf(runId)]).toEqual(['failed_timeout', 'failed'])
  })

  test('after the start: what only reads is queued again', async () => {
    const { id } = await add()
    const holder = await claimed(id)
    await startPulled(control.deps, holder)
    await lapse(id)
    await reapPulledOnce(control.deps)
    expect(await statusOf(id)).toBe('queued')
    expect(await done(holder)).toMatchObject({ kind: 'lost' })
  })

  test('after the start: what writes needs review, goes on with a heartbeat, and its late end counts', async () => {
    const made = await enqueue(task({ action: 'run_tests', params: { tool: 'npm' }, cwd: '/w' }))
    if (made.kind !== 'enqueued') throw new Error(JSON.stringify(made))
    const id = made.taskIds[0] ?? ''
    await approve(control.deps, made.runId)
    const holder = await claimed(id)
    await startPulled(control.deps, holder)
    await lapse(id)
    await reapPulledOnce(control.deps)
    expect(await statusOf(id)).toBe('needs_review')
    expect(await heartbeatPulled(control.deps, holder)).toMatchObject({ kind: 'held', status: 'running' })
    await lapse(id)
    await reapPulledOnce(control.deps)
    expect(await statusOf(id)).toBe('needs_review')
    expect(await done(holder)).toMatchObject({ kind: 'held', status: 'succeeded' })
    expect(await replayed(control.deps)).toEqual(await actual(control.deps))
  })
})

describe('giving back and cancelling', () => {
  test('released before the start it is queued again', async () => {
    const { id } = await add()
    const holder = await claimed(id)
    expect(await releasePulled(control.deps, holder, 'busy')).toMatchObject({
      kind: 'held',
      status: 'queued',
    })
    expect(await releasePulled(control.deps, holder, 'busy')).toMatchObject({ kind: 'repeated' })
    expect(await startPulled(control.deps, holder)).toMatchObject({ kind: 'lost' })
    expect(await statusOf(id)).toBe('queued')
  })

  test('cancelled while claimed: it cannot begin, and is cancelled with the lease', async () => {
    const { id, runId } = await add()
    const holder = await claimed(id)
    await control.deps.db.tx((tx) => cancelRun(control.deps, tx, runId, null))
    expect(await startPulled(control.deps, holder)).toMatchObject({ kind: 'lost' })
    expect(await runOf(runId)).toBe('cancelling')
    await lapse(id)
    await reapPulledOnce(control.deps)
    expect([await statusOf(id), await runOf(runId)]).toEqual(['cancelled', 'cancelled'])
  })

  test('cancelled while running: the holder is told, and its end confirms it', async () => {
    const { id, runId } = await add()
    const holder = await claimed(id)
    await startPulled(control.deps, holder)
    await control.deps.db.tx((tx) => cancelRun(control.deps, tx, runId, null))
    expect(await heartbeatPulled(control.deps, holder)).toMatchObject({ kind: 'held', cancel: true })
    await done(holder, 'failed')
    expect([await statusOf(id), await runOf(runId)]).toEqual(['cancelled', 'cancelled'])
  })

  test('cancelled and never confirmed: force-cancelled until its holder is heard of', async () => {
    const { id, runId } = await add()
    const holder = await claimed(id)
    await startPulled(control.deps, holder)
    await control.deps.db.tx((tx) => cancelRun(control.deps, tx, runId, null))
    await control.deps.db.query(
      "UPDATE attempt SET cancel_at = clock_timestamp() - interval '6 s' WHERE task_id = $1",
      [id],
    )
    await forceCancelOnce(control.deps)
    expect([await statusOf(id), await runOf(runId)]).toEqual(['force_cancelled', 'force_cancelled'])
    await lapse(id)
    await reapPulledOnce(control.deps)
    expect(await statusOf(id)).toBe('force_cancelled')
    await done(holder, 'failed')
    expect([await statusOf(id), await runOf(runId)]).toEqual(['cancelled', 'cancelled'])
    expect(await replayed(control.deps)).toEqual(await actual(control.deps))
  })
})
