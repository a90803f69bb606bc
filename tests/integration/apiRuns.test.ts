import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Claim, claimTasks } from '../../core/scheduling/claimTasks.ts'
import { startWorkers } from '../../workers/main.ts'
import { openTestApi, type TestApi } from '../support/api.ts'
import {
  accepted,
  addMachine,
  approve,
  exited,
  log,
  lostFrame,
  report,
  result,
  started,
  startRun,
  type TestMachine,
} from '../support/fleet.ts'

let api: TestApi
let machine: TestMachine
beforeAll(async () => {
  api = await openTestApi()
  machine = await addMachine(api.deps, { name: 'laptop' })
})
afterAll(() => api.close())

const asks = { key: 'a', command: 'touch x' }

describe('POST /v1/plan', () => {
  let workers: { stop(): Promise<void> }
  beforeAll(() => {
    workers = startWorkers(api.deps, api.control.queue)
  })
  afterAll(() => workers.stop())

  test('answers with the plan, its verdicts and the approval it needs', async () => {
    const { status, body } = await api.post('/v1/plan', { request: 'create file notes.txt with hello' })
    expect([status, body.status]).toEqual([201, 'awaiting_approval'])
    expect(body.tasks[0].verdict).toMatchObject({ verdict: 'ask' })
    expect(body.approval).toMatchObject({
      status: 'pending',
      plan_hash: body.plan.plan_hash,
      run_number: body.number,
    })
    expect(body.asked_by).toBe('installation')
  })

  test('tells why a request cannot be planned, or is refused', async () => {
    const unknown = await api.post('/v1/plan', { request: 'make me a sandwich of llamas' })
    expect(unknown).toMatchObject({ status: 201, body: { status: 'failed', error: { code: 'NO_PLAYBOOK' } } })
    expect((await api.post('/v1/plan', { request: '  ' })).status).toBe(400)
  })

  test('takes the place that is named, and says which there are', async () => {
    const placed = { request: 'list files', agent_id: machine.agentId, cwd: '/work' }
    expect(await api.post('/v1/plan', placed)).toMatchObject({
      status: 201,
      body: { agent_name: 'laptop', cwd: '/work' },
    })
    const nowhere = await api.post('/v1/plan', { request: '@nowhere list files' })
    expect(nowhere).toMatchObject({
      status: 422,
      body: { error: { code: 'CANNOT', details: { places: ['laptop:/work'] } } },
    })
    expect((await api.post('/v1/plan', { ...placed, agent_id: randomUUID() })).status).toBe(404)
    expect((await api.post('/v1/plan', { ...placed, cwd: 'work' })).status).toBe(400)
    for (const wrong of [{ cwd: '/work' }, { chat_id: 5 }, { project_id: randomUUID() }])
      expect((await api.post('/v1/plan', { request: 'list files', ...wrong })).status).toBe(422)
  })

  test('keeps secrets of this installation out of the ledger', async () => {
    const { body } = await api.post('/v1/plan', { request: `say ${api.control.secrets.gatewayToken}` })
    expect(body.request).not.toContain(api.control.secrets.gatewayToken)
  })
})

test('POST /v1/plan answers 202 while planning goes on', async () => {
  const { status, body } = await api.post('/v1/plan', { request: 'list files', wait_s: 0.1 })
  expect([status, body.status, body.plan]).toEqual([202, 'planning', null])
  expect((await api.post(`/v1/runs/${body.id}/cancel`)).body.status).toBe('cancelled')
})

test('what a token enqueues stands under its name', async () => {
  const task = { action: 'shell', params: { command: 'sleep 1' }, agent_id: machine.agentId }
  const made = await api.post('/v1/tasks/enqueue', task, { token: api.tokens.operate })
  expect(made.status).toBe(201)
  const { body } = await api.get(`/v1/runs/${made.body.run_id}`)
  expect(body).toMatchObject({ kind: 'api', asked_by: 'operate-token' })
  await api.post(`/v1/runs/${made.body.run_id}/cancel`)
})

