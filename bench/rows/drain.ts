import { randomUUID } from 'node:crypto'
import pg from 'pg'
import { completeAllPulled } from '../../core/scheduling/pulledAttempts.ts'
import { claimAllPulled } from '../../core/scheduling/pullTasks.ts'
import { enqueueTasks } from '../../core/tasks/enqueueTasks.ts'
import { TaskRequest } from '../../core/tasks/taskRequest.ts'
import { atLeast, type Contestant, compare, exactly, lines, of, scaled } from '../compare.ts'
import { type Drainer, peer } from '../peers.ts'
import { startRedis } from '../redis.ts'
import type { Stand } from '../stand.ts'
import { bullmqOnPostgres, bullmqOnRedis } from './bullmqPeers.ts'
import { multiplyRun } from './manyTasks.ts'

const TASKS = scaled(25_000)
/** The first round warms up: a fifth of the work does. */
const WARM = Math.ceil(TASKS / 5 / 50) * 50
const DEAD_TUPLES = scaled(50_000)
/** Tasks taken at a time, and takers at once. */
const BATCH = 50
const LANES = 4

const contestant = (name: string, drainer: Drainer): Contestant => ({
  name,
  round: async (n) => {
    const count = n === 0 ? WARM : TASKS
    await drainer.fill(count)
    exactly(`${name}: waiting`, await drainer.left(), count)
    const began = performance.now()
    await drainer.drain(count)
    const seconds = (performance.now() - began) / 1000
    exactly(`${name}: left`, await drainer.left(), 0)
    return count / seconds
  },
})

const AGENT = 'drainer'

/** What an outside agent does: claims tasks and tells their ends, many in one call; each has token, attempt and events. */
async function product(stand: Stand, name: string, deadTuples: number): Promise<Drainer> {
  const { deps } = await stand.control(name)
  const { db } = deps
  const lane = async (): Promise<void> => {
    for (;;) {
      const pulled = await claimAllPulled(deps, { agent: AGENT, capabilities: [], taskId: null }, BATCH)
      if (pulled.kind !== 'claimed') return
      const told = pulled.claims.map(({ claim: { taskId, claimToken } }) => ({
        holder: { taskId, agent: AGENT, claimToken },
        completion: { status: 'succeeded' as const, result: 'ok', error: null },
      }))
      const held = await completeAllPulled(deps, told)
      if (held.some(({ kind }) => kind !== 'held')) throw new Error('a claim was lost')
    }
  }
  const noop = TaskRequest.parse({ action: 'noop', dispatch: 'pull', agent_id: AGENT })
  return {
    fill: async (count) => {
      await db.query('TRUNCATE run CASCADE')
      await db.query('TRUNCATE event')
      const tasks = Array.from({ length: BATCH }, () => noop)
      const done = await enqueueTasks(deps, { runId: null, personId: null, tasks })
      if (done.kind !== 'enqueued') throw new Error(JSON.stringify(done))
      await multiplyRun(db, done.runId, count / BATCH - 1)
      if (deadTuples > 0) await db.query('ALTER TABLE task SET (autovacuum_enabled = false)')
      for (let dead = 0; dead < deadTuples; dead += count)
        await db.query("UPDATE task SET queued_at = queued_at + interval '1 ms'")
    },
    drain: async () => {
      await Promise.all(Array.from({ length: LANES }, lane))
    },
    left: async () => {
      const [row] = await db.query<{ n: number }>(
        `SELECT count(*)::int AS n FROM task t WHERE status <> 'succeeded' OR result IS NULL
         OR 2 <> (SELECT count(*) FROM event e WHERE e.run_id = t.run_id AND e.task_id = t.id AND e.type IN ('task.claimed', 'task.succeeded'))`,
      )
      return row?.n ?? -1
    },
    close: async () => {},
  }
}

/** The least there can be: a table, SKIP LOCKED, claim and end in one statement for a batch. */
async function byHand(url: string): Promise<Drainer> {
  const pool = new pg.Pool({ connectionString: url, max: LANES })
  await pool.query(
    "CREATE TABLE job (id bigserial PRIMARY KEY, status text NOT NULL DEFAULT 'queued', token uuid)",
  )
  await pool.query("CREATE INDEX ON job (id) WHERE status = 'queued'")
  const text = `UPDATE job SET status = 'done', token = $1 WHERE id IN (
    SELECT id FROM job WHERE status = 'queued' ORDER BY id LIMIT ${BATCH} FOR UPDATE SKIP LOCKED)`
  const lane = async (): Promise<void> => {
    for (;;) {
      const { rowCount } = await pool.query({ name: 'take', text, values: [randomUUID()] })
      if (rowCount === 0) return
    }
  }
  return {
    fill: async (count) => {
      await pool.query('TRUNCATE job')
      await pool.query('INSERT INTO job (status) SELECT $1 FROM generate_series(1, $2)', ['queued', count])
    },
    drain: async () => {
      await Promise.all(Array.from({ length: LANES }, lane))
    },
    left: async () => {
      const { rows } = await pool.query<{ n: number }>(
        "SELECT count(*)::int AS n FROM job WHERE status <> 'done' OR token IS NULL",
      )
      return rows[0]?.n ?? -1
    },
    close: () => pool.end(),
  }
}

type Open = (url: string) => Promise<Drainer>

/** Row 2: working off no-op tasks. */
export async function drainRow(stand: Stand): Promise<string[]> {
  const redis = await startRedis(true)
  stand.atEnd(() => redis.stop())
  const graphile = await peer<Open>('graphile', 'openGraphile')
  const pgBoss = await peer<Open>('pgBoss', 'openPgBoss')
  const sides: [string, Drainer][] = [
    ['SKYNET', await product(stand, 'drain_clean', 0)],
    [`SKYNET, ${DEAD_TUPLES} dead tuples`, await product(stand, 'drain_dead', DEAD_TUPLES)],
    ['pg-boss', await pgBoss(await stand.database('drain_pgboss'))],
    ['bullmq on PostgreSQL', await bullmqOnPostgres(await stand.database('drain_bullmq'))],
    ['bullmq on Redis, AOF always', bullmqOnRedis(redis.url)],
    [
      'graphile-worker, batched (no fencing, no stored end)',
      await graphile(await stand.database('drain_graphile')),
    ],
    ['SKIP LOCKED by hand (limit)', await byHand(await stand.database('drain_limit'))],
  ]
  for (const [, drainer] of sides) stand.atEnd(() => drainer.close())
  const figures = await compare(sides.map(([name, drainer]) => contestant(name, drainer)))
  const alike = sides.slice(2, 5).map(([name]) => name)
  const best = alike.reduce((a, b) => (of(figures, b) > of(figures, a) ? b : a))
  return [
    ...lines(figures, '/s'),
    atLeast(figures, 'SKYNET', best, 1),
    atLeast(figures, `SKYNET, ${DEAD_TUPLES} dead tuples`, 'SKYNET', 0.5),
  ]
}
