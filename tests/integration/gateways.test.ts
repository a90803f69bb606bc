import { randomUUID } from 'node:crypto'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { cancelAttempts } from '../../core/dispatch/cancelAttempts.ts'
import { dispatchTasks } from '../../core/dispatch/dispatchTasks.ts'
import { probeGatewaysOnce } from '../../core/dispatch/probeGateways.ts'
import { disconnectSilentOnce, registerGateway } from '../../core/fleet/registerGateway.ts'
import { registerWorker } from '../../core/fleet/registerWorker.ts'
import { cancelRun } from '../../core/runs/cancelRun.ts'
import { claimTasks } from '../../core/scheduling/claimTasks.ts'
import { reapClaimsOnce } from '../../core/scheduling/reap.ts'
import { openTestControl, type TestControl } from '../support/control.ts'
import { newDatabase, type TestDatabase } from '../support/database.ts'
import {
  accepted,
  addMachine,
  approve,
  FakeGateway,
  factsOf,
  finish,
  report,
  started,
  startRun,
  states,
  type TestMachine,
} from '../support/fleet.ts'

let database: TestDatabase
let control: TestControl
beforeAll(async () => {
  database = await newDatabase()
  control = await openTestControl({ databaseUrl: database.url, poolSize: 16 })
})
afterAll(async () => {
  await control?.close()
  await database?.drop()
})

let home: FakeGateway
let office: FakeGateway
let machine: TestMachine
const officeId = { id: '' }
beforeEach(async () => {
  home = await new FakeGateway().start()
  office = await new FakeGateway().start()
  machine = await addMachine(control.deps, { gatewayUrl: home.url })
  officeId.id = randomUUID()
  await beat(officeId.id, office.url, [])
})
afterEach(async () => {
  await Promise.all([home.stop(), office.stop()])
  await control.deps.db.query('DELETE FROM agent_link')
  await control.deps.db.query('UPDATE agent SET connected = false')
  await control.deps.db.query('UPDATE gateway SET last_seen_at = to_timestamp(0)')
})

const beat = (gatewayId: string, url: string, agents: string[]) =>
  registerGateway(control.deps, { gateway_id: gatewayId, name: gatewayId.slice(0, 8), url, agents })
const register = (
  gatewayId: string,
  hello: boolean,
  more: { session?: string; attempts?: string[]; load?: number } = {},
) =>
  registerWorker(control.deps, {
    gateway_id: gatewayId,
    agent_id: machine.agentId,
    credential: machine.credential,
    hello,
    ...(more.session ? { session: more.session } : {}),
    facts: { ...factsOf(machine), load: { running: 0, average: more.load ?? 0 } },
    attempts: (more.attempts ?? []).map((execution_id) => ({ execution_id, state: 'alive' as const })),
  })
const agentNow = async () => {
  const [row] = await control.deps.db.query<{
    gateway_id: string
    connected: boolean
    average: number
    links: number
  }>(
    `SELECT gateway_id, connected, (facts->'load'->>'average')::float8 AS average,
     (SELECT count(*) FROM agent_link l WHERE l.agent_id = agent.id) AS links FROM agent WHERE id = $1`,
    [machine.agentId],
  )
  return row
}
const breaker = async (id: string) => {
  const [row] = await control.deps.db.query<{
    failures: number
    open: boolean
    success_rate: number
    latency_ms: number | null
  }>('SELECT failures, open_until IS NOT NULL AS open, success_rate, latency_ms FROM gateway WHERE id = $1', [
    id,
  ])
  return row
}
const breakerEvents = async (id: string) =>
  (
    await control.deps.db.query<{ type: string }>(
      "SELECT type FROM event WHERE type LIKE 'gateway.breaker%' AND data->>'gateway_id' = $1 ORDER BY seq",
      [id],
    )
  ).map((row) => row.type)
const due = (id: string) =>
  control.deps.db.query(
    'UPDATE gateway SET probed_at = to_timestamp(0), open_until = CASE WHEN open_until IS NULL THEN NULL ELSE to_timestamp(0) END WHERE id = $1',
    [id],
  )