describe('POST /v1/policy/check', () => {
  const check = async (body: object) =>
    (await api.post('/v1/policy/check', body, { token: api.tokens.read })).body

  test('judges commands and actions, each part, and does nothing', async () => {
    expect(await check({ command: 'ls' })).toMatchObject({ verdict: 'allow', risk: 'low', network: false })
    expect(await check({ command: 'rm -rf dist && ls' })).toMatchObject({
      verdict: 'ask',
      risk: 'high',
      parts: [{ verdict: 'ask' }, { verdict: 'allow' }],
    })
    expect(await check({ command: 'rm -rf /' })).toMatchObject({ verdict: 'deny' })
    expect(await check({ action: 'file_write', params: { path: 'x', content: '' } })).toMatchObject({
      verdict: 'ask',
    })
    expect(await check({ command: 'ls', agent_id: machine.agentId, cwd: '/work/api' })).toMatchObject({
      verdict: 'allow',
    })
  })

  test('says what is missing or not known', async () => {
    expect(await check({})).toMatchObject({ error: { code: 'INVALID' } })
    expect(await check({ command: 'ls', action: 'shell' })).toMatchObject({ error: { code: 'INVALID' } })
    expect(await check({ action: 'file_read', params: {} })).toMatchObject({
      error: { message: expect.stringMatching(/^params.path/) },
    })
    expect(await check({ command: 'ls', agent_id: randomUUID() })).toMatchObject({
      error: { code: 'NOT_FOUND' },
    })
  })
})

describe('a run', () => {
  test('is found by id and by number, and by nothing else', async () => {
    const run = await startRun(api.deps, machine, [asks])
    const byId = await api.get(`/v1/runs/${run.id}`)
    expect(byId.body).toEqual((await api.get(`/v1/runs/${run.number}`)).body)
    for (const wrong of [randomUUID(), '999999', '99999999999', 'x', '-1', '%00']) {
      const { status } = await api.get(`/v1/runs/${wrong}`)
      expect(status, wrong).toBe(404)
    }
  })

  test('is paused, resumed and cancelled once, however often it is asked for', async () => {
    const run = await startRun(api.deps, machine, [{ key: 'a' }])
    const steer = async (verb: string) => {
      const { status, body } = await api.post(`/v1/runs/${run.id}/${verb}`, undefined, {
        token: api.tokens.operate,
      })
      return [status, body.status ?? body.error.code]
    }
    expect(await steer('retry')).toEqual([409, 'WRONG_STATE'])
    expect(await steer('resume')).toEqual([200, 'running'])
    expect(await Promise.all([steer('pause'), steer('pause')])).toEqual([
      [200, 'paused'],
      [200, 'paused'],
    ])
    expect(await steer('resume')).toEqual([200, 'running'])
    expect(await Promise.all([steer('cancel'), steer('cancel')])).toEqual([
      [200, 'cancelled'],
      [200, 'cancelled'],
    ])
    expect(await steer('pause')).toEqual([409, 'WRONG_STATE'])
    const told = await api.get(`/v1/events?types=run.cancel_asked,run.paused,run.cancelled&limit=200`)
    const own = told.body.events.filter((event: { run_id: string }) => event.run_id === run.id)
    expect(own.map((event: { type: string }) => event.type)).toEqual([
      'run.paused',
      'run.cancel_asked',
      'run.cancelled',
    ])
  })

  test('that failed is tried again, whole or one task of it', async () => {
    const run = await startRun(api.deps, machine, [{ key: 'a' }, { key: 'b', after: ['a'] }])
    const claims = await claimTasks(api.deps, 10)
    const claim = claims.claims.find(({ taskId }) => taskId === run.tasks.a)
    if (!claim) throw new Error('not claimed')
    await report(api.deps, claim, accepted(), started(), result('failed'), exited())
    const failed = (await api.get(`/v1/runs/${run.id}`)).body
    expect(failed).toMatchObject({
      status: 'failed',
      tasks: [{ status: 'failed', attempts: [{ status: 'exited', exit_code: 1 }] }, { status: 'skipped' }],
    })
    expect((await api.post(`/v1/runs/${run.id}/retry`, { task_id: randomUUID() })).status).toBe(404)
    const again = await api.post(`/v1/runs/${run.id}/retry`, { task_id: run.tasks.a })
    expect(again).toMatchObject({
      status: 200,
      body: { status: 'running', tasks: [{ status: 'queued' }, { status: 'blocked' }] },
    })
    await api.post(`/v1/runs/${run.id}/cancel`)
  })

  test('whose task has an end that is not known is decided about: again, or left out', async () => {
    const review = (runId: string, taskId: string | undefined, verdict: string) =>
      api.post(`/v1/runs/${runId}/review`, { task_id: taskId, verdict }, { token: api.tokens.operate })
    const run = await startRun(api.deps, machine, [{ key: 'a', command: 'touch a', cwd: '/work/a' }])
    const other = await startRun(api.deps, machine, [{ key: 'b', command: 'touch b', cwd: '/work/b' }])
    expect((await review(run.id, run.tasks.a, 'again')).body.error).toMatchObject({ code: 'WRONG_STATE' })
    for (const { id } of [run, other]) await approve(api.deps, id)
    const both = await claimTasks(api.deps, 10)
    for (const claim of both.claims)
      await report(api.deps, claim, accepted(), started(), lostFrame(), exited())
    expect((await api.get(`/v1/runs/${run.id}`)).body.tasks).toMatchObject([{ status: 'needs_review' }])
    expect((await review(run.id, other.tasks.b, 'again')).status).toBe(404)
    expect((await api.get(`/v1/runs/${other.id}`)).body.tasks).toMatchObject([{ status: 'needs_review' }])
    const again = await review(run.id, run.tasks.a, 'again')
    expect(again).toMatchObject({ status: 200, body: { tasks: [{ status: 'queued' }] } })
    const left = await review(other.id, other.tasks.b, 'skip')
    expect(left).toMatchObject({ status: 200, body: { status: 'failed', tasks: [{ status: 'skipped' }] } })
    await api.post(`/v1/runs/${run.id}/cancel`)
  })
})

