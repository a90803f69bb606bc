import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import pg from 'pg'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { runningUrl } from '../../cli/openStorage.ts'
import { type Answer, Home, newHome, type Skynet, until } from './startSkynet.ts'

/*
 * Machines that join a SKYNET that runs: a second directory on the same machine, the same directory again, and an
 * agent that is refused. The machine id is the same for all of them, as it is for a cloned machine.
 */

vi.setConfig({ testTimeout: 60_000 })

const NAME = 'vm'
let home: Home
let skynet: Skynet
let other: Home
let guest: Skynet | null = null
beforeAll(async () => {
  home = await newHome({ SKYNET_AGENT_NAME: NAME })
  other = new Home({ SKYNET_AGENT_NAME: NAME })
  skynet = home.start()
  await skynet.healthy()
})
afterAll(() => {
  home.remove()
  other.remove()
})

const read = (file: string): { agent_id: string; credential: string } =>
  JSON.parse(readFileSync(file, 'utf8'))
const enrolmentOf = ({ dataDir }: Home) => read(join(dataDir, `agent-${NAME}/enrolment.json`))

/** A new code, and the address without a scheme, as a person copies it. */
async function join_(of: Home): Promise<Answer> {
  const { out } = await home.run('agent invite')
  const [, url = '', code = ''] = /agent join http:\/\/(\S+) (\S+)/.exec(out) ?? []
  return of.run(`agent join ${url} ${code}`)
}

async function query<T extends pg.QueryResultRow>(sql: string, values: unknown[] = []): Promise<T[]> {
  const client = new pg.Client({ connectionString: (await runningUrl(home.dataDir)) ?? '' })
  await client.connect()
  try {
    return (await client.query<T>(sql, values)).rows
  } finally {
    await client.end()
  }
}

const agents = () =>
  query<{ id: string; name: string; connected: boolean }>(
    'SELECT id, name, connected FROM agent ORDER BY name',
  )

/** Waits until the ledger has exactly these agents, and those named as `connected` are there. */
const areThere = (names: string[], connected: string[]): Promise<void> =>
  until(
    async () => {
      const found = await agents()
      const there = found.filter((agent) => agent.connected).map((agent) => agent.name)
      return String(found.map((a) => a.name)) === String(names) && String(there) === String(connected)
    },
    15_000,
    () => skynet.out,
  )

test('the line that invites says what to type, for how long, and that the gateway cannot be reached yet', async () => {
  const { out } = await home.run('agent invite')
  expect(out).toContain('in a checkout there, once and within 30 minutes')
  expect(out).toMatch(/npm run skynet -- agent join http:\/\/127\.0\.0\.1:\d+ [A-Z2-9]{4}-[A-Z2-9]{4}\n/)
  expect(out).toContain('SKYNET_GATEWAY_HOST')
})

test('a second directory on the same machine becomes an agent of its own, and the first stays', async () => {
  const { code, out } = await join_(other)
  expect(out).toMatch(/^vm joined as vm-2 .*SKYNET_AGENT_NAME chooses another/)
  expect(code).toBe(0)
  guest = other.start(['agent'])
  await areThere(['vm', 'vm-2'], ['vm', 'vm-2'])
  expect(skynet.out).not.toContain('refuse')
})

test('the same directory joins again as who it was, and its agent goes on by itself', async () => {
  const before = enrolmentOf(other)
  expect((await join_(other)).out).toMatch(/^vm joined as vm-2 /)
  const after = enrolmentOf(other)
  expect(after.agent_id).toBe(before.agent_id)
  expect(after.credential).not.toBe(before.credential)
  const [now] = await query<{ now: string }>('SELECT clock_timestamp()::text AS now')
  const beat = 'SELECT id FROM agent WHERE id = $1 AND last_seen_at > $2::timestamptz'
  await until(
    async () => (await query(beat, [after.agent_id, now?.now])).length > 0,
    15_000,
    () => 'no heartbeat',
  )
  await areThere(['vm', 'vm-2'], ['vm', 'vm-2'])
})

const spoil = (id: string) => query("UPDATE agent SET credential_hash = 'gone' WHERE id = $1", [id])

test('an agent that is refused says what to do, and the doctor there says it as well', async () => {
  const { agent_id } = enrolmentOf(other)
  await spoil(agent_id)
  await guest?.says(/refuses this agent: its credential is wrong or revoked.*agent join http:\S+ CODE/)
  const { code, out } = await other.run('doctor')
  expect(out).toMatch(/✗ agent +refused: join again.*\n.*→ .*agent join http:\S+ CODE/)
  expect(out).toMatch(/✓ gateway +answers/)
  expect(code).toBe(1)
  expect(guest?.out.match(/refuses this agent/g)).toHaveLength(1)
})

test('the agent of the control plane itself that a person revoked stays so, and the doctor says it', async () => {
  const revoke = (at: string) =>
    query(`UPDATE agent SET revoked_at = ${at} WHERE id = $1`, [enrolmentOf(home).agent_id])
  await revoke('now()')
  const { out } = await home.run('doctor')
  expect(out).toMatch(/✗ agent +refused: join again.*vm.*it was revoked\n.*→ .*agent invite/)
  await revoke('NULL')
})

test('the agent of the control plane itself joins again by itself when the ledger does not know it', async () => {
  const { agent_id } = enrolmentOf(home)
  await spoil(agent_id)
  await until(
    async () => {
      const { agent_id: id } = enrolmentOf(home)
      return id !== agent_id && (await agents()).some((agent) => agent.id === id && agent.connected)
    },
    30_000,
    () => skynet.out,
  )
  expect(skynet.out).toContain("this machine's agent joined as vm-3")
})
