import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { dispatchClaim } from '../../core/dispatch/dispatchClaim.ts'
import { registerWorker } from '../../core/fleet/registerWorker.ts'
import { type Claim, claimTasks } from '../../core/scheduling/claimTasks.ts'
import { reapClaimsOnce } from '../../core/scheduling/reap.ts'
import { openTestControl, type TestControl } from '../support/control.ts'
import { newDatabase, type TestDatabase } from '../support/database.ts'
import {
  accepted,
  addMachine,
  FakeGateway,
  factsOf,
  report,
  started,
  startRun,
  states,
  type TestMachine,
} from '../support/fleet.ts'

let database: TestDatabase
let control: TestControl
let gateway: FakeGateway
let machine: TestMachine
beforeAll(async () => {
  database = await newDatabase()
  control = await openTestControl({ databaseUrl: database.url })
  gateway = await new FakeGateway().start()
})
afterAll(async () => {
  await gateway.stop()
  await control.close()
  await database.drop()
})
beforeEach(async () => {
  await control.deps.db.query('UPDATE agent SET connected = false')
  machine = await addMachine(control.deps, { gatewayUrl: gateway.url })
  gateway.answer = () => 202
})

async function claimOne(): Promise<Claim & { run: string }> {
  const run = await startRun(control.deps, machine, [{ key: 'a' }])
  const [claim] = (await claimTasks(control.deps, 1)).claims
  if (!claim) throw new Error('nothing was claimed')
  return { ...claim, run: run.id }
}

const hello = (session: string) =>
  registerWorker(control.deps, {
    gateway_id: machine.gatewayId,
    agent_id: machine.agentId,
    credential: machine.credential,
    hello: true,
    facts: factsOf(machine),
    attempts: [],
    session,
  })

test('a hello that broke off before its loss was written is evidence of it when it comes again', async () => {
  const { db } = control.deps
  const claim = await claimOne()
  await report(control.deps, claim, accepted(), started())
  const session = randomUUID()
  await db.tx(async (tx) => {
    await tx.query('SELECT 1 FROM run WHERE id = $1 FOR UPDATE', [claim.run])
    const broken = expect(hello(session)).rejects.toThrow()
    const waiting =
      "SELECT pid FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
    await expect.poll(async () => (await db.query(waiting)).length).toBe(1)
    await db.query(`SELECT pg_terminate_backend(pid) FROM (${waiting}) w`)
    await broken
  })
  expect((await states(control.deps, claim.run)).tasks.a).toBe('running')
  await hello(session)
  expect((await states(control.deps, claim.run)).tasks.a).toBe('queued')
})

test('what was on its way to an agent when it went away is sent again with its hello, not a lease later', async () => {
  const claim = await claimOne()
  await hello(randomUUID())
  expect(await reapClaimsOnce(control.deps)).toBe(1)
  expect(gateway.actions.map(({ execution_id }) => execution_id)).toEqual([claim.attemptId])
})

test('whoever stood still while its claim was sent again does not give it back: the agent may have it', async () => {
  const { deps } = control
  const stuck = await claimOne()
  await hello(randomUUID())
  expect(await reapClaimsOnce(deps)).toBe(1)
  gateway.answer = () => 503
  expect(await dispatchClaim(deps, stuck)).toBe('unknown')
  expect((await states(deps, stuck.run)).tasks.a).toBe('claimed')
})

test('a claim that nobody sent again is given back when it is turned down', async () => {
  const { deps } = control
  const claim = await claimOne()
  gateway.answer = () => 503
  expect(await dispatchClaim(deps, claim)).toBe('released')
  expect((await states(deps, claim.run)).tasks.a).toBe('queued')
})
