import { createPostgresBackend, Queue, runMigrations, Worker, withBackend } from 'bullmq'
import { Redis } from 'ioredis'
import pg from 'pg'
import type { Drainer, Starter } from '../peers.ts'

type Opened = {
  queue: Pick<Queue, 'addBulk' | 'getJobCounts' | 'close'>
  work(done: () => void): Pick<Worker, 'close'>
  end(): Promise<unknown>
}

const NAME = 'drain'
const options = { concurrency: 50 }

const drainerOf = ({ queue, work, end }: Opened): Drainer => ({
  fill: async (count) => {
    for (let made = 0; made < count; made += 1000) {
      const jobs = Array.from({ length: Math.min(1000, count - made) }, () => ({ name: 'noop', data: {} }))
      await queue.addBulk(jobs)
    }
  },
  drain: async (count) => {
    let left = count
    const all = Promise.withResolvers<void>()
    const worker = work(() => {
      left -= 1
      if (left === 0) all.resolve()
    })
    await all.promise
    await worker.close()
  },
  left: async () => {
    const { waiting = 0, active = 0, failed = 0 } = await queue.getJobCounts('waiting', 'active', 'failed')
    return waiting + active + failed
  },
  close: async () => {
    await queue.close()
    await end()
  },
})

/** BullMQ on PostgreSQL: a lock token fences each job, and its completion is kept. */
export async function bullmqOnPostgres(url: string): Promise<Drainer> {
  const pool = new pg.Pool({ connectionString: url, max: 10, options: '-c search_path=bullmq' })
  const client = await pool.connect()
  await runMigrations(client).finally(() => client.release())
  const classes = withBackend(createPostgresBackend)
  return drainerOf({
    queue: new classes.Queue(NAME, { connection: pool }),
    work: (done) => new classes.Worker(NAME, async () => done(), { connection: pool, ...options }),
    end: () => pool.end(),
  })
}

/** The same on Redis. */
export function bullmqOnRedis(url: string): Drainer {
  const connection = new Redis(url, { maxRetriesPerRequest: null })
  return drainerOf({
    queue: new Queue(NAME, { connection }),
    work: (done) => new Worker(NAME, async () => done(), { connection, ...options }),
    end: async () => connection.disconnect(),
  })
}

/** One hop through BullMQ on PostgreSQL. */
export async function bullmqStarter(url: string): Promise<Starter> {
  const wall = (): number => performance.timeOrigin + performance.now()
  const pool = new pg.Pool({ connectionString: url, max: 8, options: '-c search_path=bullmq' })
  const client = await pool.connect()
  await runMigrations(client).finally(() => client.release())
  const classes = withBackend(createPostgresBackend)
  const queue = new classes.Queue(NAME, { connection: pool })
  const begun = new Map<string, number>()
  const worker = new classes.Worker(NAME, async (job) => void begun.set(String(job.id), wall()), {
    connection: pool,
    concurrency: 16,
  })
  await worker.waitUntilReady()
  return {
    commit: async () => {
      const at = wall()
      const job = await queue.add('noop', {})
      return { id: String(job.id), at }
    },
    started: async () => begun,
    close: async () => {
      await worker.close()
      await queue.close()
      await pool.end()
    },
  }
}
