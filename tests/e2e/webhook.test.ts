import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { startBot } from '../../bot/main.ts'
import { type Playground, startPlayground } from '../../playground/server.ts'
import { openTestControl, type TestControl } from '../support/control.ts'
import { newDatabase, type TestDatabase } from '../support/database.ts'
import { freePort } from '../support/freePort.ts'

/* The bot behind a webhook: the same bot, the same answers, and a door that only the secret opens. */

const secret = 'a-webhook-secret-of-some-length'
const ana = { id: 7_000_001, first_name: 'Ana' }
let database: TestDatabase
let control: TestControl
let playground: Playground
let bot: ReturnType<typeof startBot>
let url: string

beforeAll(async () => {
  database = await newDatabase()
  control = await openTestControl({ databaseUrl: database.url })
  const token = control.secrets.botToken
  playground = await startPlayground({
    port: 0,
    token,
    stateFile: null,
    visitor: ana,
    botName: 'SKYNET',
    secret: 'page-secret',
  })
  const port = await freePort()
  url = `http://127.0.0.1:${port}/telegram`
  bot = startBot(
    { ...control.deps, ownerIds: [ana.id], redact: control.redact, gatewayUrl: 'http://127.0.0.1' },
    { kind: 'webhook', token, apiRoot: playground.url, url, secret, host: '127.0.0.1', port },
  )
  await vi.waitFor(() => expect(bot.ready()).toBe(true), 30_000)
})

afterAll(async () => {
  await bot.stop()
  await playground.close()
  await control.close()
  await database.drop()
})

const post = (body: string, header?: string) =>
  fetch(url, {
    method: 'POST',
    body,
    headers: header === undefined ? {} : { 'x-telegram-bot-api-secret-token': header },
  })

const answers = () => playground.chat(ana.id).filter((message) => message.from?.is_bot)

test('answers what comes through the webhook', async () => {
  playground.say('/help')
  await playground.waitFor(() => answers().some((message) => message.text?.includes('What I understand')))
})

test('opens to the secret alone, and stores nothing else', async () => {
  const forged = JSON.stringify({
    update_id: 1,
    message: { message_id: 1, date: 1, chat: { id: ana.id, type: 'private' }, from: ana, text: '/help' },
  })
  for (const header of [undefined, '', 'wrong', `${secret}x`, secret.slice(1)])
    expect((await post(forged, header)).status).toBe(401)
  expect(await control.deps.db.query('SELECT 1 FROM telegram_update WHERE update_id = 1')).toEqual([])
})

test('a body that is no update is refused and stops nothing', async () => {
  for (const body of ['', 'null', '{}', '[]', '{"update_id":-1}', '{"update_id":"1"}', '\u0000'])
    expect((await post(body, secret)).status).toBe(400)
  expect((await post('x'.repeat(2 * 1024 * 1024), secret).catch(() => ({ status: 413 }))).status).toBe(413)
  const before = answers().length
  playground.say('/help')
  await playground.waitFor(() => answers().length > before)
})
