import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Deps } from '../../core/deps.ts'
import { planRun } from '../../core/planning/planRun.ts'
import { stopJobs } from '../../core/queue/stopReason.ts'
import { cancelRun } from '../../core/runs/cancelRun.ts'
import { createRun } from '../../core/runs/createRun.ts'
import { claimTasks } from '../../core/scheduling/claimTasks.ts'
import { startWorkers } from '../../workers/main.ts'
import { openTestControl, type TestControl } from '../support/control.ts'
import { newDatabase, type TestDatabase } from '../support/database.ts'
import {
  accepted,
  addMachine,
  exited,
  report,
  result,
  started,
  startRun,
  type TestMachine,
} from '../support/fleet.ts'
import { draft, draftStep, type Scripted, scriptedModel } from '../support/scriptedModel.ts'

/* Workers that stop while a model is thinking: nobody waits for it, and the next worker asks again. */

let database: TestDatabase
let control: TestControl
let machine: TestMachine
const model = scriptedModel()

beforeAll(async () => {
  database = await newDatabase()
  control = await openTestControl({ databaseUrl: database.url, model })
  machine = await addMachine(control.deps)
  // Nobody looks around on a machine that is away.
  await control.deps.db.query('UPDATE agent SET connected = false')
})
afterAll(async () => {
  await control?.close()
  await database?.drop()
})

const answer = draft('Make it', [draftStep('x', 'touch made')])

/** A model that says nothing until the question is broken off. */
function thinking(): { asked: Promise<AbortSignal | undefined>; reply: Scripted } {
  const asked = Promise.withResolvers<AbortSignal | undefined>()
  const reply: Scripted = ({ signal }) =>
    new Promise((_, reject) => {
      signal?.addEventListener('abort', () => reject(signal.reason))
      asked.resolve(signal)
    })
  return { asked: asked.promise, reply }
}

const request = (deps: Deps = control.deps): Promise<{ id: string }> =>
  deps.db.tx((tx) =>
    createRun(deps, tx, {
      kind: 'request',
      request: 'zap the widgets',
      personId: null,
      chat: null,
      place: { agentId: machine.agentId, cwd: machine.root },
    }),
  )

async function look(runId: string): Promise<{ status: string; tries: number } | undefined> {
  const [run] = await control.deps.db.query<{ status: string; tries: number }>(
    'SELECT status, planning_tries AS tries FROM run WHERE id = $1',
    [runId],
  )
  return run
}

test('the question for a plan is broken off, costs no try, and the next planner has the run at once', async () => {
  const { id } = await request({ ...control.deps, wake: () => {} })
  const { asked, reply } = thinking()
  const stopping = new AbortController()
  model.push(reply)
  const planning = planRun(control.deps, id, stopping.signal)
  await asked
  stopJobs(stopping)
  expect(await planning).toBe('left')
  expect(await look(id)).toEqual({ status: 'planning', tries: 0 })
  model.push(answer)
  expect(await planRun(control.deps, id, new AbortController().signal)).toBe('planned')
  expect(await look(id)).toEqual({ status: 'awaiting_approval', tries: 1 })
})

test('a job that is lost again and again costs tries, and the run is given up', async () => {
  const { id } = await request({ ...control.deps, wake: () => {} })
  for (const tries of [1, 2, 3]) {
    const { asked, reply } = thinking()
    const lost = new AbortController()
    model.push(reply)
    const planning = planRun(control.deps, id, lost.signal)
    await asked
    lost.abort(new Error('the lock was lost'))
    expect(await planning).toBe('left')
    expect(await look(id)).toEqual({ status: 'planning', tries })
  }
  expect(await planRun(control.deps, id, new AbortController().signal)).toBe('planned')
  expect((await look(id))?.status).toBe('failed')
})

test('a worker that stops waits for no plan, and the next one makes it', async () => {
  const { asked, reply } = thinking()
  model.push(reply)
  const workers = startWorkers(control.deps, control.queue)
  const { id } = await request()
  const signal = await asked
  await workers.stop()
  expect(signal?.aborted).toBe(true)
  expect(await look(id)).toEqual({ status: 'planning', tries: 0 })
  model.push(answer)
  const others = startWorkers(control.deps, control.queue)
  await expect.poll(() => look(id), { timeout: 20_000 }).toEqual({ status: 'awaiting_approval', tries: 1 })
  await others.stop()
})

test('a worker that stops waits for no other way for what failed', async () => {
  const { asked, reply } = thinking()
  model.push(reply)
  const recovery = { ...control.deps.settings.recovery, hasModel: true }
  const own = { ...control.deps, settings: { ...control.deps.settings, recovery } }
  const run = await startRun(own, await addMachine(own), [{ key: '1' }])
  for (const claim of (await claimTasks(own, 20)).claims)
    await report(own, claim, accepted(), started(), result('failed', 'error: x'), exited())
  const workers = startWorkers(own, control.queue)
  const signal = await asked
  await workers.stop()
  expect(signal?.aborted).toBe(true)
  await own.db.tx((tx) => cancelRun(own, tx, run.id, null))
})
