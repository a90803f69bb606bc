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
import type { Logger } from '../config/logger.ts'
import { Outage } from '../config/outage.ts'
import { redactError } from '../redaction/redactError.ts'
import { isAnyClaimable } from '../scheduling/anyClaimable.ts'
import type { Database } from '../storage/openDatabase.ts'
import { type Bus, busOver } from './bus.ts'
import { postgresWire, redisWire } from './busWires.ts'
import { type QueueName, queueNames, type Wake } from './jobs.ts'
import { coalescedWake } from './wake.ts'

export type QueueBackend = { kind: 'postgres'; url: string } | { kind: 'redis'; url: string }

export type OpenQueue = {
  backend: QueueBackend['kind']
  bus: Bus
  wake: Wake
  /** Whether it is away, told in a few lines. */
  outage: Outage
  queues: Record<QueueName, Queue>
  makeWorker(name: QueueName, processor: Processor, options: Omit<WorkerOptions, 'connection'>): Worker
  close(): Promise<void>
}

type QueueDeps = { db: Database; log: Logger; redact: (text: string) => string }

/** The queue keeps the message and the stack of a job that failed: they hold no secret. */
const failingCleanly =
  (processor: Processor, redact: QueueDeps['redact']): Processor =>
  async (job, token, signal) => {
    try {
      return await processor(job, token, signal)
    } catch (error) {
      throw redactError(error, redact)
    }
  }

export class QueueBackendError extends Error {
  override name = 'QueueBackendError'
}

/**
 * Opens BullMQ and the bus on the backend that the settings choose: the one place that knows which. The first
 * process writes its choice into the ledger; one that is set up otherwise is refused with what to do.
 */
export async function openQueue(deps: QueueDeps, backend: QueueBackend): Promise<OpenQueue> {
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

/** A connection that does not answer for this long is given up, and another one is made. */
const SILENCE_MS = 15_000
const CONNECT_MS = 5000
const MAX_PAUSE_MS = 2000

async function onPostgres({ db, log, redact }: QueueDeps, url: string): Promise<OpenQueue> {
  const outage = new Outage(log, 'the queue (PostgreSQL)')
  const pool = new pg.Pool({
    connectionString: url,
    max: 8,
    options: '-c search_path=bullmq',
    keepAlive: true,
    connectionTimeoutMillis: CONNECT_MS,
    query_timeout: SILENCE_MS,
  })
  pool.on('error', (error) => outage.failed(error))
  pool.on('connect', (client) => void client.on('error', () => {}))
  const client = await pool.connect()
  await runMigrations(client).finally(() => client.release())
  const classes = withBackend(createPostgresBackend)
  const queues = eachQueue(
    (name) => new classes.Queue(name, { connection: pool }) as unknown as Queue,
    outage,
  )
  return assemble(db, {
    backend: 'postgres',
    bus: busOver((ears) => postgresWire(url, db.pool, outage, ears), log),
    queues,
    outage,
    makeWorker: (name, processor, options) =>
      new classes.Worker(name, failingCleanly(processor, redact), {
        ...options,
        connection: pool,
      }) as unknown as Worker,
    end: () => pool.end(),
  })
}

async function onRedis({ db, log, redact }: QueueDeps, url: string): Promise<OpenQueue> {
  const { Worker: RedisWorker } = await import('bullmq')
  const outage = new Outage(log, 'the queue (Redis)')
  const redis = new Redis(url, {
    maxRetriesPerRequest: null,
    connectTimeout: CONNECT_MS,
    socketTimeout: SILENCE_MS,
    retryStrategy: (times) => Math.min(MAX_PAUSE_MS, times * 100),
  })
  redis.on('error', (error) => outage.failed(error))
  redis.on('ready', () => outage.over())
  const queues = eachQueue((name) => new Queue(name, { connection: redis, prefix: 'skynet' }), outage)
  return assemble(db, {
    backend: 'redis',
    bus: busOver((ears) => redisWire(redis, outage, ears), log),
    queues,
    outage,
    makeWorker: (name, processor, options) =>
      new RedisWorker(name, failingCleanly(processor, redact), {
        ...options,
        connection: redis,
        prefix: 'skynet',
      }),
    end: async () => redis.disconnect(),
  })
}

function eachQueue(open: (name: QueueName) => Queue, outage: Outage): Record<QueueName, Queue> {
  const queues = Object.fromEntries(queueNames.map((name) => [name, open(name)])) as Record<QueueName, Queue>
  for (const queue of Object.values(queues)) queue.on('error', (error) => outage.failed(error))
  return queues
}

type Parts = Pick<OpenQueue, 'backend' | 'bus' | 'queues' | 'makeWorker' | 'outage'> & {
  end(): Promise<void>
}

function assemble(db: Database, { end, ...parts }: Parts): OpenQueue {
  return {
    ...parts,
    wake: coalescedWake(parts.queues, parts.outage, () => isAnyClaimable(db)),
    close: async () => {
      await Promise.allSettled(Object.values(parts.queues).map((queue) => queue.close()))
      await parts.bus.close()
      await end()
    },
  }
}
