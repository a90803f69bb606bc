import { randomUUID } from 'node:crypto'
import { EventEmitter } from 'node:events'
import type { Redis } from 'ioredis'
import pg from 'pg'
import { z } from 'zod'
import { type Logger, messageOf } from '../config/logger.ts'
import { coalesce } from './coalesce.ts'

/**
 * Live traffic between processes: what is lost here is in the ledger. `run.changed`: something of the run changed.
 * `log`: lines that the ledger has just recorded. `deliver`: the outbox has something. `agents`: the fleet changed.
 */
export const topics = {
  'run.changed': z.object({ runId: z.string() }),
  log: z.object({ runId: z.string(), taskId: z.string(), text: z.string() }),
  deliver: z.object({}),
  agents: z.object({}),
} as const
export type Topic = keyof typeof topics
export type Message<T extends Topic> = z.infer<(typeof topics)[T]>

export type Bus = {
  publish<T extends Topic>(topic: T, message: Message<T>): void
  /** Returns what ends the subscription. Own messages arrive as well. */
  subscribe<T extends Topic>(topic: T, listener: (message: Message<T>) => void): () => void
  close(): Promise<void>
}

const Envelope = z.object({
  from: z.string(),
  topic: z.enum(Object.keys(topics) as [Topic, ...Topic[]]),
  message: z.unknown(),
})
const CHANNEL = 'skynet_bus'
/** The same message does not go to other processes again sooner than this. */
const WIRE_GAP_MS = 10
/** PostgreSQL refuses notifications of 8,000 bytes; longer texts are cut, the ledger has them whole. */
const MAX_BYTES = 7500

type Wire = { send(text: string): Promise<unknown>; close(): Promise<void> }

/** A bus whose own messages arrive at once, and those of other processes over `connect`'s wire. */
function busOver(connect: (receive: (text: string) => void) => Wire, log: Pick<Logger, 'warn'>): Bus {
  const me = randomUUID()
  const local = new EventEmitter().setMaxListeners(0)
  const wire = connect((text) => {
    const parsed = Envelope.safeParse(safeJson(text))
    if (!parsed.success || parsed.data.from === me) return
    const message = topics[parsed.data.topic].safeParse(parsed.data.message)
    if (message.success) local.emit(parsed.data.topic, message.data)
  })
  const send = coalesce(WIRE_GAP_MS, (text: string) => {
    wire.send(text).catch((error) => log.warn(`bus: ${messageOf(error)}`))
  })
  return {
    publish: (topic, message) => {
      setImmediate(() => {
        local.emit(topic, message)
        const text = envelope(me, topic, message)
        send(text, text)
      })
    },
    subscribe: (topic, listener) => {
      local.on(topic, listener)
      return () => local.off(topic, listener)
    },
    close: () => wire.close(),
  }
}

function envelope(from: string, topic: Topic, message: object): string {
  const text = JSON.stringify({ from, topic, message })
  if (Buffer.byteLength(text) <= MAX_BYTES || !('text' in message)) return text
  return JSON.stringify({ from, topic, message: { ...message, text: String(message.text).slice(-1500) } })
}

const safeJson = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}

/** The bus on PostgreSQL's LISTEN/NOTIFY: one connection of its own, made again when it is lost. */
export function postgresBus(url: string, pool: pg.Pool, log: Pick<Logger, 'warn'>): Bus {
  return busOver((receive) => {
    let client: pg.Client | null = null
    let closed = false
    const listen = async (): Promise<void> => {
      if (closed) return
      const next = new pg.Client({ connectionString: url, keepAlive: true })
      const again = () => {
        if (client === next) client = null
        if (!closed) setTimeout(() => void listen(), 500).unref()
      }
      next.on('error', () => {})
      next.once('end', again)
      next.on('notification', ({ payload }) => receive(payload ?? ''))
      client = next
      await next
        .connect()
        .then(() => next.query(`LISTEN ${CHANNEL}`))
        .catch((error) => {
          log.warn(`bus: cannot listen: ${messageOf(error)}`)
          next.end().catch(() => {})
        })
    }
    void listen()
    return {
      send: (text) => pool.query('SELECT pg_notify($1, $2)', [CHANNEL, text]),
      close: async () => {
        closed = true
        await client?.end()
      },
    }
  }, log)
}

/** The bus on Redis' publish and subscribe. */
export function redisBus(redis: Redis, log: Pick<Logger, 'warn'>): Bus {
  return busOver((receive) => {
    const reader = redis.duplicate({ maxRetriesPerRequest: null })
    reader.on('error', (error) => log.warn(`bus: ${messageOf(error)}`))
    reader.on('message', (_channel, text) => receive(text))
    reader.subscribe(CHANNEL).catch((error) => log.warn(`bus: ${messageOf(error)}`))
    return {
      send: (text) => redis.publish(CHANNEL, text),
      close: async () => {
        reader.disconnect()
      },
    }
  }, log)
}