describe('an approval', () => {
  const decide = async (id: string, body: object) => {
    const answer = await api.post(`/v1/approvals/${id}/decide`, body, { token: api.tokens.operate })
    return [answer.status, answer.body.status ?? answer.body.error.code]
  }
  const pendingOf = async (runId: string) => (await api.get(`/v1/runs/${runId}`)).body.approval

  test('takes the first answer for the plan that was read; the same again changes nothing', async () => {
    const run = await startRun(api.deps, machine, [asks])
    const { id, plan_hash } = await pendingOf(run.id)
    expect(await decide(id, { decision: 'approve', plan_hash: 'f'.repeat(64) })).toEqual([
      409,
      'PLAN_CHANGED',
    ])
    expect(await decide(id, { decision: 'perhaps', plan_hash })).toEqual([400, 'INVALID'])
    expect(await decide(id, { decision: 'approve', plan_hash })).toEqual([200, 'approved'])
    expect(await decide(id, { decision: 'approved', plan_hash })).toEqual([200, 'approved'])
    expect(await decide(id, { decision: 'deny', plan_hash })).toEqual([409, 'ALREADY_DECIDED'])
    const { body } = await api.get(`/v1/approvals/${id}`)
    expect(body.decisions).toMatchObject([{ by: 'operate-token', decision: 'approved' }])
    expect(await decide(randomUUID(), { decision: 'deny', plan_hash })).toEqual([404, 'NOT_FOUND'])
  })

  test('is decided once when two answer at the same moment', async () => {
    const run = await startRun(api.deps, machine, [asks])
    const { id, plan_hash } = await pendingOf(run.id)
    const both = await Promise.all([
      decide(id, { decision: 'approve', plan_hash }),
      api
        .post(`/v1/approvals/${id}/decide`, { decision: 'denied', plan_hash })
        .then(({ status }) => [status]),
    ])
    expect(both.map(([status]) => status).sort()).toEqual([200, 409])
  })

  test('that expired or was superseded cannot be decided', async () => {
    const late = await pendingOf((await startRun(api.deps, machine, [asks])).id)
    await api.db.query("UPDATE approval SET expires_at = clock_timestamp() - interval '1 s' WHERE id = $1", [
      late.id,
    ])
    expect(await decide(late.id, { decision: 'approve', plan_hash: late.plan_hash })).toEqual([
      409,
      'APPROVAL_EXPIRED',
    ])
    const run = await startRun(api.deps, machine, [asks])
    const gone = await pendingOf(run.id)
    await api.post(`/v1/runs/${run.id}/cancel`)
    expect(await decide(gone.id, { decision: 'approve', plan_hash: gone.plan_hash })).toEqual([
      409,
      'PLAN_CHANGED',
    ])
  })
})

