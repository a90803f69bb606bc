import { statSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { type Home, newHome, onFreeCores, type Skynet, until } from './startSkynet.ts'

/*
 * `skynet start` on one machine, one test after the other on the same installation: first start, life, and each way
 * to end, with the start after it.
 */

vi.setConfig({ testTimeout: 60_000 })

let home: Home
let skynet: Skynet
beforeAll(async () => {
  home = await newHome()
  skynet = home.start()
})
afterAll(() => home.remove())

/** Opens the printed link as a browser does, once. Returns what says something in the chat. */
async function openChat(): Promise<(text: string) => Promise<void>> {
  const link = new URL(await skynet.says(/Chat +(http:\S+)/))
  const cookie = (await fetch(link)).headers.get('set-cookie')?.split(';')[0] ?? ''
  const headers = { cookie, 'content-type': 'application/json' }
  return async (text) => {
    const body = JSON.stringify({ text })
    const sent = await fetch(new URL('/api/send', link), { method: 'POST', headers, body })
    expect(sent.status).toBe(200)
  }
}

const runs = (command: string): boolean => [...home.processes().values()].includes(command)

/** A command that would run for minutes, started from the chat. */
async function work(): Promise<void> {
  const say = await openChat()
  await say('/run sleep 301')
  await until(
    () => runs('sleep 301'),
    10_000,
    () => skynet.out,
  )
}

/** Starts once more on what is there. */
async function startAgain(): Promise<number> {
  skynet = home.start()
  return skynet.healthy()
}

test('the first start makes everything and answers', async () => {
  await skynet.healthy()
  const health = await (await fetch(`${home.apiUrl}/v1/health`)).json()
  expect(health).toMatchObject({
    status: 'ok',
    parts: { database: 'ok', bot: 'ok', gateway: 'ok', agent: 'ok' },
  })
  await skynet.says(/SKYNET is ready/)
  expect(statSync(join(home.dataDir, 'secrets.json')).mode & 0o777).toBe(0o600)
  expect(statSync(home.dataDir).mode & 0o777).toBe(0o700)
})

test('the doctor finds it healthy and changes nothing', async () => {
  const { code, out } = await home.run('doctor')
  expect(out).toContain('All is well.')
  for (const what of [
    'settings',
    'api',
    'database',
    'queue',
    'gateway',
    'agent',
    'clock',
    'telegram',
    'disk',
  ])
    expect(out).toMatch(new RegExp(`✓ ${what} `))
  expect(out).toContain('· providers')
  expect(code).toBe(0)
})

test('a second one at the same ports says so in one line', async () => {
  const { code, out } = await home.run('start')
  expect(out).toBe(
    `skynet: SKYNET_HTTP_PORT: port ${home.env.SKYNET_HTTP_PORT} is in use by another SKYNET, which runs already. Stop it, or set SKYNET_HTTP_PORT to a free port.\n`,
  )
  expect(code).toBe(2)
})

test('gateway and agent that are killed start again', async () => {
  for (const part of ['gateway', 'agent'] as const) {
    const old = home.pidOf(part)
    process.kill(old ?? 0, 'SIGKILL')
    await until(
      () => ![null, old].includes(home.pidOf(part)),
      5000,
      () => `${part} is away`,
    )
  }
  await skynet.healthy()
})

test('nothing is left after kill -9: no gateway, agent, database or work', async () => {
  await work()
  skynet.signal('SIGKILL')
  await skynet.ended()
  await home.gone(5000)
})

test('a lockdown cancels what was running, whether SKYNET runs or not, until it is lifted', async () => {
  expect((await home.run('lockdown')).out).toMatch(/^Locked down: 1 run cancelled/)
  expect((await home.run('lockdown')).out).toMatch(/^It was locked down already: 0 runs/)
  expect((await home.run('lockdown --lift')).out).toContain('SKYNET takes requests again')
  await home.gone(5000)
})

test('a later start answers within 3 s', async () => {
  const times = [await startAgain()]
  while (Math.min(...times) > 3000 && times.length < 3) {
    skynet.signal('SIGTERM')
    await skynet.ended()
    times.push(await startAgain())
  }
  expect(Math.min(...times)).toBeLessThan(onFreeCores(3000))
})

test('Ctrl+C and SIGTERM end everything in order, within 10 s', async () => {
  skynet.signal('SIGINT')
  const { code, ms } = await skynet.ended()
  expect(code).toBe(0)
  expect(ms).toBeLessThan(10_000)
  await home.gone(1000)
})

test('work that does not listen gets its time, is named, and is gone within 10 s; nothing is dispatched meanwhile', async () => {
  await startAgain()
  const say = await openChat()
  await say(`/run trap '' TERM; sleep 302`)
  await until(
    () => runs('sleep 302'),
    10_000,
    () => skynet.out,
  )
  await say('/run sleep 303')
  const before = skynet.out.length
  skynet.signal('SIGINT')
  await skynet.says(/1 command is still running: it gets 9 s to end; Ctrl\+C again stops at once/)
  const { code, ms } = await skynet.ended()
  console.info(`stopped in ${ms.toFixed(0)} ms`)
  expect(ms).toBeLessThan(10_000)
  expect(ms).toBeGreaterThan(6000)
  expect(code).toBe(0)
  expect(skynet.out.slice(before)).not.toMatch(/dispatch of|ECONNREFUSED/)
  await home.gone(500)
})

test('a second SIGTERM does not wait for work, and leaves nothing either', async () => {
  await startAgain()
  await work()
  skynet.signal('SIGTERM')
  await skynet.says(/SIGTERM: stopping/)
  expect(runs('sleep 301')).toBe(true)
  skynet.signal('SIGTERM')
  const { code, ms } = await skynet.ended()
  expect(code).toBe(1)
  expect(ms).toBeLessThan(1000)
  await home.gone(5000)
})
