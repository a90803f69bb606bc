import { Redis } from 'ioredis'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Deps } from '../../core/deps.ts'
import type { ActionRequest } from '../../core/protocol/http.ts'
import { openQueue, QueueBackendError } from '../../core/queue/openQueue.ts'
import { createRun } from '../../core/runs/createRun.ts'
import { startWorkers } from '../../workers/main.ts'
import { startProcess } from '../support/childProcess.ts'
import { openTestControl, type TestControl, testLog } from '../support/control.ts'
import { newDatabase, newRedis, queueKinds, type TestDatabase } from '../support/database.ts'
import {
  accepted,
  actual,
  addMachine,
  approve,
  exited,
  FakeGateway,
  replayed,
  report,
  result,
  started,
  startRun,
  type TestMachine,
} from '../support/fleet.ts'

describe.each(queueKinds())('the queue on %s', (kind) => {
  let database: TestDatabase
  let redisUrl: string | null
  let control: TestControl
  let gateway: FakeGateway
  let machine: TestMachine
  const deps = (): Deps => control.deps

  beforeAll(async () => {
    database = await newDatabase()
    redisUrl = kind === 'redis' ? await newRedis() : null
    control = await openTestControl({ databaseUrl: database.url, redisUrl })
    gateway = await new FakeGateway().start()
    machine = await addMachine(deps(), { gatewayUrl: gateway.url })
    gateway.onAction = (request) => void perform(request)
  })
  afterAll(async () => {
    await gateway?.stop()
    await control?.close()
    await database?.drop()
  })

  /** The agent: starts an attempt once however often it is sent, and ends it. */
  const begun = new Set<string>()
  async function perform({ execution_id: attemptId, spec }: ActionRequest): Promise<void> {
    if (begun.has(attemptId)) return
    begun.add(attemptId)
    await report(
      deps(),
      { attemptId, agentId: spec.agent_id },
      accepted(),
      started(),
      result('succeeded'),
      exited(),
    )
  }

  const command = (): Promise<{ id: string }> =>
    deps().db.tx((tx) =>
      createRun(deps(), tx, {
        kind: 'command',
        request: 'sleep 1',
        personId: null,
        chat: null,
        place: { agentId: machine.agentId, cwd: machine.root },
      }),
    )

  const open = async (): Promise<number> =>
    (
      await deps().db.query(
        "SELECT 1 FROM run WHERE status NOT IN ('succeeded', 'failed', 'cancelled', 'denied', 'refused')",
      )
    ).length

  /** Waits until no run is open: by the bus, and by looking now and then. */
  function drained(timeout = 15_000): Promise<void> {
    return new Promise((resolve, reject) => {
      const end = (act: () => void) => {
        stop()
        clearInterval(timer)
        clearTimeout(deadline)
        act()
      }
      const look = () =>
        void open().then(
          (n) => n === 0 && end(resolve),
          (error) => end(() => reject(error)),
        )
      const stop = deps().bus.subscribe('run.changed', look)
      const timer = setInterval(look, 100)
      const deadline = setTimeout(() => {
        void deps()
          .db.query(
            'SELECT r.status AS run, t.status AS task, t.waiting_for, a.status AS attempt FROM run r LEFT JOIN task t ON t.run_id = r.id LEFT JOIN attempt a ON a.task_id = t.id WHERE r.ended_at IS NULL',
          )
          .then((left) => end(() => reject(new Error(`not drained: ${JSON.stringify(left)}`))))
      }, timeout)
      look()
    })
  }

  const outcomes = async (): Promise<Record<string, number>> => {
    const rows = await deps().db.query<{ status: string; n: number }>(
      'SELECT status, count(*)::int AS n FROM run GROUP BY status',
    )
    return Object.fromEntries(rows.map((row) => [row.status, row.n]))
  }

  test('a process that is set up for the other backend is refused, with what to do', async () => {
    const other =
      kind === 'redis'
        ? ({ kind: 'postgres', url: database.url } as const)
        : ({ kind: 'redis', url: 'redis://127.0.0.1:1' } as const)
    const opening = openQueue(deps(), other)
    await expect(opening).rejects.toThrow(QueueBackendError)
    await expect(opening).rejects.toThrow(new RegExp(`queue is on ${kind}`))
  })

  test('the bus carries messages between processes, cuts long ones, and brings its own at once', async () => {
    const other = await openTestControl({ databaseUrl: database.url, redisUrl, secrets: control.secrets })
    const heard: string[] = []
    const arrived = new Promise<void>((resolve) => {
      deps().bus.subscribe('log', ({ text }) => {
        heard.push(text)
        if (text.endsWith('end')) resolve()
      })
    })
    const timer = setInterval(
      () =>
        other.deps.bus.publish('log', {
          ...{ runId: 'r', taskId: 't', attemptId: 'a', after: 0, seq: 1 },
          text: `${'ä'.repeat(9000)}end`,
        }),
      50,
    )
    await arrived
    clearInterval(timer)
    expect(heard.every((text) => text.length <= 1500)).toBe(true)
    const own = new Promise((resolve) => deps().bus.subscribe('agents', resolve))
    deps().bus.publish('agents', {})
    expect(await own).toEqual({})
    await other.close()
  })

  test('a reader that was away is told that it may have missed something; lines keep their order', async () => {
    const other = await openTestControl({ databaseUrl: database.url, redisUrl, secrets: control.secrets })
    const seen: number[] = []
    let last = 0
    const all = new Promise<void>((resolve) => {
      deps().bus.subscribe('log', ({ attemptId, after, seq }) => {
        if (attemptId !== 'ordered') return
        if (after > last) seen.push(-1)
        seen.push(seq)
        last = seq
        if (seq === 500) resolve()
      })
    })
    await expect.poll(() => other.deps.bus.connected() && deps().bus.connected()).toBe(true)
    for (let seq = 1; seq <= 500; seq++)
      other.deps.bus.publish('log', {
        runId: 'r',
        taskId: 't',
        attemptId: 'ordered',
        after: seq - 1,
        seq,
        text: 'x',
      })
    await all
    expect(seen).not.toContain(-1)
    expect(seen).toEqual([...seen].sort((a, b) => a - b))
    const lost = new Promise((resolve) => deps().bus.subscribe('lost', resolve))
    await cutListeners()
    expect(await lost).toEqual({})
    const again = new Promise((resolve) =>
      deps().bus.subscribe('run.changed', ({ runId }) => runId === 'again' && resolve(0)),
    )
    await expect.poll(() => other.deps.bus.connected() && deps().bus.connected()).toBe(true)
    other.deps.bus.publish('run.changed', { runId: 'again' })
    await again
    await other.close()
  })

  /** Breaks the connections on which processes listen, as a server that restarts does. */
  async function cutListeners(): Promise<void> {
    if (redisUrl) {
      const redis = new Redis(redisUrl)
      await redis.call('CLIENT', 'KILL', 'TYPE', 'pubsub')
      redis.disconnect()
    } else
      await deps().db.query(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'skynet bus'",
      )
  }

  test('a run goes from its request to its end, and so do thirty at once', async () => {
    const workers = startWorkers(deps(), control.queue)
    await Promise.all(Array.from({ length: 30 }, command))
    await drained()
    expect(await outcomes()).toEqual({ succeeded: 30 })
    await workers.stop()
  })

  test('jobs that mean nothing do no harm', async () => {
    const { control: jobs, planning } = control.queue.queues
    const workers = startWorkers(
      { ...deps(), log: { ...testLog, warn: () => testLog } as never },
      control.queue,
    )
    await jobs.add('nonsense', { a: 1 })
    await jobs.add('tasks.dispatch', { surplus: true })
    await planning.add('run.plan', { runId: 'not an id' })
    await planning.add('run.plan', { runId: '6c1d0b1e-0000-4000-8000-000000000000' })
    await command()
    await drained()
    await workers.stop()
  })

  test('every job deleted, again and again, while runs are on their way: nothing is lost', async () => {
    const workers = startWorkers(deps(), control.queue)
    const deleting = (async () => {
      for (let n = 0; n < 25; n++) {
        for (const queue of Object.values(control.queue.queues))
          await queue.obliterate({ force: true }).catch(() => {})
        if (redisUrl && n % 5 === 0) await flush(redisUrl)
        await new Promise((resolve) => setTimeout(resolve, 20 + (n % 7) * 10))
      }
    })()
    const before = (await outcomes()).succeeded ?? 0
    for (let i = 0; i < 20; i++) await command()
    const graphs = await Promise.all(
      Array.from({ length: 5 }, () =>
        startRun(deps(), machine, [
          { key: 'a' },
          { key: 'b', after: ['a'] },
          { key: 'c', after: ['a'] },
          { key: 'd', after: ['b', 'c'] },
        ]),
      ),
    )
    await deleting
    await drained()
    expect((await outcomes()).succeeded).toBe(before + 20 + graphs.length)
    await workers.stop()
  })

  test('a worker killed in the middle of jobs, three times: each run ends, nothing is started twice', async () => {
    const options = { databaseUrl: database.url, redisUrl, secrets: control.secrets, poolSize: 6 }
    const before = (await outcomes()).succeeded ?? 0
    let asked = 0
    for (let round = 0; round < 3; round++) {
      const worker = await startProcess({ control: options })
      const reached = new Promise<void>((resolve) => {
        let left = 2 + round * 3
        gateway.onAction = (request) => {
          void perform(request)
          left -= 1
          if (left === 0) resolve()
        }
      })
      for (let i = 0; i < 8; i++) await command()
      const run = await startRun(deps(), machine, [
        { key: 'a', command: 'touch x', files: [`/work/${round}`] },
        { key: 'b', after: ['a'], command: 'touch y', files: [`/work/${round}`] },
      ])
      await approve(deps(), run.id)
      asked += 9
      await reached
      await worker.kill()
    }
    gateway.onAction = (request) => void perform(request)
    // Time passes: what the dead workers held lapses.
    await deps().db.query("UPDATE task SET lease_until = to_timestamp(0) WHERE status = 'claimed'")
    await deps().db.query("UPDATE run SET planning_until = to_timestamp(0) WHERE status = 'planning'")
    const last = await startProcess({ control: options })
    await drained()
    await last.kill()
    expect((await outcomes()).succeeded).toBe(before + asked)
    const twice = await deps().db.query(
      "SELECT task_id FROM attempt WHERE status <> 'released' GROUP BY task_id HAVING count(*) > 1",
    )
    expect(twice).toEqual([])
    expect(await replayed(deps())).toEqual(await actual(deps()))
  }, 60_000)
})

async function flush(url: string): Promise<void> {
  const redis = new Redis(url)
  await redis.flushdb()
  redis.disconnect()
}