/** Every row of a list, page by page; `meanwhile` happens after each page. */
async function readAll<T>(
  path: string,
  name: string,
  meanwhile: () => Promise<unknown> = async () => {},
): Promise<T[]> {
  const all: T[] = []
  let cursor: string | null = null
  do {
    const { body } = await api.get(
      `${path}${path.includes('?') ? '&' : '?'}limit=3${cursor ? `&cursor=${cursor}` : ''}`,
    )
    all.push(...body[name])
    cursor = body.next_cursor
    await meanwhile()
  } while (cursor)
  return all
}

describe('paging', () => {
  test('of runs and approvals has each row once, while rows arrive and change', async () => {
    const there: string[] = []
    for (let n = 0; n < 10; n++) there.push((await startRun(api.deps, machine, [asks])).id)
    const meanwhile = async () => {
      const added = await startRun(api.deps, machine, [asks])
      await api.post(`/v1/runs/${added.id}/cancel`)
      await startRun(api.deps, machine, [asks])
    }
    const all = (await readAll<{ id: string }>('/v1/runs', 'runs', meanwhile)).map(({ id }) => id)
    expect(new Set(all).size).toBe(all.length)
    expect(there.filter((id) => !all.includes(id))).toEqual([])
    const waiting = (
      await readAll<{ id: string }>('/v1/runs?status=awaiting_approval', 'runs', meanwhile)
    ).map(({ id }) => id)
    expect(there.filter((id) => !waiting.includes(id))).toEqual([])
    const asked = (await readAll<{ run_id: string }>('/v1/approvals', 'approvals', meanwhile)).map(
      ({ run_id }) => run_id,
    )
    expect(new Set(asked).size).toBe(asked.length)
    expect(there.filter((id) => !asked.includes(id))).toEqual([])
  })

  test('of agents, gateways and owned files has each row once', async () => {
    for (let n = 0; n < 4; n++) await addMachine(api.deps)
    const agents = await readAll<{ id: string }>('/v1/agents', 'agents')
    expect(new Set(agents.map(({ id }) => id)).size).toBe(5)
    expect(agents).toHaveLength(5)
    expect(await readAll('/v1/gateways', 'gateways')).toHaveLength(5)
    const run = await startRun(
      api.deps,
      machine,
      Array.from({ length: 5 }, (_, n) => ({ key: `t${n}`, command: `touch f${n}`, files: [`/work/f${n}`] })),
    )
    await approve(api.deps, run.id)
    await claimTasks(api.deps, 10)
    const files = await readAll<{ path: string; run_id: string }>(
      `/v1/files/ownership?machine_id=${machine.machineId}`,
      'files',
    )
    expect(files.filter(({ run_id }) => run_id === run.id).map(({ path }) => path)).toEqual(
      (await api.get(`/v1/runs/${run.id}`)).body.tasks
        .filter(({ status }: { status: string }) => status === 'claimed')
        .map((_: unknown, n: number) => `/work/f${n}`),
    )
    await api.post(`/v1/runs/${run.id}/cancel`)
  })

  test('refuses cursors of its own making only', async () => {
    for (const cursor of [
      'x',
      'bm90',
      Buffer.from('"text"').toString('base64url'),
      Buffer.from('[]').toString('base64url'),
    ])
      for (const path of ['/v1/runs', '/v1/approvals', '/v1/gateways', '/v1/files/ownership'])
        expect((await api.get(`${path}?cursor=${cursor}`)).body.error?.code, `${path} ${cursor}`).toBe(
          'INVALID',
        )
  })
})

