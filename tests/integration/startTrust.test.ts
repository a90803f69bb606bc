import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { runningUrl } from '../../cli/openStorage.ts'
import { Home, newHome, type Skynet, until } from './startSkynet.ts'

/*
 * The commands that take trust away or renew it, as processes of their own beside a SKYNET that runs: what is approved
 * ahead, the key that signs grants, a machine.
 */

vi.setConfig({ testTimeout: 90_000 })

let home: Home
let other: Home
let skynet: Skynet
let [admin, ana] = ['', '']
beforeAll(async () => {
  home = await newHome({ SKYNET_AGENT_NAME: 'one' })
  other = new Home({ SKYNET_AGENT_NAME: 'two' })
  skynet = home.start()
  await skynet.healthy()
  admin = (JSON.parse(readFileSync(join(home.dataDir, 'secrets.json'), 'utf8')) as { api_token: string })
    .api_token
  await query(
    "INSERT INTO person (id, telegram_id, name, role) VALUES (gen_random_uuid(), 4711, 'Ana', 'owner')",
  )
  const made = await home.run('token new --name ana --scope read operate --person 4711')
  ana = /^sky_[\w-]{43}$/m.exec(made.out)?.[0] ?? ''
})
afterAll(() => {
  home.remove()
  other.remove()
})

async function query<T extends pg.QueryResultRow>(sql: string, values: unknown[] = []): Promise<T[]> {
  const client = new pg.Client({ connectionString: (await runningUrl(home.dataDir)) ?? '' })
  await client.connect()
  try {
    return (await client.query<T>(sql, values)).rows
  } finally {
    await client.end()
  }
}

type Answered = { status: number; body: Record<string, string | null> & { error?: { code: string } } }
async function call(method: 'GET' | 'POST', path: string, token: string, body?: object): Promise<Answered> {
  const response = await fetch(home.apiUrl + path, {
    method,
    headers: { authorization: `Bearer ${token}`, ...(body ? { 'content-type': 'application/json' } : {}) },
    ...(body ? { body: JSON.stringify(body) } : {}),
  })
  return { status: response.status, body: (await response.json()) as Answered['body'] }
}

const execute = (command: string, agent = 'one') =>
  call('POST', '/v1/execute', admin, { action: 'shell', params: { command }, agent_id: agent })

const runIs = (id: string | null | undefined, status: string) =>
  until(
    async () => (await call('GET', `/v1/runs/${id}`, admin)).body.status === status,
    40_000,
    () => `run ${id} to be ${status}\n${skynet.out}`,
  )

const told = (type: string) =>
  query<{ data: Record<string, string> }>('SELECT data FROM event WHERE type = $1 ORDER BY seq', [type])

describe('skynet standing', () => {
  let id = ''
  test('list shows what was approved ahead, and a program goes on by it', async () => {
    expect((await home.run('standing list')).out).toBe('Nothing is approved ahead.\n')
    const first = await execute('touch ahead')
    expect(first.status).toBe(202)
    const approval = await call('GET', `/v1/approvals/${first.body.approval_id}`, ana)
    const decided = await call('POST', `/v1/approvals/${first.body.approval_id}/decide`, ana, {
      decision: 'approve',
      plan_hash: approval.body.plan_hash,
      standing: 'command',
    })
    expect(decided.status).toBe(200)
    await runIs(first.body.run_id, 'succeeded')
    const { out } = await home.run('standing list')
    expect(out).toMatch(/^[0-9a-f-]{36} +touch ahead +one:\S+ +installation +Ana +\S+ +0$/m)
    id = /^[0-9a-f-]{36}/m.exec(out)?.[0] ?? ''
    const second = await execute('touch ahead')
    expect(second.body.approval_id).toBeNull()
    await runIs(second.body.run_id, 'succeeded')
    expect((await home.run('standing list')).out).toMatch(/Ana +\S+ +1$/m)
  })

  test('revoke ends one at once, and says when there is none', async () => {
    const none = await home.run('standing revoke 00000000-0000-4000-8000-000000000000')
    expect(none).toMatchObject({ code: 2, out: expect.stringContaining('skynet standing list') })
    expect(await home.run(`standing revoke ${id}`)).toEqual({ code: 0, out: 'Revoked 1.\n' })
    expect((await execute('touch ahead')).body.approval_id).not.toBeNull()
    expect(await home.run('standing revoke all')).toEqual({ code: 0, out: 'Revoked 0.\n' })
    expect((await told('standing.revoked')).map(({ data }) => [data.standing_id, typeof data.cli])).toEqual([
      [id, 'string'],
    ])
  })
})

