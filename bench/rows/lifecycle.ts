import { randomUUID } from 'node:crypto'
import pg from 'pg'
import { completePulled, startPulled } from '../../core/scheduling/pulledAttempts.ts'
import { claimPulled } from '../../core/scheduling/pullTasks.ts'
import { enqueueTasks } from '../../core/tasks/enqueueTasks.ts'
import { TaskRequest } from '../../core/tasks/taskRequest.ts'
import { atLeast, type Contestant, compare, exactly, lines, rateOf, scaled } from '../compare.ts'
import { type LifecyclePeer, peer } from '../peers.ts'
import type { Stand } from '../stand.ts'

/** Lives under way at a time, and how many there are in a round. */
const WIDTH = 8
const LIVES = scaled(1000)
/** Lives one at a time, for the time of a single one. */
const ALONE = scaled(200)

/** A life from creation to end, `lane` being one of WIDTH; and how many have ended so far. */
type Living = { live(lane: number): Promise<unknown>; ended(): Promise<number> }

const contestant = (name: string, width: number, { live, ended }: Living): Contestant => ({
  name,
  round: async () => {
    const count = width === 1 ? ALONE : LIVES
    const before = await ended()
    const rate = await rateOf(count, width, (_, lane) => live(lane))
    exactly(`${name}: ended`, (await ended()) - before, count)
    return width === 1 ? 1000 / rate : rate
  },
})

/** What a program does by the REST API, without HTTP: enqueue, claim, start, complete, each a transaction. */
async function product(stand: Stand): Promise<Living> {
  const { deps } = await stand.control('lifecycle_skynet', { poolSize: WIDTH * 2 })
  return {
    live: async (lane) => {
      const agent = `agent-${lane}`
      const task = TaskRequest.parse({ action: 'noop', dispatch: 'pull', agent_id: agent })
      await enqueueTasks(deps, { runId: null, personId: null, tasks: [task] })
      const pulled = await claimPulled(deps, { agent, capabilities: [], taskId: null })
      if (pulled.kind !== 'claimed') throw new Error(`nothing to claim: ${pulled.kind}`)
      const { taskId, claimToken } = pulled.claim
      const holder = { taskId, agent, claimToken }
      const started = await startPulled(deps, holder)
      const ended = await completePulled(deps, holder, { status: 'succeeded', result: 'ok', error: null })
      if (started.kind !== 'held' || ended.kind !== 'held') throw new Error('the claim was lost')
    },
    ended: async () => {
      const [row] = await deps.db.query<{ n: number }>(
        `SELECT count(*)::int AS n FROM run r JOIN task t ON t.run_id = r.id AND t.status = 'succeeded'
         WHERE r.status = 'succeeded' AND 4 = (SELECT count(*) FROM event e WHERE e.run_id = r.id AND e.task_id = t.id AND e.attempt_id IS NULL AND e.type <> 'task.created')`,
      )
      return row?.n ?? 0
    },
  }
}

