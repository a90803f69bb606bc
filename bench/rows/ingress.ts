import { fork } from 'node:child_process'
import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import fastify from 'fastify'
import { Api, Bot, webhookCallback } from 'grammy'
import type { Update } from 'grammy/types'
import pg from 'pg'
import { startWebhook } from '../../bot/intake/webhook.ts'
import type { BotDeps } from '../../bot/turn.ts'
import { freePort } from '../../tests/support/freePort.ts'
import { atLeast, type Contestant, compare, exactly, lines, scaled } from '../compare.ts'
import { peer, type UpdateTaker } from '../peers.ts'
import type { Stand } from '../stand.ts'

const SECRET = 'a-secret-of-the-webhook'
const UPDATES = scaled(3000)
/** Requests under way at a time: what Telegram keeps open to one webhook by default. */
const CONNECTIONS = 40
/** Every fifth update comes twice, as it does when an answer was lost. */
const TWICE = 5
const botInfo = {
  id: 1,
  is_bot: true as const,
  first_name: 'bench',
  username: 'bench_bot',
  can_join_groups: true,
  can_read_all_group_messages: false,
  supports_inline_queries: false,
  can_connect_to_business: false,
  has_main_web_app: false,
}

export type Load = { url: string; secret: string; first: number; count: number; twice: number; width: number }

type Side = { url: string; close(): Promise<unknown> }

const INSERT =
  'INSERT INTO telegram_update (update_id, key, payload) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING'

/** One update stored once, as one would write it by hand. */
const storing = (pool: pg.Pool) => (update: Pick<Update, 'update_id'>) =>
  pool.query({ name: 'store', text: INSERT, values: [update.update_id, 'key', JSON.stringify(update)] })

/** The webhook of the product, behind it nobody who handles what it took in: nor do the others. */
async function product(stand: Stand): Promise<{ side: Side; pool: pg.Pool }> {
  const { deps } = await stand.control('ingress_skynet', { poolSize: 16 })
  const stub = await listen((_, response) => response.end('{"ok":true,"result":true}'))
  const api = new Api('1:bench', { apiRoot: stub.url })
  const port = await freePort()
  const inbox = { enqueue: () => {}, look: async () => {}, idle: async () => {} }
  const botDeps: BotDeps = { ...deps, ownerIds: [], gatewayUrl: '' }
  const url = `http://127.0.0.1:${port}`
  const hook = await startWebhook(botDeps, api, inbox, { url, secret: SECRET, host: '127.0.0.1', port })
  const close = async (): Promise<void> => {
    await hook.stop()
    await stub.close()
  }
  return { side: { url, close }, pool: deps.db.pool }
}

async function listen(handle: RequestListener): Promise<Side> {
  const server = createServer(handle).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const close = async (): Promise<void> => {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  }
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, close }
}

async function plainGrammy(pool: pg.Pool): Promise<Side> {
  const bot = new Bot('1:bench', { botInfo: { ...botInfo } as never })
  const store = storing(pool)
  bot.use((ctx) => store(ctx.update).then(() => {}))
  return listen(webhookCallback(bot, 'http', { secretToken: SECRET }))
}

async function byHand(pool: pg.Pool): Promise<Side> {
  const server = fastify()
  const store = storing(pool)
  server.post('/', async (request, reply) => {
    if (request.headers['x-telegram-bot-api-secret-token'] !== SECRET) return reply.code(401).send()
    await store(request.body as Update)
    return reply.code(200).send()
  })
  const url = await server.listen({ port: 0, host: '127.0.0.1' })
  return { url, close: () => server.close() }
}

/** Requests come from a process of their own, so that they cost the server nothing. */
async function sendAll(load: Load): Promise<number> {
  const child = fork(join(import.meta.dirname, 'ingressLoad.ts'), [JSON.stringify(load)])
  const [answer] = (await once(child, 'message')) as [{ seconds: number; ok: number; refused: number }]
  exactly('updates taken', answer.ok, load.count + Math.floor(load.count / load.twice))
  exactly('requests with a wrong secret refused', answer.refused, 10)
  return load.count / answer.seconds
}

function contestant(name: string, url: string, pool: pg.Pool): Contestant {
  let first = 1
  const stored = async (): Promise<number> => {
    const { rows } = await pool.query<{ n: number }>('SELECT count(*)::int AS n FROM telegram_update')
    return rows[0]?.n ?? 0
  }
  return {
    name,
    round: async () => {
      const before = await stored()
      const load = { url, secret: SECRET, first, count: UPDATES, twice: TWICE, width: CONNECTIONS }
      first += UPDATES
      const rate = await sendAll(load)
      exactly(`${name}: updates stored`, (await stored()) - before, UPDATES)
      return rate
    },
  }
}

/** Row 5: updates by webhook, each stored once before it is said to be. */
export async function ingressRow(stand: Stand): Promise<string[]> {
  const openTelegraf = await peer<UpdateTaker>('telegraf', 'openTelegraf')
  const own = await product(stand)
  stand.atEnd(() => own.side.close())
  const sides = [contestant('SKYNET', own.side.url, own.pool)]
  const others: [string, (pool: pg.Pool) => Promise<Side>][] = [
    ['telegraf', async (pool) => listen(await openTelegraf(SECRET, botInfo, storing(pool)))],
    ['grammY', plainGrammy],
    ['fastify and insert (limit)', byHand],
  ]
  for (const [name, open] of others) {
    const { databaseUrl } = await stand.control(`ingress_${name}`)
    const pool = new pg.Pool({ connectionString: databaseUrl, max: 16 })
    const side = await open(pool)
    stand.atEnd(async () => {
      await side.close()
      await pool.end()
    })
    sides.push(contestant(name, side.url, pool))
  }
  const figures = await compare(sides)
  return [
    ...lines(figures, ' updates/s'),
    atLeast(figures, 'SKYNET', 'fastify and insert (limit)', 0.8),
    atLeast(figures, 'SKYNET', 'telegraf', 1),
    atLeast(figures, 'SKYNET', 'grammY', 1),
  ]
}
