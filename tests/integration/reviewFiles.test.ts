import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { registerWorker } from '../../core/fleet/registerWorker.ts'
import { cancelRun } from '../../core/runs/cancelRun.ts'
import { reviewTask } from '../../core/runs/reviewTask.ts'
import { type Claim, claimTasks } from '../../core/scheduling/claimTasks.ts'
import { reapSilentOnce } from '../../core/scheduling/reap.ts'
import { openTestControl, type TestControl } from '../support/control.ts'
import { newDatabase, type TestDatabase } from '../support/database.ts'
import {
  accepted,
  addMachine,
  addPerson,
  approve,
  exited,
  factsOf,
  report,
  result,
  started,
  startRun,
  states,
  type TestMachine,
} from '../support/fleet.ts'

let database: TestDatabase
let control: TestControl
let machine: TestMachine
beforeAll(async () => {
  database = await newDatabase()
  control = await openTestControl({ databaseUrl: database.url })
})
afterAll(async () => {
  await control.close()
  await database.drop()
})
beforeEach(async () => {
  await control.deps.db.query('UPDATE agent SET connected = false')
  machine = await addMachine(control.deps)
})

type Run = Awaited<ReturnType<typeof startRun>>

async function writing(key: string): Promise<Run> {
  const run = await startRun(control.deps, machine, [{ key, command: `touch ${key}` }])
  await approve(control.deps, run.id)
  return run
}

const claims = async (): Promise<Claim[]> => (await claimTasks(control.deps, 10)).claims

/** A task that began on a machine which was then silent too long, and that a person decided about. */
async function decided(verdict: 'again' | 'skip'): Promise<{ run: Run; old: Claim }> {
  const { deps } = control
  const run = await writing('a')
  const [old] = await claims()
  if (!old) throw new Error('nothing was claimed')
  await report(deps, old, accepted(), started())
  await deps.db.query(
    "UPDATE agent SET connected = false, disconnected_at = clock_timestamp() - interval '11 min' WHERE id = $1",
    [machine.agentId],
  )
  await reapSilentOnce(deps)
  const personId = await addPerson(deps, 'owner')
  const task = { runId: run.id, taskId: run.tasks.a ?? '' }
  expect(await deps.db.tx((tx) => reviewTask(deps, tx, task, verdict, personId))).toBe(true)
  return { run, old }
}

const hello = (attempts: HeldList) =>
  registerWorker(control.deps, {
    gateway_id: machine.gatewayId,
    agent_id: machine.agentId,
    credential: machine.credential,
    hello: true,
    facts: factsOf(machine),
    attempts,
  })
type HeldList = { execution_id: string; state: 'alive' | 'unacknowledged' }[]
const alive = ({ attemptId }: Claim): HeldList => [{ execution_id: attemptId, state: 'alive' }]

test('run again while its machine is silent: it starts only when the old attempt is confirmed to be gone', async () => {
  const { run, old } = await decided('again')
  expect(await hello(alive(old))).toMatchObject({ cancel: [old.attemptId] })
  expect(await claims()).toEqual([])
  await report(control.deps, old, result('cancelled'))
  expect(await claims()).toEqual([])
  await report(control.deps, old, exited())
  expect((await claims()).map(({ taskId }) => taskId)).toEqual([run.tasks.a])
})

test('run again, and the machine comes back without the old attempt: it starts', async () => {
  const { run } = await decided('again')
  await hello([])
  expect((await claims()).map(({ taskId }) => taskId)).toEqual([run.tasks.a])
})

test.each(['skip', 'again, then cancelled'])(
  '%s: its files are kept until it is confirmed to be gone',
  async (way) => {
    const { deps } = control
    const { run, old } = await decided(way === 'skip' ? 'skip' : 'again')
    if (way !== 'skip') await deps.db.tx((tx) => cancelRun(deps, tx, run.id, null))
    const other = await writing('b')
    await hello(alive(old))
    expect(await claims()).toEqual([])
    await report(deps, old, result('cancelled'), exited())
    expect((await claims()).map(({ taskId }) => taskId)).toEqual([other.tasks.b])
    expect((await states(deps, run.id)).run).toBe(way === 'skip' ? 'failed' : 'cancelled')
  },
)
