import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { pauseRun } from '../../core/runs/cancelRun.ts'
import { chooseAgent } from '../../core/scheduling/chooseAgent.ts'
import { AGENT_SLOTS, type Claim, claimTasks } from '../../core/scheduling/claimTasks.ts'
import { openTestApi, type TestApi } from '../support/api.ts'
import {
  addMachine,
  addPerson,
  approve,
  exited,
  factsOf,
  finish,
  refusedFrame,
  report,
  startRun,
  type TestMachine,
} from '../support/fleet.ts'

let api: TestApi
let laptop: TestMachine
beforeAll(async () => {
  api = await openTestApi()
})
afterAll(() => api?.close())
beforeEach(async () => {
  laptop = await addMachine(api.deps, { name: `laptop-${Math.random().toString(36).slice(2, 8)}` })
})
afterEach(() => api.db.query('UPDATE agent SET connected = false, revoked_at = clock_timestamp()'))

const claim = async (): Promise<Claim[]> => (await claimTasks(api.deps, 100)).claims
const diagnose = (body: object) => api.post('/v1/scheduler/diagnose', body)
/** What a task waits for, by each of the ways in which programs ask. */
async function waitsFor(runId: string, key: string): Promise<string | null> {
  const [task] = await api.db.query<{ id: string }>('SELECT id FROM task WHERE run_id = $1 AND key = $2', [
    runId,
    key,
  ])
  const said = (await diagnose({ task_id: task?.id })).body.task.waiting_for
  expect((await api.get(`/v1/tasks/${task?.id}`)).body.waiting_for).toBe(said)
  const { body: run } = await api.get(`/v1/runs/${runId}`)
  expect(run.tasks.find((t: { key: string }) => t.key === key).waiting_for).toBe(said)
  return said
}

describe('a task that waits says what for', () => {
  test('an approval, then its turn, and nothing once it is at work', async () => {
    const run = await startRun(api.deps, laptop, [{ key: 'a', command: 'touch x' }])
    expect(await waitsFor(run.id, 'a')).toMatch(/^approval [A-Z]\d/)
    await approve(api.deps, run.id)
    expect(await waitsFor(run.id, 'a')).toBe('its turn')
    await claim()
    expect(await waitsFor(run.id, 'a')).toBeNull()
  })

  test('the tasks before it, by number and title', async () => {
    const run = await startRun(api.deps, laptop, [{ key: 'a' }, { key: 'b', after: ['a'] }])
    expect(await waitsFor(run.id, 'b')).toBe(`${run.number}.a a: sleep 1`)
  })

  test('a file, and who has it', async () => {
    const run = await startRun(api.deps, laptop, [
      { key: 'a', command: 'touch x', files: ['/work/x'] },
      { key: 'b', command: 'touch x', files: ['/work/./x'] },
    ])
    await approve(api.deps, run.id)
    const [held] = await claim()
    expect(await waitsFor(run.id, 'b')).toBe(`file /work/x, held by ${run.number}.a a: touch x`)
    await finish(api.deps, held as Claim)
    expect(await waitsFor(run.id, 'b')).toBe('its turn')
  })

  test('its machine, its gateway, its run, a free slot, a time, a lockdown', async () => {
    const { db } = api
    const run = await startRun(api.deps, laptop, [{ key: 'a' }])
    await db.query('UPDATE agent SET connected = false WHERE id = $1', [laptop.agentId])
    expect(await waitsFor(run.id, 'a')).toBe(`machine ${laptop.name}, which is offline`)
    await db.query('UPDATE agent SET connected = true WHERE id = $1', [laptop.agentId])
    await db.query('UPDATE gateway SET open_until = clock_timestamp() WHERE id = $1', [laptop.gatewayId])
    expect(await waitsFor(run.id, 'a')).toBe('gateway g, which does not answer')
    await db.query('UPDATE gateway SET open_until = NULL WHERE id = $1', [laptop.gatewayId])
    const [held] = await claim()
    await report(api.deps, held as Claim, refusedFrame('busy'), exited())
    expect(await waitsFor(run.id, 'a')).toMatch(/^\d{4}-.*Z, when it is tried again$/)
    await db.query('UPDATE task SET not_before = NULL WHERE run_id = $1', [run.id])
    await startRun(
      api.deps,
      laptop,
      Array.from({ length: AGENT_SLOTS }, (_, i) => ({ key: `k${i}` })),
    )
    await db.query('UPDATE task SET priority = -1 WHERE run_id = $1', [run.id])
    await claim()
    expect(await waitsFor(run.id, 'a')).toBe(
      `a free slot of ${laptop.name}, which has ${AGENT_SLOTS} tasks at work`,
    )
    await db.query("INSERT INTO installation (key, value) VALUES ('lockdown', 'true')")
    expect(await waitsFor(run.id, 'a')).toBe('the lockdown to be lifted')
    await db.query("DELETE FROM installation WHERE key = 'lockdown'")
    const person = await addPerson(api.deps, 'owner')
    await db.tx((tx) => pauseRun(api.deps, tx, run.id, person))
    expect(await waitsFor(run.id, 'a')).toBe('its run, which is paused')
  })

  test('an agent that fetches it', async () => {
    const { body } = await api.post('/v1/tasks/enqueue', {
      action: 'shell',
      params: { command: 'ls' },
      dispatch: 'pull',
    })
    const { body: asked } = await diagnose({ task_id: body.task_id ?? body.task?.id })
    expect(asked.task.waiting_for).toBe('an agent to fetch it')
  })
})

