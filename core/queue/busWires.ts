import type { Redis } from 'ioredis'
import pg from 'pg'
import type { Outage } from '../config/outage.ts'
import type { Ears, Wire } from './bus.ts'

const CHANNEL = 'skynet_bus'
/** A listening connection says nothing of its own: it is asked this often, and given up without an answer. */
const ASK_MS = 5000
const ANSWER_MS = 5000
const FIRST_PAUSE_MS = 200
const MAX_PAUSE_MS = 5000

/** PostgreSQL's LISTEN and NOTIFY: one connection of its own, made again when it is lost. */
export function postgresWire(url: string, pool: pg.Pool, outage: Outage, ears: Ears): Wire {
  const listener = new Listener(url, outage, ears)
  return {
    send: (text) => pool.query('SELECT pg_notify($1, $2)', [CHANNEL, text]),
    connected: () => listener.connected,
    close: () => listener.close(),
  }
}

class Listener {
  connected = false
  readonly #url: string
  readonly #outage: Outage
  readonly #ears: Ears
  #client: pg.Client | null = null
  #asking: NodeJS.Timeout | null = null
  #failures = 0
  #heardBefore = false
  #closed = false

  constructor(url: string, outage: Outage, ears: Ears) {
    this.#url = url
    this.#outage = outage
    this.#ears = ears
    void this.#listen()
  }

  async #listen(): Promise<void> {
    if (this.#closed) return
    const client = new pg.Client({
      connectionString: this.#url,
      application_name: 'skynet bus',
      keepAlive: true,
      connectionTimeoutMillis: ANSWER_MS,
      query_timeout: ANSWER_MS,
    })
    this.#client = client
    client.on('error', (error) => this.#lost(client, error))
    client.on('end', () => this.#lost(client, new Error('the connection ended')))
    client.on('notification', ({ payload }) => this.#ears.receive(payload ?? ''))
    try {
      await client.connect()
      await client.query(`LISTEN ${CHANNEL}`)
      if (this.#client === client) this.#listening(client)
    } catch (error) {
      this.#lost(client, error)
    }
  }

  #listening(client: pg.Client): void {
    this.connected = true
    this.#failures = 0
    this.#outage.over()
    this.#asking = setInterval(() => {
      client.query('SELECT 1').catch((error) => this.#lost(client, error))
    }, ASK_MS).unref()
    if (this.#heardBefore) this.#ears.missed()
    this.#heardBefore = true
  }

  #lost(client: pg.Client, error: unknown): void {
    if (this.#client !== client) return
    this.#client = null
    this.connected = false
    if (this.#asking) clearInterval(this.#asking)
    destroy(client)
    if (this.#closed) return
    this.#outage.failed(error)
    setTimeout(
      () => void this.#listen(),
      Math.min(MAX_PAUSE_MS, FIRST_PAUSE_MS * 2 ** this.#failures++),
    ).unref()
  }

  async close(): Promise<void> {
    this.#closed = true
    if (this.#asking) clearInterval(this.#asking)
    await this.#client?.end()
  }
}

/** Without a goodbye: whoever does not answer does not take one either. */
function destroy(client: pg.Client): void {
  const { stream } = (client as unknown as { connection: { stream: { destroy(): void } } }).connection
  stream.destroy()
}

/** Redis' publish and subscribe. A connection that does not answer is made again by its own `socketTimeout`. */
export function redisWire(redis: Redis, outage: Outage, ears: Ears): Wire {
  const reader = redis.duplicate()
  let heardBefore = false
  reader.on('error', (error) => outage.failed(error))
  reader.on('message', (_channel, text) => ears.receive(text))
  const subscribe = async (): Promise<void> => {
    await reader.subscribe(CHANNEL)
    if (heardBefore) ears.missed()
    heardBefore = true
  }
  reader.on('ready', () => void subscribe().catch((error) => outage.failed(error)))
  const asking = setInterval(() => void reader.ping().catch(() => {}), ASK_MS).unref()
  return {
    send: (text) => redis.publish(CHANNEL, text),
    connected: () => reader.status === 'ready' && redis.status === 'ready',
    close: async () => {
      clearInterval(asking)
      reader.disconnect()
    },
  }
}