describe('a gateway that says that an agent is not there', () => {
  const links = async () => (await agentNow())?.links
  const age = () =>
    control.deps.db.query("UPDATE agent_link SET since = clock_timestamp() - interval '1 min'")
  beforeEach(() => {
    home.answer = () => 503
    home.code = 'AGENT_OFFLINE'
  })

  test('is not asked again until the agent says hello, or its heartbeat names it', async () => {
    await age()
    const run = await startRun(control.deps, machine, [{ key: 'a' }])
    await dispatchTasks(control.deps)
    expect(await agentNow()).toMatchObject({ links: 0, connected: false })
    expect((await states(control.deps, run.id)).tasks.a).toBe('queued')
    await control.deps.db.query('UPDATE task SET not_before = NULL WHERE id = $1', [run.tasks.a])
    await dispatchTasks(control.deps)
    expect(home.actions).toHaveLength(1)
    home.answer = () => 202
    await register(machine.gatewayId, false)
    expect(await agentNow()).toMatchObject({ links: 1, connected: true })
    await dispatchTasks(control.deps)
    expect(home.actions).toHaveLength(2)
  })

  test('is not taken at its word for an agent that has just said hello', async () => {
    await register(machine.gatewayId, true)
    await startRun(control.deps, machine, [{ key: 'a' }])
    await dispatchTasks(control.deps)
    expect(await links()).toBe(1)
  })

  test('says nothing about the same agent at another, or about itself when it only is busy', async () => {
    await register(officeId.id, true)
    await control.deps.db.query('UPDATE gateway SET latency_ms = 1000 WHERE id = $1', [officeId.id])
    await age()
    const run = await startRun(control.deps, machine, [{ key: 'a' }])
    await dispatchTasks(control.deps)
    expect([await links(), office.actions.length]).toEqual([1, 1])
    expect((await states(control.deps, run.id)).tasks.a).toBe('claimed')
    await register(machine.gatewayId, true)
    await age()
    home.code = ''
    await startRun(control.deps, machine, [{ key: 'b' }])
    await dispatchTasks(control.deps)
    expect(await links()).toBe(2)
  })
})

describe('an agent at several gateways', () => {
  test('is there while one of them has it', async () => {
    await register(officeId.id, true)
    expect(await agentNow()).toMatchObject({ connected: true, links: 2, gateway_id: officeId.id })
    await control.deps.db.query("UPDATE agent_link SET last_seen_at = last_seen_at - interval '2 s'")
    await beat(officeId.id, office.url, [])
    expect(await agentNow()).toMatchObject({ connected: true, links: 1 })
    await beat(machine.gatewayId, home.url, [])
    expect(await agentNow()).toMatchObject({ connected: false, links: 0 })
  })

  test('a gateway that it left cannot take it back, nor tell of it', async () => {
    await register(officeId.id, true, { load: 2 })
    await register(machine.gatewayId, false, { load: 9 })
    expect(await agentNow()).toMatchObject({ gateway_id: officeId.id, average: 2 })
    await register(officeId.id, false, { load: 3 })
    expect(await agentNow()).toMatchObject({ gateway_id: officeId.id, average: 3 })
  })

  test('the other one speaks for it once the newest is gone', async () => {
    await register(officeId.id, true, { load: 2 })
    await control.deps.db.query(
      "UPDATE agent_link SET last_seen_at = last_seen_at - interval '31 s' WHERE gateway_id = $1",
      [officeId.id],
    )
    await disconnectSilentOnce(control.deps)
    await register(machine.gatewayId, false, { load: 4 })
    expect(await agentNow()).toMatchObject({
      gateway_id: machine.gatewayId,
      average: 4,
      connected: true,
      links: 1,
    })
  })

  test('a second hello of the same start loses nothing; one of a new start does', async () => {
    const run = await startRun(control.deps, machine, [{ key: 'a', command: 'touch x' }])
    await approve(control.deps, run.id)
    await register(machine.gatewayId, true, { session: 'session-1' })
    const [claim] = (await claimTasks(control.deps, 5)).claims
    if (!claim) throw new Error('nothing was claimed')
    await report(control.deps, claim, accepted(), started())
    await register(officeId.id, true, { session: 'session-1' })
    expect((await states(control.deps, run.id)).tasks.a).toBe('running')
    await register(officeId.id, true, { session: 'session-2' })
    expect((await states(control.deps, run.id)).tasks.a).toBe('needs_review')
    await control.deps.db.tx((tx) => cancelRun(control.deps, tx, run.id, null))
  })
})

describe('the choice of gateway', () => {
  test('goes by health: the one that fails is passed over, in the same breath', async () => {
    await register(officeId.id, true)
    await control.deps.db.query('UPDATE gateway SET latency_ms = 900 WHERE id = $1', [officeId.id])
    await home.stop()
    const run = await startRun(control.deps, machine, [{ key: 'a' }, { key: 'b' }, { key: 'c' }])
    expect(await dispatchTasks(control.deps)).toBe(3)
    expect(office.actions).toHaveLength(3)
    expect((await breaker(machine.gatewayId))?.failures).toBe(3)
    const through = await control.deps.db.query<{ gateway_id: string }>(
      'SELECT gateway_id FROM attempt a JOIN task t ON t.id = a.task_id WHERE t.run_id = $1',
      [run.id],
    )
    expect(through.map((row) => row.gateway_id)).toEqual([officeId.id, officeId.id, officeId.id])
  })

  test('goes by load: two that are alike share the work', async () => {
    await register(officeId.id, true)
    await startRun(control.deps, machine, [{ key: 'a' }])
    await dispatchTasks(control.deps)
    await startRun(control.deps, machine, [{ key: 'b' }])
    await dispatchTasks(control.deps)
    expect([home.actions.length, office.actions.length]).toEqual([1, 1])
  })

  test('a claim without an answer goes another way the next time, and starts once', async () => {
    await register(officeId.id, true)
    await control.deps.db.query('UPDATE gateway SET latency_ms = 900 WHERE id = $1', [officeId.id])
    home.answer = () => 0
    office.answer = () => 0
    const run = await startRun(control.deps, machine, [{ key: 'a' }])
    await dispatchTasks(control.deps)
    office.answer = () => 202
    await control.deps.db.query('UPDATE task SET lease_until = to_timestamp(0) WHERE run_id = $1', [run.id])
    await reapClaimsOnce(control.deps)
    expect(new Set([...home.actions, ...office.actions].map((action) => action.claim_token)).size).toBe(1)
    expect((await states(control.deps, run.id)).tasks.a).toBe('claimed')
    expect(office.actions.length).toBeGreaterThan(1)
  })

  test('a cancel follows the agent to where it is now', async () => {
    const run = await startRun(control.deps, machine, [{ key: 'a' }])
    await dispatchTasks(control.deps)
    await register(officeId.id, true, { session: 'session-1' })
    await control.deps.db.query('DELETE FROM agent_link WHERE gateway_id = $1', [machine.gatewayId])
    await control.deps.db.tx((tx) => cancelRun(control.deps, tx, run.id, null))
    await cancelAttempts(control.deps)
    expect(home.cancels).toEqual([])
    expect(office.cancels).toHaveLength(1)
  })
})