describe('the choice', () => {
  test('of agent and gateway is told with its reasons', async () => {
    const desktop = await addMachine(api.deps, { name: 'desktop' })
    await startRun(
      api.deps,
      laptop,
      Array.from({ length: 8 }, (_, i) => ({ key: `k${i}` })),
    )
    await claim()
    const { status, body } = await api.post('/v1/route-task', { action: 'shell' }, { token: api.tokens.read })
    expect(status).toBe(200)
    expect(body.agent).toMatchObject({
      agent_id: desktop.agentId,
      name: 'desktop',
      cwd: '/work',
      eligible: true,
      ready: true,
    })
    expect(body.gateway).toMatchObject({ gateway_id: desktop.gatewayId, open: false })
    expect(body.reasons).toContain('idle, load 0.0 on ? cores')
    const ranked = (await diagnose({ action: 'shell' })).body.candidates
    expect(ranked.map((c: { name: string }) => c.name)).toEqual(['desktop', laptop.name])
    expect(ranked[0].score).toBeGreaterThan(ranked[1].score)
    expect((await chooseAgent(api.db, { action: 'shell' }))?.agentId).toBe(desktop.agentId)
  })

  test('goes by what became of recent work, not by whether its command failed', async () => {
    const desktop = await addMachine(api.deps, { name: 'loser' })
    for (const [machine, lose] of [
      [laptop, false],
      [desktop, true],
    ] as const) {
      await startRun(
        api.deps,
        machine,
        Array.from({ length: 6 }, (_, i) => ({ key: `k${i}` })),
      )
      for (const held of await claim())
        if (lose) await report(api.deps, held, refusedFrame('unsupported'), exited())
        else await finish(api.deps, held, 'failed')
    }
    const { candidates } = (await diagnose({})).body
    expect(candidates.map((c: { parts: { history: { reason: string } } }) => c.parts.history.reason)).toEqual(
      ['kept 6 of its last 6', 'kept 0 of its last 6'],
    )
    expect(candidates[0].agent_id).toBe(laptop.agentId)
  })

  test('is refused where nobody can, and diagnosis says why of each', async () => {
    await api.db.query('UPDATE agent SET facts = $2 WHERE id = $1', [
      laptop.agentId,
      JSON.stringify({ ...factsOf(laptop), capabilities: ['shell'] }),
    ])
    const need = { action: 'git_commit', cwd: '/elsewhere' }
    expect(await api.post('/v1/route-task', need)).toMatchObject({
      status: 422,
      body: { error: { code: 'NO_AGENT' } },
    })
    const { body } = await diagnose(need)
    expect(body.candidates[0]).toMatchObject({
      eligible: false,
      obstacles: ['cannot do git_commit', '/elsewhere is outside its directories'],
    })
    expect(body.gateways).toEqual([])
  })

  test('of a task: its own agent first, with all of its gateways', async () => {
    await addMachine(api.deps, { name: 'other' })
    const run = await startRun(api.deps, laptop, [{ key: 'a' }])
    await api.db.query('UPDATE gateway SET open_until = clock_timestamp() WHERE id = $1', [laptop.gatewayId])
    const { body } = await diagnose({ task_id: run.tasks.a })
    expect(body.candidates[0]).toMatchObject({ agent_id: laptop.agentId, ready: false })
    expect(body.gateways).toMatchObject([{ gateway_id: laptop.gatewayId, open: true }])
    expect((await diagnose({ task_id: laptop.agentId })).status).toBe(404)
    expect((await diagnose({ nonsense: 1 })).status).toBe(400)
  })
})
