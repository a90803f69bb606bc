import {
  createPostgresBackend,
  type Processor,
  Queue,
  runMigrations,
  type Worker,
  type WorkerOptions,
  withBackend,
} from 'bullmq'
import { Redis } from 'ioredis'
import pg from 'pg'
import { type Logger, messageOf } from '../config/logger.ts'
import type { Database } from '../storage/openDatabase.ts'
import { type Bus, postgresBus, redisBus } from './bus.ts'
import { coalesce } from './coalesce.ts'
import { type JobName, type JobPayload, jobs, type QueueName, queueNames, type Wake } from './jobs.ts'

export type QueueBackend = { kind: 'postgres'; url: string } | { kind: 'redis'; url: string }

export type OpenQueue = {
  backend: QueueBackend['kind']
  bus: Bus
  wake: Wake
  queues: Record<QueueName, Queue>
  makeWorker(name: QueueName, processor: Processor, options: Omit<WorkerOptions, 'connection'>): Worker
  close(): Promise<void>
}

export class QueueBackendError extends Error {
  override name = 'QueueBackendError'
}

/**
 * Opens BullMQ and the bus on the backend that the settings choose: the one place that knows which. The first
 * process writes its choice into the ledger; one that is set up otherwise is refused with what to do.
 */
export async function openQueue(
  deps: { db: Database; log: Logger },
  backend: QueueBackend,
): Promise<OpenQueue> {
  await agreeOnBackend(deps.db, backend.kind)
  return backend.kind === 'postgres' ? onPostgres(deps, backend.url) : onRedis(deps, backend.url)
}

async function agreeOnBackend(db: Database, kind: QueueBackend['kind']): Promise<void> {
  await db.query("INSERT INTO installation (key, value) VALUES ('queue', $1) ON CONFLICT DO NOTHING", [
    JSON.stringify(kind),
  ])
  const [row] = await db.query<{ value: string }>("SELECT value FROM installation WHERE key = 'queue'")
  if (row?.value !== kind) {
    throw new QueueBackendError(
      `This installation's queue is on ${row?.value}, but this process is set up for ${kind}. ${kind === 'redis' ? 'Unset' : 'Set'} REDIS_URL, or stop every process and change over with \`skynet migrate --queue ${kind}\`.`,
    )
  }
}

async function onPostgres({ db, log }: { db: Database; log: Logger }, url: string): Promise<OpenQueue> {
  const pool = new pg.Pool({
    connectionString: url,
    max: 8,
    options: '-c search_path=bullmq',
    keepAlive: true,
  })
  pool.on('error', (error) => log.warn(`queue connection lost: ${error.message}`))
  const client = await pool.connect()
  await runMigrations(client).finally(() => client.release())
  const classes = withBackend(createPostgresBackend)
  const queues = eachQueue((name) => new classes.Queue(name, { connection: pool }) as unknown as Queue, log)
  return assemble({
    backend: 'postgres',
    bus: postgresBus(url, db.pool, log),
    queues,
    log,
    makeWorker: (name, processor, options) =>
      new classes.Worker(name, processor, { ...options, connection: pool }) as unknown as Worker,
    end: () => pool.end(),
  })
}

async function onRedis({ log }: { log: Logger }, url: string): Promise<OpenQueue> {
  const { Worker: RedisWorker } = await import('bullmq')
  const redis = new Redis(url, { maxRetriesPerRequest: null })
  redis.on('error', (error) => log.warn(`redis: ${messageOf(error)}`))
  const queues = eachQueue((name) => new Queue(name, { connection: redis, prefix: 'skynet' }), log)
  return assemble({
    backend: 'redis',
    bus: redisBus(redis, log),
    queues,
    log,
    makeWorker: (name, processor, options) =>
      new RedisWorker(name, processor, { ...options, connection: redis, prefix: 'skynet' }),
    end: async () => redis.disconnect(),
  })
}

function eachQueue(open: (name: QueueName) => Queue, log: Logger): Record<QueueName, Queue> {
  const queues = Object.fromEntries(queueNames.map((name) => [name, open(name)])) as Record<QueueName, Queue>
  for (const queue of Object.values(queues)) queue.on('error', (error) => log.warn(`queue: ${error.message}`))
  return queues
}

type Parts = Pick<OpenQueue, 'backend' | 'bus' | 'queues' | 'makeWorker'> & {
  log: Logger
  end(): Promise<void>
}

function assemble({ end, log, ...parts }: Parts): OpenQueue {
  return {
    ...parts,
    wake: coalescedWake(parts.queues, log),
    close: async () => {
      await Promise.allSettled(Object.values(parts.queues).map((queue) => queue.close()))
      await parts.bus.close()
      await end()
    },
  }
}

/** The same wake-up is not asked for again sooner than this: what a burst wants is looked at once for all of it. */
const WAKE_GAP_MS = 25

/** Equal wake-ups in a short time become one job: the first at once, the rest together after the gap. */
function coalescedWake(queues: Record<QueueName, Queue>, log: Logger): Wake {
  const add = coalesce(WAKE_GAP_MS, (name: JobName, payload: JobPayload<JobName>) => {
    addJob(queues, name, payload).catch((error) =>
      log.warn(`wake-up ${name} not queued, the next tick asks again: ${messageOf(error)}`),
    )
  })
  return (name, payload) => add(`${name} ${JSON.stringify(payload)}`, name, payload)
}

const addJob = <N extends JobName>(queues: Record<QueueName, Queue>, name: N, payload: JobPayload<N>) =>
  queues[jobs[name].queue].add(name, jobs[name].payload.parse(payload), {
    removeOnComplete: true,
    removeOnFail: 100,
  })
