import { randomBytes } from 'node:crypto'
import { Api } from 'grammy'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startWebhook } from '../../bot/intake/webhook.ts'
import { parseControlConfig } from '../../core/config/control.ts'
import { ConfigError } from '../../core/config/settings.ts'
import { openTestControl, type TestControl } from '../support/control.ts'
import { newDatabase, type TestDatabase } from '../support/database.ts'
import { freePort } from '../support/freePort.ts'
import { rawCall } from '../support/rawHttp.ts'

/* The webhook's door: what comes without its secret is not read, let alone stored. */

const secret = 'A-webhook-secret_of-some-length'
const header = 'x-telegram-bot-api-secret-token'
let database: TestDatabase
let control: TestControl
let hook: { stop(): Promise<void> }
let url: string
const said: string[] = []

/** A Bot API that takes everything. */
const api = (): Api => {
  const fake = new Api('1:x')
  fake.config.use(async (_next, method) => {
    said.push(method)
    return { ok: true, result: true as never }
  })
  return fake
}
const inbox = { enqueue: () => {}, look: async () => {}, idle: async () => {} }
const open = (host: string, port: number, key = secret) =>
  startWebhook({ ...control.deps, ownerIds: [], redact: control.redact, gatewayUrl: '' }, api(), inbox, {
    url: 'https://bot.example/hook',
    secret: key,
    host,
    port,
  })

beforeAll(async () => {
  database = await newDatabase()
  control = await openTestControl({ databaseUrl: database.url })
  const port = await freePort()
  url = `http://127.0.0.1:${port}/hook`
  hook = await open('127.0.0.1', port)
})
afterAll(async () => {
  await hook.stop()
  await control.close()
  await database.drop()
})

const update = (id: number): string => JSON.stringify({ update_id: id })
const stored = async (): Promise<number> =>
  (await control.deps.db.query('SELECT 1 FROM telegram_update')).length

/** A wrong secret, of many kinds: none, empty, cut, longer, other letters, other case, several, in other places. */
function wrong(n: number): { headers?: Record<string, string>; path?: string; method?: string } {
  const one = (value: string) => ({ headers: { [header]: value } })
  const at = n % secret.length
  const kinds = [
    () => ({}),
    () => one(''),
    () => one(secret.slice(0, at)),
    () => one(secret + secret.slice(0, at + 1)),
    () => one(`${secret.slice(0, at)}${secret[at] === 'x' ? 'y' : 'x'}${secret.slice(at + 1)}`),
    () => one(secret.toLowerCase()),
    () => one(`${secret}, ${secret}`),
    () => one(randomBytes(24).toString('base64url')),
    () => ({ headers: { authorization: `Bearer ${secret}` } }),
    () => ({ path: `?secret_token=${secret}` }),
    () => ({ headers: { 'x-telegram-bot-api-secret': secret } }),
    () => ({ headers: { [header]: secret }, method: 'PUT' }),
    () => ({ headers: { [header]: encodeURIComponent(`${secret}\0`) } }),
  ]
  return kinds[n % kinds.length]?.() ?? {}
}

describe('without its secret, or with a wrong one', () => {
  test('1,000 of 1,000 are refused and leave nothing', async () => {
    const answers = new Map<number, number>()
    for (let from = 0; from < 1000; from += 50) {
      const batch = Array.from({ length: 50 }, (_, i) => {
        const { headers = {}, path = '', method = 'POST' } = wrong(from + i)
        return rawCall(url + path, { method, headers, body: update(from + i) })
      })
      for (const { status } of await Promise.all(batch)) answers.set(status, (answers.get(status) ?? 0) + 1)
    }
    expect([...answers]).toEqual([[401, 1000]])
    expect(await stored()).toBe(0)
    expect(
      (await rawCall(url, { method: 'POST', headers: { [header]: secret }, body: update(5000) })).status,
    ).toBe(200)
    expect(await stored()).toBe(1)
  })
})

describe('the start', () => {
  test.each(['', 'short', 'fifteen-letters'])('is refused with the secret %j', async (key) => {
    await expect(open('127.0.0.1', 0, key)).rejects.toThrow('has no secret')
    const env = {
      TELEGRAM_BOT_TOKEN: `123456789:${'A'.repeat(35)}`,
      TELEGRAM_WEBHOOK_URL: 'https://bot.example/hook',
      TELEGRAM_WEBHOOK_SECRET: key,
    }
    expect(() => parseControlConfig(env)).toThrow(ConfigError)
  })

  test('gives Telegram the secret, and listens on this machine alone unless told otherwise', () => {
    expect(said).toContain('setWebhook')
    const { telegram } = parseControlConfig({
      TELEGRAM_BOT_TOKEN: `123456789:${'A'.repeat(35)}`,
      TELEGRAM_WEBHOOK_URL: 'https://bot.example/hook',
      TELEGRAM_WEBHOOK_SECRET: secret,
    })
    expect(telegram).toMatchObject({ kind: 'webhook', host: '127.0.0.1' })
  })
})

describe('a body', () => {
  const send = (body: string, headers = {}) =>
    rawCall(url, { method: 'POST', headers: { [header]: secret, ...headers }, body })

  test('that is too large is refused, told or found', async () => {
    const before = await stored()
    expect([413, 0]).toContain((await send('x'.repeat(2 ** 20 + 1))).status)
    const chunked = await send('x'.repeat(2 ** 20 + 1), { 'transfer-encoding': 'chunked' })
    expect([413, 0]).toContain(chunked.status)
    expect(await stored()).toBe(before)
  })

  test('of a wrong secret is not waited for', async () => {
    const { status, headers } = await rawCall(url, {
      method: 'POST',
      headers: { [header]: 'wrong', 'content-length': '1000000' },
    })
    expect([status, headers.connection]).toEqual([401, 'close'])
  })
})
