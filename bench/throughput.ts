import { spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { createPostgresBackend, runMigrations, withBackend } from 'bullmq'
import pg from 'pg'
import { decideApproval } from '../core/approvals/decideApproval.ts'
import { meetPerson } from '../core/people/people.ts'
import { median } from './figures.ts'
import { type Call, heldRun } from './heldRun.ts'
import { type BenchSystem, pause, user } from './system.ts'

const TASKS = 200
const ROUNDS = 5
/** Attempts one agent holds at a time, and so how many the peer may run at once. */
const CONCURRENCY = 8

/** Tasks a second from the approval to the end of the run, through ledger, queue, gateway, agent and back. */
async function approvedTasks(system: BenchSystem, call: Call): Promise<number> {
  const { deps } = system.control
  const person = await meetPerson(deps.db, { id: user.id, name: user.first_name }, [user.id])
  const run = await heldRun(deps.db, deps.policy, system.machine, call, TASKS)
  const began = performance.now()
  await deps.db.tx((tx) =>
    decideApproval(deps, tx, {
      approvalId: run.approvalId,
      personId: person.id,
      decision: 'approved',
      planHash: run.hash,
    }),
  )
  for (;;) {
    const [row] = await deps.db.query<{ status: string }>('SELECT status FROM run WHERE id = $1', [run.runId])
    if (row?.status === 'succeeded') return TASKS / ((performance.now() - began) / 1000)
    if (row?.status === 'failed') throw new Error('a task of the benchmark failed')
    await pause(10)
  }
}

const spawnTrue = (): Promise<void> =>
  new Promise((resolve, reject) =>
    spawn('sh', ['-c', 'true'], { stdio: 'ignore' })
      .once('exit', () => resolve())
      .once('error', reject),
  )

/** The peer: a bare BullMQ worker on the same PostgreSQL that spawns the same command and keeps no ledger. */
async function bareBullmq(url: string): Promise<number> {
  const pool = new pg.Pool({ connectionString: url, max: 8, options: '-c search_path=bullmq' })
  const client = await pool.connect()
  await runMigrations(client).finally(() => client.release())
  const { Queue, Worker } = withBackend(createPostgresBackend)
  const name = `peer-${randomUUID()}`
  const queue = new Queue(name, { connection: pool })
  let done = 0
  const began = performance.now()
  const finished = new Promise<void>((resolve) => {
    const worker = new Worker(
      name,
      async () => {
        await spawnTrue()
        done += 1
        if (done === TASKS) resolve(worker.close().then(() => undefined))
      },
      { connection: pool, concurrency: CONCURRENCY },
    )
  })
  await queue.addBulk(Array.from({ length: TASKS }, () => ({ name: 'true', data: {} })))
  await finished
  const rate = TASKS / ((performance.now() - began) / 1000)
  await queue.close()
  await pool.end()
  return rate
}

/** Tasks a second against the peer, interleaved, the first round dropped. */
export async function throughput(system: BenchSystem): Promise<string[]> {
  const rates = { noop: [] as number[], shell: [] as number[], peer: [] as number[] }
  for (let round = 0; round <= ROUNDS; round++) {
    const shell = await approvedTasks(system, { action: 'shell', params: { command: 'true' } })
    const peer = await bareBullmq(system.control.databaseUrl)
    const noop = await approvedTasks(system, { action: 'noop', params: {} })
    if (process.env.BENCH_VERBOSE) console.error(round, shell.toFixed(0), peer.toFixed(0), noop.toFixed(0))
    if (round === 0) continue
    rates.shell.push(shell)
    rates.peer.push(peer)
    rates.noop.push(noop)
  }
  const range = (values: number[]) =>
    `${median(values).toFixed(0)}/s (${Math.min(...values).toFixed(0)} to ${Math.max(...values).toFixed(0)})`
  const ratio = median(rates.shell) / median(rates.peer)
  return [
    `approved noop tasks                ${range(rates.noop)}`,
    `approved shell true tasks          ${range(rates.shell)}`,
    `peer: bare BullMQ, sh -c true      ${range(rates.peer)}`,
    `ratio shell true / peer            ${ratio.toFixed(2)}  aim 0.50  ${ratio >= 0.5 ? 'met' : 'MISSED'}`,
  ]
}