describe('logs', () => {
  test('are read once and whole, while several tasks print side by side and others follow', async () => {
    const big = await addMachine(api.deps, { name: 'big' })
    const keys = Array.from({ length: 26 }, (_, n) => `t${n}`)
    const run = await startRun(
      api.deps,
      big,
      keys.map((key) => ({ key })),
    )
    const claims: Claim[] = []
    /** Wave after wave of as many as the agent takes at once. */
    const print = async (): Promise<void> => {
      while (claims.length < keys.length) {
        const wave = (await claimTasks(api.deps, 50)).claims.filter(({ runId }) => runId === run.id)
        expect(wave.length).toBeGreaterThan(1)
        claims.push(...wave)
        for (const claim of wave) await report(api.deps, claim, accepted(), started())
        for (let n = 0; n < 10; n++)
          await Promise.all(wave.map((claim) => report(api.deps, claim, log(`${claim.attemptId} ${n}\n`))))
        for (const claim of wave) await report(api.deps, claim, result('succeeded'), exited())
      }
    }
    const printing = print()
    const seen: string[] = []
    let cursor = ''
    let isOver = false
    printing.then(() => {
      isOver = true
    })
    for (;;) {
      const last = isOver
      const { body } = await api.get(`/v1/runs/${run.id}/logs?limit=7${cursor ? `&cursor=${cursor}` : ''}`)
      seen.push(...body.lines.map(({ text }: { text: string }) => text))
      cursor = body.next_cursor
      if (last && !body.more) break
    }
    await printing
    expect(Buffer.from(cursor, 'base64url').toString()).toMatch(/"done":\[/)
    const expected = claims.flatMap((claim) =>
      Array.from({ length: 10 }, (_, n) => `${claim.attemptId} ${n}\n`),
    )
    expect(seen.length).toBe(expected.length)
    expect([...seen].sort()).toEqual([...expected].sort())
    for (const claim of claims)
      expect(seen.filter((text) => text.startsWith(claim.attemptId))).toEqual(
        expected.filter((text) => text.startsWith(claim.attemptId)),
      )
    const first = await api.get(`/v1/runs/${run.number}/logs?task=t0`)
    expect(first.body.lines).toHaveLength(10)
    expect(first.body.lines[0]).toMatchObject({ task: 't0', stream: 'stdout', attempt: 1 })
  })
})

test('the state of the whole is counted', async () => {
  const { body } = await api.get('/v1/system-state')
  expect(body.runs.awaiting_approval).toBeGreaterThan(5)
  expect(body.agents.connected).toBeGreaterThanOrEqual(5)
  const { text } = await api.get('/metrics')
  expect(text).toMatch(/^skynet_runs\{status="awaiting_approval"\} \d+$/m)
  expect(text).toMatch(
    /^skynet_http_request_seconds_bucket\{method="GET",route="\/v1\/runs\/:id",status="200",le="\+Inf"\} \d+$/m,
  )
})

test('what happens between two scrapes is counted once, by whichever process it was done', async () => {
  const metric = async (name: string): Promise<number> => {
    const { text } = await api.get('/v1/metrics', { token: api.tokens.read })
    return Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1] ?? 0)
  }
  const before = await metric('skynet_dispatch_seconds_count')
  expect(before).toBeGreaterThan(0)
  const own = await addMachine(api.deps)
  const run = await startRun(api.deps, own, [{ key: 'a' }])
  const claims = (await claimTasks(api.deps, 50)).claims.filter(({ runId }) => runId === run.id)
  for (const claim of claims) await report(api.deps, claim, accepted(), started(), result('failed'), exited())
  // Events are counted once no older transaction of the server is open, be it another database's.
  await expect.poll(() => metric('skynet_dispatch_seconds_count'), { timeout: 15_000 }).toBe(before + 1)
  const counts = await Promise.all(Array.from({ length: 5 }, () => metric('skynet_dispatch_seconds_count')))
  expect(counts).toEqual(Array.from({ length: 5 }, () => before + 1))
  expect(await metric('skynet_claim_seconds_count')).toBeGreaterThan(0)
  expect(await metric('skynet_runs_ended_total{status="failed"}')).toBeGreaterThan(0)
})