/** The same rows of the same tables with the least statements one could write by hand, one for each commit. */
const chain = {
  create: `WITH r AS (INSERT INTO run (id, kind, status, request, plan_version) VALUES ($1, 'api', 'running', 'noop', 1)),
    p AS (INSERT INTO plan (id, run_id, version, plan_hash, policy_version, spec, source) VALUES ($2, $1, 1, 'h', 'p', '{}', '{}')),
    t AS (INSERT INTO task (id, run_id, plan_id, key, position, title, status, action, effect, spec, spec_hash, agent_id, machine_id, cwd, owns, verdict, dispatch, queued_at)
      VALUES ($3, $1, $2, '1', 0, 'noop', 'queued', 'noop', 'read', '{}', 'h', $4, 'm', '/', '{}', '{}', 'pull', clock_timestamp()))
    INSERT INTO event (type, run_id, task_id, data) VALUES ('run.created', $1, NULL, '{}'), ('task.created', $1, $3, '{}'), ('task.queued', $1, $3, '{}')`,
  claim: `WITH next AS (SELECT id FROM task WHERE agent_id = $1 AND status = 'queued' ORDER BY priority DESC, queued_at, position LIMIT 1 FOR UPDATE SKIP LOCKED),
    t AS (UPDATE task SET status = 'claimed', claim_token = $2, lease_until = clock_timestamp() + interval '10 s' FROM next WHERE task.id = next.id RETURNING task.id, run_id),
    a AS (INSERT INTO attempt (id, task_id, number, claim_token, status, agent_id, spec_hash, "grant") SELECT $3, id, 1, $2, 'claimed', $1, 'h', '{}' FROM t),
    e AS (INSERT INTO event (type, run_id, task_id, data) SELECT 'task.claimed', run_id, id, '{}' FROM t)
    SELECT id, run_id FROM t`,
  start: `WITH t AS (UPDATE task SET status = 'running', started_at = clock_timestamp() WHERE id = $1 AND claim_token = $2 AND status = 'claimed' RETURNING id, run_id),
    a AS (UPDATE attempt SET status = 'started', started_at = clock_timestamp() WHERE claim_token = $2 AND EXISTS (SELECT 1 FROM t))
    INSERT INTO event (type, run_id, task_id, data) SELECT 'task.running', run_id, id, '{}' FROM t`,
  complete: `WITH t AS (UPDATE task SET status = 'succeeded', ended_at = clock_timestamp(), result = '{}' WHERE id = $1 AND claim_token = $2 AND status = 'running' RETURNING id, run_id),
    a AS (UPDATE attempt SET status = 'exited', ended_at = clock_timestamp(), result = '{}' WHERE claim_token = $2 AND EXISTS (SELECT 1 FROM t)),
    r AS (UPDATE run SET status = 'succeeded', ended_at = clock_timestamp() FROM t WHERE run.id = t.run_id)
    INSERT INTO event (type, run_id, task_id, data) SELECT x, run_id, id, '{}' FROM t, unnest(ARRAY['task.succeeded', 'run.succeeded']) x`,
}

async function byHand(stand: Stand): Promise<Living> {
  const { databaseUrl, deps } = await stand.control('lifecycle_limit')
  const pool = new pg.Pool({ connectionString: databaseUrl, max: WIDTH })
  stand.atEnd(() => pool.end())
  const agents = Array.from({ length: WIDTH }, () => randomUUID())
  const ask = (name: keyof typeof chain, values: unknown[]) =>
    pool.query<{ id: string; run_id: string }>({ name, text: chain[name], values })
  return {
    live: async (lane) => {
      const [agent, token] = [agents[lane], randomUUID()]
      await ask('create', [randomUUID(), randomUUID(), randomUUID(), agent])
      const { rows } = await ask('claim', [agent, token, randomUUID()])
      await ask('start', [rows[0]?.id, token])
      await ask('complete', [rows[0]?.id, token])
    },
    ended: async () => {
      const [row] = await deps.db.query<{ n: number }>(
        "SELECT count(*)::int AS n FROM run r JOIN task t ON t.run_id = r.id WHERE r.status = 'succeeded' AND t.status = 'succeeded'",
      )
      return row?.n ?? 0
    },
  }
}

/** Row 1: create, claim, running, done. */
export async function lifecycleRow(stand: Stand): Promise<string[]> {
  const openDbos = await peer<(url: string) => Promise<LifecyclePeer>>('dbos', 'openDbos')
  const dbos = await openDbos(await stand.database('lifecycle_dbos'))
  stand.atEnd(() => dbos.close())
  const sides: [string, Living][] = [
    ['SKYNET', await product(stand)],
    ['DBOS, two steps', { live: () => dbos.live(), ended: () => dbos.done() }],
    ['CTE chain (limit)', await byHand(stand)],
  ]
  const many = await compare(sides.map(([name, living]) => contestant(name, WIDTH, living)))
  const alone = await compare(sides.map(([name, living]) => contestant(name, 1, living)))
  return [
    `${WIDTH} at a time`,
    ...lines(many, '/s'),
    'one at a time',
    ...lines(alone, ' ms', 1),
    atLeast(many, 'SKYNET', 'DBOS, two steps', 2),
    atLeast(many, 'SKYNET', 'CTE chain (limit)', 0.6),
  ]
}
