import { once } from 'node:events'
import { createServer } from 'node:net'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { startPlayground } from '../../playground/server.ts'
import { freePort } from '../support/freePort.ts'
import { type Home, newHome, onFreeCores } from './startSkynet.ts'

/* The chat that a start brings up, or why it cannot: the real Telegram and the chat page. */

vi.setConfig({ testTimeout: 60_000 })

/** Resolves once a port was tried `count` times; every try is cut off. */
async function tried(port: number, count: number): Promise<void> {
  const server = createServer((socket) => socket.destroy()).listen(port, '127.0.0.1')
  for (let i = 0; i < count; i++) await once(server, 'connection')
  server.close()
}

describe('a bot token', () => {
  const token = '123456789:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA'
  const visitor = { id: 555, first_name: 'Mia' }
  let home: Home
  beforeAll(async () => {
    home = await newHome({ TELEGRAM_BOT_TOKEN: token })
  })
  afterAll(() => home.remove())

  test('that Telegram does not know stops the start at once', async () => {
    const other = `${token.slice(0, -1)}B`
    const telegram = await startPlayground({
      ...{ port: 0, token: other, stateFile: null, visitor, botName: 'Real', secret: 'x'.repeat(24) },
    })
    const began = performance.now()
    const { code, out } = await home.run('start', { TELEGRAM_API_ROOT: telegram.url })
    await telegram.close()
    expect(out).toBe(
      'skynet: TELEGRAM_BOT_TOKEN: Telegram refuses it (Unauthorized). Copy the token from @BotFather into TELEGRAM_BOT_TOKEN again.\n',
    )
    expect(code).toBe(2)
    expect(performance.now() - began).toBeLessThan(onFreeCores(2500))
  })

  test('that cannot be asked about: everything else runs, and one line says so', async () => {
    const apiRoot = `http://127.0.0.1:${await freePort()}`
    const skynet = home.start(['start'], { TELEGRAM_API_ROOT: apiRoot })
    await skynet.says(/SKYNET runs .*but: bot: /)
    expect(skynet.out).toMatch(
      /Chat +not yet: Telegram cannot be reached at 127\.0\.0\.1:\d+ \(ECONNREFUSED\)/,
    )
    expect(skynet.out).not.toContain('your bot on Telegram')
    await tried(Number(new URL(apiRoot).port), 3)
    const told = skynet.out.match(/warn skynet: Telegram cannot be reached.*\(ECONN\w+\)/g) ?? []
    expect(told.filter((line) => line.includes('ECONNREFUSED'))).toHaveLength(1)
    expect(told.length).toBeLessThanOrEqual(2)
    expect(skynet.out).not.toContain(token)
    skynet.signal('SIGTERM')
    expect((await skynet.ended()).code).toBe(0)
  })
})

test('a new link of the chat page, while it runs', async () => {
  const home = await newHome()
  expect((await home.run('chat')).out).toMatch(
    /^skynet: no chat page of SKYNET answers on port \d+\. Start it/,
  )
  const skynet = home.start(['start'], { SKYNET_HTP_PORT: '1' })
  await skynet.says(/^skynet: SKYNET_HTP_PORT is no setting; did you mean SKYNET_HTTP_PORT\?$/m)
  const first = await skynet.says(/Chat +(http:\S+)/)
  const open = async (link: string) => (await fetch(link)).status
  expect(await open(first)).toBe(200)
  expect(await open(first)).toBe(401)
  const { out } = await home.run('chat')
  expect(out.trim()).not.toBe(first)
  expect(await open(out.trim())).toBe(200)
  expect((await fetch(new URL('/api/link', first))).status).toBe(401)
  skynet.signal('SIGTERM')
  await skynet.ended()
  home.remove()
})