describe('the breaker', () => {
  const failing = async (steps: number) => {
    home.answer = () => 0
    const keys = Array.from({ length: steps }, (_, i) => ({ key: `k${i}` }))
    const run = await startRun(control.deps, machine, keys)
    await dispatchTasks(control.deps)
    return run
  }

  test('opens after three calls in a row without an answer; then nothing is sent, and no attempt is used up', async () => {
    await failing(3)
    expect(await breaker(machine.gatewayId)).toMatchObject({ failures: 3, open: true })
    expect(await breakerEvents(machine.gatewayId)).toEqual(['gateway.breaker_opened'])
    const run = await startRun(control.deps, machine, [{ key: 'late' }])
    const sent = home.actions.length
    await dispatchTasks(control.deps)
    expect(home.actions.length).toBe(sent)
    expect(
      await control.deps.db.query('SELECT status, attempts_made FROM task WHERE run_id = $1', [run.id]),
    ).toEqual([{ status: 'queued', attempts_made: 0 }])
  })

  test('a gateway that turns a task down has answered: its breaker stays closed', async () => {
    home.answer = () => 503
    const run = await startRun(control.deps, machine, [
      { key: 'a' },
      { key: 'b' },
      { key: 'c' },
      { key: 'd' },
    ])
    await dispatchTasks(control.deps)
    expect(await breaker(machine.gatewayId)).toMatchObject({ failures: 0, open: false })
    const tasks = await control.deps.db.query(
      'SELECT DISTINCT status, attempts_made FROM task WHERE run_id = $1',
      [run.id],
    )
    expect(tasks).toEqual([{ status: 'queued', attempts_made: 0 }])
  })

  test('a probe that is answered closes it, and the work goes on; one that is not keeps it open for longer', async () => {
    await failing(3)
    await home.stop()
    await due(machine.gatewayId)
    await probeGatewaysOnce(control.deps)
    expect(await breaker(machine.gatewayId)).toMatchObject({ failures: 4, open: true })
    const back = await new FakeGateway().start()
    try {
      await beat(machine.gatewayId, back.url, [machine.agentId])
      await due(machine.gatewayId)
      await probeGatewaysOnce(control.deps)
      expect(await breaker(machine.gatewayId)).toMatchObject({ failures: 0, open: false })
      expect((await breaker(machine.gatewayId))?.latency_ms).toBeGreaterThan(0)
      expect(await breakerEvents(machine.gatewayId)).toEqual([
        'gateway.breaker_opened',
        'gateway.breaker_closed',
      ])
      const run = await startRun(control.deps, machine, [{ key: 'a' }])
      await dispatchTasks(control.deps)
      expect(back.actions).toHaveLength(1)
      const [attempt] = await control.deps.db.query<{ id: string }>(
        'SELECT a.id FROM attempt a JOIN task t ON t.id = a.task_id WHERE t.run_id = $1',
        [run.id],
      )
      await finish(control.deps, { attemptId: attempt?.id ?? '', agentId: machine.agentId })
      expect((await states(control.deps, run.id)).run).toBe('succeeded')
    } finally {
      await back.stop()
    }
  })

  test('is probed by one process at a time, however many look', async () => {
    await failing(3)
    await due(machine.gatewayId)
    await control.deps.db.query('UPDATE gateway SET probed_at = clock_timestamp() WHERE id = $1', [
      officeId.id,
    ])
    const asked = await Promise.all(Array.from({ length: 8 }, () => probeGatewaysOnce(control.deps)))
    expect(asked.reduce((a, b) => a + b)).toBe(1)
  })

  test('costs no write while all is well', async () => {
    const version = () =>
      control.deps.db.query('SELECT xmin::text FROM gateway WHERE id = $1', [machine.gatewayId])
    const before = await version()
    await startRun(control.deps, machine, [{ key: 'a' }, { key: 'b' }, { key: 'c' }])
    await dispatchTasks(control.deps)
    expect(await version()).toEqual(before)
  })
})
