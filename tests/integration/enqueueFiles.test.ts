import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { cancelRun } from '../../core/runs/cancelRun.ts'
import { enqueueTasks } from '../../core/tasks/enqueueTasks.ts'
import { TaskRequest } from '../../core/tasks/taskRequest.ts'
import { openTestControl, type TestControl } from '../support/control.ts'
import { newDatabase, type TestDatabase } from '../support/database.ts'
import { addMachine, FakeGateway, type TestMachine } from '../support/fleet.ts'

/* A program's task that rests on a file: its agent is asked what the file holds while nothing is locked. */

let database: TestDatabase
let control: TestControl
let gateway: FakeGateway
let machine: TestMachine
beforeAll(async () => {
  database = await newDatabase()
  control = await openTestControl({ databaseUrl: database.url })
  gateway = await new FakeGateway().start()
  machine = await inspected()
})
afterAll(async () => {
  await gateway?.stop()
  await control?.close()
  await database?.drop()
})

async function inspected(): Promise<TestMachine> {
  const made = await addMachine(control.deps, { gatewayUrl: gateway.url })
  await control.deps.db.query(`UPDATE agent SET facts = facts || '{"inspects": true}' WHERE id = $1`, [
    made.agentId,
  ])
  return made
}

const script = (more: object = {}): TaskRequest =>
  TaskRequest.parse({
    ...{ action: 'shell', params: { command: 'bash mend.sh' }, dispatch: 'push' },
    ...{ agent_id: machine.agentId, cwd: machine.root, ...more },
  })
const enqueue = (task: TaskRequest, runId: string | null = null) =>
  enqueueTasks(control.deps, { runId, personId: null, tasks: [task] })
const found = (letter: string) => ({
  files: [{ path: '/work/mend.sh', sha256: letter.repeat(64), size: 3 }],
})

/** Asked once, it does something first. */
function whileAsked(act: () => Promise<unknown>): { times(): number } {
  let asked = 0
  gateway.onInspect = async () => {
    if (asked++ === 0) await act()
    return found('a')
  }
  return { times: () => asked }
}

async function rests(taskId: string): Promise<object> {
  const [row] = await control.deps.db.query<{ spec: { agent_id: string; rests_on?: object } }>(
    'SELECT spec FROM task WHERE id = $1',
    [taskId],
  )
  return { on: row?.spec.rests_on ?? null, agent: row?.spec.agent_id }
}

const onScript = [{ path: '/work/mend.sh', sha256: 'a'.repeat(64) }]

test('its run is cancelled meanwhile: the cancel waits for no answer, and the run takes no more tasks', async () => {
  const first = await enqueue(script({ params: { command: 'touch x' } }))
  if (first.kind !== 'enqueued') throw new Error(first.kind)
  const asked = whileAsked(() => control.deps.db.tx((tx) => cancelRun(control.deps, tx, first.runId, null)))
  expect(await enqueue(script(), first.runId)).toMatchObject({ kind: 'closed_run' })
  expect(asked.times()).toBe(1)
})

test('the same task comes again meanwhile: there is one, resting on what the file holds', async () => {
  const task_id = randomUUID()
  let other: unknown
  const asked = whileAsked(async () => {
    other = await enqueue(script({ task_id }))
  })
  expect(await enqueue(script({ task_id }))).toMatchObject({ kind: 'enqueued', created: false })
  expect(other).toMatchObject({ kind: 'enqueued', created: true })
  expect(asked.times()).toBe(2)
  expect(await rests(task_id)).toEqual({ on: onScript, agent: machine.agentId })
})

test('another machine is the best one by then: it is asked as well, and never left unasked', async () => {
  const other = await inspected()
  const task_id = randomUUID()
  const away = (id: string, is: boolean) =>
    control.deps.db.query('UPDATE agent SET connected = $2 WHERE id = $1', [id, !is])
  await away(other.agentId, true)
  const asked = whileAsked(async () => {
    await away(machine.agentId, true)
    await away(other.agentId, false)
  })
  expect(await enqueue(script({ task_id, agent_id: undefined }))).toMatchObject({ created: true })
  expect(asked.times()).toBe(2)
  expect(await rests(task_id)).toEqual({ on: onScript, agent: other.agentId })
  await away(machine.agentId, false)
  await away(other.agentId, true)
})

test('where policy says no, nobody is asked for files', async () => {
  const asked = whileAsked(async () => {})
  const command = 'bash mend.sh; rm -rf /'
  expect(await enqueue(script({ params: { command } }))).toMatchObject({ kind: 'denied' })
  expect(asked.times()).toBe(0)
})
