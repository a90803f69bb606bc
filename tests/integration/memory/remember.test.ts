import { afterAll, beforeAll, expect, test } from 'vitest'
import { recall } from '../../../core/memory/recall.ts'
import { rememberOnce } from '../../../core/memory/rememberOnce.ts'
import { claimTasks } from '../../../core/scheduling/claimTasks.ts'
import { openTestControl, type TestControl } from '../../support/control.ts'
import { newDatabase, type TestDatabase } from '../../support/database.ts'
import {
  accepted,
  addMachine,
  addPerson,
  exited,
  report,
  result,
  started,
  startRun,
  type TestMachine,
} from '../../support/fleet.ts'

let database: TestDatabase
let control: TestControl
let machine: TestMachine
let ana: string
const deps = () => control.deps
beforeAll(async () => {
  database = await newDatabase()
  control = await openTestControl({ databaseUrl: database.url })
  machine = await addMachine(deps())
  ana = await addPerson(deps(), 'owner')
})
afterAll(async () => {
  await control?.close()
  await database?.drop()
})

/** A run that has ended, with the command it was for. */
async function ended(command: string, status: 'succeeded' | 'failed') {
  const run = await startRun(deps(), machine, [{ key: 'a', command }], ana)
  await deps().db.query('UPDATE run SET request = $2 WHERE id = $1', [run.id, command])
  const { claims } = await claimTasks(deps(), 10)
  for (const claim of claims) await report(deps(), claim, accepted(), started(), result(status), exited())
  return run
}

test('what a run came to is remembered by itself, once', async () => {
  const run = await ended('sleep 1', 'failed')
  // An event is read once no older transaction of the server is open: other tests have some.
  await expect.poll(() => rememberOnce(deps()), { timeout: 20_000 }).toBe(1)
  expect(await rememberOnce(deps())).toBe(0)
  const [memory, ...more] = await recall(deps(), {
    text: 'sleep',
    agentId: machine.agentId,
    personId: ana,
    limit: 5,
  })
  expect(more).toEqual([])
  expect(memory).toMatchObject({ kind: 'task', runId: run.id, succeeded: false, times: 1, trusted: true })
  expect(memory?.text).toContain('Asked: sleep 1')
})
