import { readdir, readFile } from 'node:fs/promises'
import type { AddressInfo } from 'node:net'
import { dirname, join } from 'node:path'
import pg from 'pg'
import WebSocket, { WebSocketServer } from 'ws'
import { decodeRecord } from '../../agent/journal/record.ts'
import { enqueueTasks } from '../../core/tasks/enqueueTasks.ts'
import { TaskRequest } from '../../core/tasks/taskRequest.ts'
import { exactly, loadNow, scaled } from '../compare.ts'
import { median, percentile } from '../figures.ts'
import { peer, type Starter } from '../peers.ts'
import { type BenchSystem, pause } from '../system.ts'
import { bullmqStarter } from './bullmqPeers.ts'

/** Tasks a second, whatever became of those before, and how many in a round. */
const RATE = 40
const COUNT = scaled(160)
const ROUNDS = 5
const SETTLE_MS = 10_000

const wall = (): number => performance.timeOrigin + performance.now()

type Side = { name: string; starter: Starter; times: number[][] }

/** Asks for work at a fixed pace and waits until all of it has begun; milliseconds from the commit to each start. */
async function openLoop({ name, starter }: Side, count: number): Promise<number[]> {
  const committed = new Map<string, number>()
  const asked: Promise<void>[] = []
  const began = performance.now()
  for (let i = 0; i < count; i++) {
    const due = began + (i * 1000) / RATE
    while (performance.now() < due) await pause(Math.max(0, due - performance.now()))
    asked.push(starter.commit().then(({ id, at }) => void committed.set(id, at)))
  }
  await Promise.all(asked)
  for (const until = Date.now() + SETTLE_MS; ; await pause(50)) {
    const started = await starter.started()
    const times = [...committed].flatMap(([id, at]) => {
      const start = started.get(id)
      return start === undefined ? [] : start - at
    })
    if (times.length === count) return times
    if (Date.now() > until) exactly(`${name}: begun`, times.length, count)
  }
}

/** The whole system; when the work began is what the agent's journal says, to the millisecond. */
function product(system: BenchSystem): Starter {
  const { deps } = system.control
  const task = TaskRequest.parse({ action: 'noop', agent_id: system.machine.agentId })
  return {
    commit: async () => {
      const done = await enqueueTasks(deps, { runId: null, personId: null, tasks: [task] })
      const at = wall()
      if (done.kind !== 'enqueued') throw new Error(JSON.stringify(done))
      return { id: done.taskIds[0] ?? '', at }
    },
    started: async () => {
      const begun = await readJournals(dirname(system.root))
      const rows = await deps.db.query<{ id: string; task_id: string }>('SELECT id, task_id FROM attempt')
      return new Map(
        rows.flatMap(({ id, task_id }): [string, number][] => {
          const at = begun.get(id)
          return at === undefined ? [] : [[task_id, at]]
        }),
      )
    },
    close: async () => {},
  }
}

async function readJournals(dir: string): Promise<Map<string, number>> {
  const begun = new Map<string, number>()
  const files = await readdir(dir, { recursive: true })
  for (const file of files.filter((name) => name.endsWith('.journal'))) {
    for (const line of (await readFile(join(dir, file), 'latin1')).split('\n')) {
      const record = decodeRecord(Buffer.from(line, 'latin1'))
      if (record?.kind !== 'F' || !record.frame.includes('"started"')) continue
      const frame = JSON.parse(record.frame) as { at: string }
      begun.set(record.id, Date.parse(frame.at))
    }
  }
  return begun
}

/** What nothing can do without: a commit that notifies, the listener, and a frame to a WebSocket client. */
async function byHand(url: string): Promise<Starter> {
  const pool = new pg.Pool({ connectionString: url, max: 4 })
  await pool.query('CREATE TABLE work (id serial PRIMARY KEY)')
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0 })
  await new Promise((resolve) => server.once('listening', resolve))
  const { port } = server.address() as AddressInfo
  const begun = new Map<string, number>()
  const client = new WebSocket(`ws://127.0.0.1:${port}`)
  client.on('message', (data) => void begun.set(String(data), wall()))
  const far = await new Promise<WebSocket>((resolve) => server.once('connection', resolve))
  const listener = new pg.Client({ connectionString: url })
  await listener.connect()
  listener.on('notification', ({ payload }) => far.send(payload ?? ''))
  await listener.query('LISTEN work')
  const text =
    "WITH made AS (INSERT INTO work DEFAULT VALUES RETURNING id) SELECT id, pg_notify('work', id::text) FROM made"
  return {
    commit: async () => {
      const at = wall()
      const { rows } = await pool.query<{ id: number }>({ name: 'commit', text })
      return { id: String(rows[0]?.id), at }
    },
    started: async () => begun,
    close: async () => {
      client.terminate()
      server.close()
      await Promise.all([listener.end(), pool.end()])
    },
  }
}

async function otherDatabase(system: BenchSystem, name: string): Promise<string> {
  await system.control.deps.db.query(`CREATE DATABASE ${name}`)
  const url = new URL(system.control.databaseUrl)
  url.pathname = name
  return url.href
}

const ms = (value: number): string => `${value.toFixed(1)} ms`

/** Row 3: from the commit of a task to its beginning. For the peers and the limit the clock starts with the call that commits. */
export async function dispatchRow(system: BenchSystem): Promise<string[]> {
  const graphile = await peer<(url: string) => Promise<Starter>>('graphile', 'startGraphile')
  const sides: Side[] = [
    { name: 'SKYNET', starter: product(system), times: [] },
    {
      name: 'graphile-worker',
      starter: await graphile(await otherDatabase(system, 'bench_graphile')),
      times: [],
    },
    {
      name: 'bullmq on PostgreSQL',
      starter: await bullmqStarter(await otherDatabase(system, 'bench_bullmq')),
      times: [],
    },
    {
      name: 'commit, notify, WebSocket (limit)',
      starter: await byHand(await otherDatabase(system, 'bench_limit')),
      times: [],
    },
  ]
  for (let round = 0; round <= ROUNDS; round++)
    for (const side of sides) {
      const times = await openLoop(side, round === 0 ? Math.ceil(COUNT / 4) : COUNT)
      if (process.env.BENCH_VERBOSE)
        console.error(round, side.name, ms(median(times)), ms(percentile(times, 99)), loadNow())
      if (round > 0) side.times.push(times)
    }
  for (const { starter } of sides) await starter.close()
  const p50 = sides.map(({ times }) => median(times.map((round) => median(round))))
  const p99 = percentile((sides[0]?.times ?? []).flat(), 99)
  const [own = Number.NaN, , hop = Number.NaN, limit = Number.NaN] = p50
  const aim = 2 * (limit + hop)
  return [
    ...sides.map(({ name, times }, i) => {
      const medians = times.map((round) => median(round))
      return `${name.padEnd(34)} p50 ${ms(p50[i] ?? Number.NaN)} (${Math.min(...medians).toFixed(1)} to ${Math.max(...medians).toFixed(1)})  p99 ${ms(percentile(times.flat(), 99))}`
    }),
    `SKYNET p50 ${ms(own)}: aim 2 x (limit + one BullMQ hop) = ${ms(aim)} or less  ${own <= aim ? 'met' : 'MISSED'}`,
    `SKYNET p99 ${ms(p99)}: aim below 15 ms  ${p99 < 15 ? 'met' : 'MISSED'}`,
  ]
}
