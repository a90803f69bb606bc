import { randomUUID } from 'node:crypto'
import type { Deps } from '../../core/deps.ts'
import { setLockdown } from '../../core/people/lockdown.ts'
import type { ActionRequest } from '../../core/protocol/http.ts'
import { recordFrames } from '../../core/runs/recordFrames.ts'
import { enqueueTasks } from '../../core/tasks/enqueueTasks.ts'
import { TaskRequest } from '../../core/tasks/taskRequest.ts'
import { startProcess } from '../../tests/support/childProcess.ts'
import { newSecrets } from '../../tests/support/control.ts'
import {
  accepted,
  addMachine,
  exited,
  FakeGateway,
  framesOf,
  result,
  started,
} from '../../tests/support/fleet.ts'
import { type Contestant, compare, exactly, lines, of, scaled } from '../compare.ts'
import { startRedis } from '../redis.ts'
import type { Stand } from '../stand.ts'
import { pause } from '../system.ts'
import { multiplyRun } from './manyTasks.ts'

const COUNTS = [1, 2, 4]
const MACHINES = 8
const PER_MACHINE = scaled(250)
const IN_RUN = 50
/** As a gateway gathers what many attempts report. */
const GATHER_MS = 20

/** Tasks that end as soon as they arrive, reported in batches. */
function answerAll(deps: Deps, gateway: FakeGateway): { stop(): Promise<void> } {
  const arrived = new Map<string, ActionRequest[]>()
  gateway.onAction = (action) => {
    const { agent_id } = action.spec
    arrived.set(agent_id, [...(arrived.get(agent_id) ?? []), action])
  }
  let stopped = false
  const loop = (async () => {
    while (!stopped) {
      const batch = [...arrived]
      arrived.clear()
      await Promise.all(
        batch.map(([agent_id, actions]) => {
          const ends = [accepted(), started(), result('succeeded'), exited()]
          const frames = actions.flatMap((action) => framesOf(action.execution_id, ends))
          return recordFrames(deps, { gateway_id: randomUUID(), agent_id, frames })
        }),
      )
      await pause(GATHER_MS)
    }
  })()
  return {
    stop: async () => {
      stopped = true
      await loop
    },
  }
}

async function fill(deps: Deps, agents: readonly string[]): Promise<void> {
  await deps.db.query('TRUNCATE run, event CASCADE')
  for (const agent of agents) {
    const task = TaskRequest.parse({ action: 'noop', agent_id: agent })
    const tasks = Array.from({ length: IN_RUN }, () => task)
    const done = await enqueueTasks(deps, { runId: null, personId: null, tasks })
    if (done.kind !== 'enqueued') throw new Error(JSON.stringify(done))
    await multiplyRun(deps.db, done.runId, Math.ceil(PER_MACHINE / IN_RUN) - 1)
  }
}

async function countEnded(deps: Deps): Promise<number> {
  const [row] = await deps.db.query<{ n: number }>(
    "SELECT count(*)::int AS n FROM task WHERE status = 'succeeded'",
  )
  return row?.n ?? 0
}

/** Tasks handed out by some worker processes, queue and bus on Redis. */
export async function workersRow(stand: Stand): Promise<string[]> {
  const redis = await startRedis(false)
  stand.atEnd(() => redis.stop())
  const secrets = newSecrets()
  const { deps, databaseUrl } = await stand.control('workers', { redisUrl: redis.url, secrets })
  const gateway = await new FakeGateway().start()
  stand.atEnd(() => gateway.stop())
  const machines = []
  for (let n = 0; n < MACHINES; n++) machines.push(await addMachine(deps, { gatewayUrl: gateway.url }))
  const agents = machines.map(({ name }) => name)
  const total = MACHINES * Math.ceil(PER_MACHINE / IN_RUN) * IN_RUN
  const contestant = (count: number): Contestant => ({
    name: `${count} worker process${count > 1 ? 'es' : ''}`,
    round: async () => {
      await deps.db.query('UPDATE agent SET last_seen_at = clock_timestamp(), connected = true')
      await deps.db.query('UPDATE agent_link SET last_seen_at = clock_timestamp()')
      await deps.db.query('UPDATE gateway SET last_seen_at = clock_timestamp(), open_until = NULL')
      const part = { control: { databaseUrl, redisUrl: redis.url, secrets } }
      const quiet = { ...deps, wake: () => {} }
      await fill(quiet, agents)
      const reporter = answerAll(deps, gateway)
      // Nothing is handed out until all of them are up.
      await deps.db.tx((tx) => setLockdown(tx, true))
      const workers = await Promise.all(Array.from({ length: count }, () => startProcess(part)))
      await deps.db.tx((tx) => setLockdown(tx, false))
      const began = performance.now()
      deps.wake('tasks.dispatch', {})
      while ((await countEnded(deps)) < total) await pause(20)
      const seconds = (performance.now() - began) / 1000
      await Promise.all(workers.map((worker) => worker.kill()))
      await reporter.stop()
      exactly('tasks handed out', gateway.actions.splice(0).length, total)
      return total / seconds
    },
  })
  const figures = await compare(COUNTS.map(contestant))
  const [one = Number.NaN, ...more] = [...figures.keys()].map((name) => of(figures, name))
  return [
    ...lines(figures, ' tasks/s'),
    `against one process: ${more.map((rate, n) => `${COUNTS[n + 1]} give ${(rate / one).toFixed(2)}`).join(', ')} (2 cores, which they share with PostgreSQL, Redis and the gateway)`,
  ]
}
