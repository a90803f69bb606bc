import { Logger, makeWorkerUtils, run } from 'graphile-worker'
import pg from 'pg'
import type { Drainer, Starter } from '../peers.ts'

/** In batches, as its own documentation recommends for throughput. A job that is done is deleted; nothing fences it. */
export async function openGraphile(url: string): Promise<Drainer> {
  const pool = new pg.Pool({ connectionString: url, max: 55 })
  pool.on('error', () => {})
  pool.on('connect', (client) => void client.on('error', () => {}))
  const logger = new Logger(() => () => {})
  const utils = await makeWorkerUtils({ pgPool: pool, logger })
  await utils.migrate()
  return {
    fill: async (count) => {
      await pool.query("SELECT graphile_worker.add_job('noop') FROM generate_series(1, $1)", [count])
    },
    drain: async (count) => {
      let left = count
      const all = Promise.withResolvers<void>()
      const runner = await run({
        pgPool: pool,
        logger,
        noHandleSignals: true,
        preset: {
          worker: {
            concurrentJobs: 50,
            localQueue: { size: 500 },
            completeJobBatchDelay: 0,
            failJobBatchDelay: 0,
          },
        },
        taskList: {
          noop: () => {
            left -= 1
            if (left === 0) all.resolve()
          },
        },
      })
      await all.promise
      await runner.stop()
    },
    left: async () => {
      const { rows } = await pool.query('SELECT count(*)::int AS n FROM graphile_worker.jobs')
      return rows[0].n
    },
    close: async () => {
      await utils.release()
      await pool.end()
    },
  }
}

/** As it comes: LISTEN and NOTIFY wake it. */
export async function startGraphile(url: string): Promise<Starter> {
  const wall = (): number => performance.timeOrigin + performance.now()
  const begun = new Map<string, number>()
  const logger = new Logger(() => () => {})
  const utils = await makeWorkerUtils({ connectionString: url, logger })
  await utils.migrate()
  const runner = await run({
    connectionString: url,
    concurrency: 16,
    logger,
    noHandleSignals: true,
    taskList: { noop: (_payload, { job }) => void begun.set(String(job.id), wall()) },
  })
  return {
    commit: async () => {
      const at = wall()
      const job = await utils.addJob('noop', {})
      return { id: String(job.id), at }
    },
    started: async () => begun,
    close: async () => {
      await runner.stop()
      await utils.release()
    },
  }
}