describe('skynet keys rotate', () => {
  const keyring = () => readFileSync(join(home.dataDir, 'secrets.json'), 'utf8')

  test('takes a duration, and changes nothing for anything else', async () => {
    const before = keyring()
    const { code, out } = await home.run('keys rotate --overlap soon')
    expect([code, keyring() === before]).toEqual([2, true])
    expect(out).toContain('--overlap: got soon')
  })

  test('the agent follows with its next task after the restart, twice over, and the old key signs no more', async () => {
    for (const round of [1, 2]) {
      const before = keyring()
      const rotated = await home.run('keys rotate --overlap 0s')
      expect(rotated).toMatchObject({ code: 0, out: expect.stringContaining('the next start') })
      expect(keyring()).not.toBe(before)
      skynet.signal('SIGTERM')
      await skynet.ended()
      skynet = home.start()
      await skynet.healthy()
      await until(
        async () => (await query("SELECT 1 FROM agent WHERE name = 'one' AND connected")).length === 1,
        20_000,
        () => skynet.out,
      )
      const done = await execute('git --version')
      await runIs(done.body.run_id, 'succeeded')
      expect(await told('keys.rotated')).toHaveLength(round)
    }
    const events = (await told('keys.rotated')).map(({ data }) => data)
    expect(events[1]?.old_key).toBe(events[0]?.new_key)
    expect(events.map(({ cli }) => typeof cli)).toEqual(['string', 'string'])
  })
})

describe('skynet agent revoke', () => {
  test('cuts a machine off while it works; nothing more runs there, and it is told', async () => {
    const { out } = await home.run('agent invite')
    const [, url = '', code = ''] = /agent join (http:\/\/\S+) (\S+)/.exec(out) ?? []
    expect((await other.run(`agent join ${url} ${code}`)).code).toBe(0)
    const guest = other.start(['agent'])
    const there = (connected: boolean) =>
      until(
        async () =>
          (await query("SELECT 1 FROM agent WHERE name = 'two' AND connected = $1", [connected])).length ===
          1,
        20_000,
        () => guest.out,
      )
    await there(true)
    const working = await execute('sleep 300', 'two')
    expect(working.status).toBe(202)
    await until(
      async () =>
        (await query("SELECT 1 FROM task WHERE run_id = $1 AND status = 'running'", [working.body.run_id]))
          .length === 1,
      20_000,
      () => guest.out,
    )
    const unknown = await home.run('agent revoke three')
    expect(unknown).toMatchObject({ code: 2, out: expect.stringContaining('no machine three') })
    const revoked = await home.run('agent revoke TWO')
    expect(revoked).toMatchObject({ code: 0, out: expect.stringContaining('two is revoked') })
    expect(revoked.out).toContain('1 task(s) may go on running there')
    await there(false)
    await guest.says(/refuses this agent: its credential is wrong or revoked/)
    expect((await execute('git --version', 'two')).status).toBe(422)
    const [task] = await query<{ status: string }>('SELECT status FROM task WHERE run_id = $1', [
      working.body.run_id,
    ])
    expect(['failed', 'needs_review']).toContain(task?.status)
    expect((await home.run('agent revoke two')).out).toBe('two was revoked already.\n')
    expect((await told('agent.revoked')).map(({ data }) => [data.name, typeof data.cli])).toEqual([
      ['two', 'string'],
    ])
    guest.signal('SIGTERM')
    await guest.ended()
  })
})

test('the audit trail has each of these acts, and holds', async () => {
  await until(
    async () => (await home.run('audit verify')).code === 0,
    20_000,
    () => 'the chain to hold',
  )
  const { out } = await home.run('audit show --limit 200')
  for (const type of ['standing.given', 'standing.revoked', 'keys.rotated', 'agent.revoked'])
    expect(out).toContain(type)
  expect(out).toContain('command line of')
})
