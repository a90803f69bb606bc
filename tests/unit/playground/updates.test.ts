import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Bot } from 'grammy'
import { describe, expect, onTestFinished, test } from 'vitest'
import { refused, start, token, visitor } from './setup.ts'

describe('long polling', () => {
  test('grammY’s own bot answers commands, taps and edits', async () => {
    const { playground } = await start()
    const bot = new Bot(token, { client: { apiRoot: playground.url } })
    bot.command('start', (ctx) =>
      ctx.reply('hello', { reply_markup: { inline_keyboard: [[{ text: 'Tap', callback_data: 't' }]] } }),
    )
    bot.callbackQuery('t', (ctx) => ctx.answerCallbackQuery('tapped'))
    bot.on('edited_message:text', (ctx) => ctx.reply(`edited to ${ctx.msg.text}`))
    void bot.start()
    const said = playground.say('/start now')
    const hello = await playground.waitFor(() =>
      playground.chat().find((message) => message.text === 'hello'),
    )
    const query = playground.tap(visitor.id, hello.message_id, 'Tap')
    const [answer] = await playground.waitFor(() => playground.answers().length > 0 && playground.answers())
    expect(answer).toEqual({ callback_query_id: query, text: 'tapped', show_alert: false })
    playground.edit(visitor.id, said, 'new')
    await playground.waitFor(() => playground.chat().some((message) => message.text === 'edited to new'))
    await bot.stop()
  })

  test('keeps updates until an offset confirms them', async () => {
    const { playground, api } = await start()
    playground.say('one')
    playground.say('two')
    const [first, second] = await api.getUpdates()
    expect([first?.message?.text, second?.message?.text]).toEqual(['one', 'two'])
    expect(await api.getUpdates({ limit: 1 })).toEqual([first])
    expect(await api.getUpdates({ offset: second?.update_id })).toEqual([second])
    expect(await api.getUpdates({ offset: (second?.update_id ?? 0) + 1 })).toEqual([])
  })

  test('a negative offset keeps only the last updates', async () => {
    const { playground, api } = await start()
    for (const text of ['one', 'two', 'three']) playground.say(text)
    expect((await api.getUpdates({ offset: -1 })).map((update) => update.message?.text)).toEqual(['three'])
    expect(await api.getUpdates()).toHaveLength(1)
  })

  test('sends only the types asked for', async () => {
    const { playground, api } = await start()
    await api.getUpdates({ allowed_updates: ['callback_query'] })
    playground.say('unwanted')
    expect(await api.getUpdates()).toEqual([])
    await api.getUpdates({ allowed_updates: [] })
    playground.say('wanted')
    expect(await api.getUpdates()).toHaveLength(1)
  })

  test('ends the older of two polls with 409', async () => {
    const { playground, api } = await start()
    const older = refused(api.getUpdates({ timeout: 20 }))
    await new Promise((resolve) => setTimeout(resolve, 50))
    const newer = api.getUpdates({ timeout: 20 })
    expect(await older).toMatchObject({
      code: 409,
      description:
        'Conflict: terminated by other getUpdates request; make sure that only one bot instance is running',
    })
    playground.say('x')
    expect(await newer).toHaveLength(1)
  })

  test('redelivers a confirmed update with the same id', async () => {
    const { playground, api } = await start()
    playground.say('once')
    const [update] = await api.getUpdates()
    await api.getUpdates({ offset: (update?.update_id ?? 0) + 1 })
    playground.redeliver(update?.update_id ?? 0)
    expect(await api.getUpdates({ offset: (update?.update_id ?? 0) + 1 })).toEqual([update])
    expect(await api.getUpdates({ offset: (update?.update_id ?? 0) + 1 })).toEqual([])
    expect(() => playground.redeliver(1)).toThrow('No update 1')
  })
})

describe('webhooks', () => {
  test('delivers with the secret, repeats what was refused, and forbids polling meanwhile', async () => {
    const { playground, api } = await start()
    const hook = await listen([500, 200])
    await api.setWebhook(hook.url, { secret_token: 'open-sesame' })
    expect(await refused(api.getUpdates())).toMatchObject({
      code: 409,
      description: expect.stringContaining("can't use getUpdates"),
    })
    playground.say('hi')
    await expect.poll(() => hook.requests.length).toBe(2)
    expect(hook.requests[1]).toMatchObject({ secret: 'open-sesame', body: { message: { text: 'hi' } } })
    await expect.poll(async () => (await api.getWebhookInfo()).pending_update_count).toBe(0)
    expect(await api.getWebhookInfo()).toMatchObject({
      url: hook.url,
      last_error_message: expect.stringContaining('500'),
    })
    await api.deleteWebhook()
    expect(await api.getUpdates()).toEqual([])
  })

  test('never calls another machine', async () => {
    const { api } = await start()
    expect((await refused(api.setWebhook('https://example.com/hook'))).description).toMatch(
      /^Bad Request: bad webhook/,
    )
  })

  test('ends a waiting poll', async () => {
    const { api } = await start()
    const poll = refused(api.getUpdates({ timeout: 20 }))
    await new Promise((resolve) => setTimeout(resolve, 50))
    await api.setWebhook('http://127.0.0.1:9/')
    expect(await poll).toMatchObject({ code: 409, description: 'Conflict: terminated by setWebhook request' })
  })
})

type Delivered = { secret: string | string[] | undefined; body: unknown }

/** A webhook that answers with these statuses, the last of them from then on. */
async function listen(statuses: number[]): Promise<{ url: string; requests: Delivered[] }> {
  const requests: Delivered[] = []
  const server = createServer(async (req, res) => {
    requests.push({
      secret: req.headers['x-telegram-bot-api-secret-token'],
      body: JSON.parse(await readAll(req)),
    })
    res.writeHead((statuses.length > 1 ? statuses.shift() : statuses[0]) ?? 200).end()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void server.close())
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`, requests }
}

async function readAll(req: IncomingMessage): Promise<string> {
  const parts: Buffer[] = []
  for await (const part of req) parts.push(part)
  return Buffer.concat(parts).toString()
}
