import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { type Playground, type StoredMessage, startPlayground } from '../../playground/server.ts'
import { queueKinds } from '../support/database.ts'
import { PrivatePostgres, PrivateRedis } from '../support/privateServers.ts'
import { type Home, newHome, type Skynet, until } from './startSkynet.ts'

/*
 * PostgreSQL and Redis go away under all of SKYNET's processes, in every way that a server does: each time something
 * is said and tapped meanwhile and work is under way, and afterwards everything is there and nothing has died.
 */

/** How long a server that goes away stays away here. */
const AWAY_MS = Number(process.env.TEST_AWAY_MS ?? 1500)
/** With a time of its own: every way on both queues. */
const isLong = process.env.TEST_AWAY_MS !== undefined
vi.setConfig({ testTimeout: 60_000 + AWAY_MS, hookTimeout: 60_000 })

const ana = { id: 7_000_001, first_name: 'Ana' }
const token = `1000000001:${'a'.repeat(35)}`

const textOf = (m: StoredMessage): string => m.text ?? m.caption ?? ''

describe.each(queueKinds())('servers that go away, with the queue on %s', (kind) => {
  let home: Home
  let dir: string
  let telegram: Playground
  let postgres: PrivatePostgres
  let redis: PrivateRedis | null = null
  let main: Skynet
  let second: Skynet
  let pids: number[]
  /** CPU seconds and lines of an outage: measured, told at the end. */
  const figures: string[] = []

  beforeAll(async () => {
    dir = mkdtempSync(join(tmpdir(), 'skynet-pg-'))
    telegram = await startPlayground({
      ...{ port: 0, token, stateFile: null, visitor: ana, botName: 'SKYNET', secret: 'x'.repeat(24) },
      limits: { perChatPerSecond: 1e6, burst: 1e6, groupPerMinute: 1e6, overallPerSecond: 1e6 },
    })
    home = await newHome({
      TELEGRAM_BOT_TOKEN: token,
      TELEGRAM_API_ROOT: telegram.url,
      TELEGRAM_OWNER_IDS: String(ana.id),
    })
    postgres = await new PrivatePostgres(dir).start()
    redis = kind === 'redis' ? await new PrivateRedis().start() : null
    home.env.DATABASE_URL = postgres.url
    if (redis) home.env.REDIS_URL = redis.url
    main = home.start()
    await main.healthy()
    second = home.start(['workers'])
    await second.says(/SKYNET workers runs/)
    pids = partPids()
  })
  afterAll(async () => {
    if (process.env.TEST_FIGURES) console.log(figures.join('\n'))
    if (process.env.TEST_LOG) console.log(main.out, second.out)
    main?.signal('SIGKILL')
    second?.signal('SIGKILL')
    await home?.gone(10_000).catch(() => {})
    await redis?.stop()
    await postgres?.stop()
    await telegram?.close()
    home?.remove()
    rmSync(dir, { recursive: true, force: true })
  })

  /** SKYNET's own processes: not the database, and not the work. */
  const partPids = (): number[] =>
    [...home.processes()]
      .flatMap(([pid, command]) =>
        /\/main\.ts/.test(command) && !/unshare|bwrap/.test(command) ? [pid] : [],
      )
      .sort((a, b) => a - b)

  const cpuSeconds = (): number =>
    pids.reduce((sum, pid) => {
      const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? []
      return sum + (Number(fields[11]) + Number(fields[12])) / 100
    }, 0)

  const lines = (): number => `${main.out}\n${second.out}`.split('\n').length

  const said = (pattern: RegExp): StoredMessage | undefined =>
    telegram.chat(ana.id).find((m) => m.from.is_bot && pattern.test(textOf(m)))
  const shows = (pattern: RegExp, ms = 15_000): Promise<void> =>
    until(
      () => said(pattern) !== undefined,
      ms,
      () =>
        `for ${pattern}\n${telegram
          .chat(ana.id)
          .map(textOf)
          .join('\n')}\n${main.out}\n--- second\n${second.out}`,
    )

  let round = 0
  /** Goes through one outage with a question open, work under way, and something said while it lasts. */
  async function survive(
    name: string,
    away: () => Promise<unknown>,
    back: () => Promise<unknown>,
    part: RegExp | null,
  ): Promise<void> {
    round++
    const [work, question, other] = [`sleep 2.${round}`, `touch ${kind}-${round}`, `echo said-${round}`]
    telegram.say(`/run ${work}`)
    await shows(new RegExp(`(running|succeeded).*\n${work}`))
    telegram.say(`/run ${question}`)
    const asked = new RegExp(`LOW: ${question}`)
    await shows(asked)
    const [cpu, told] = [cpuSeconds(), lines()]
    const began = performance.now()
    await away()
    try {
      telegram.tap(ana.id, said(asked)?.message_id ?? 0, 'Approve')
      telegram.say(`/run ${other}`)
      if (part) {
        await delay(AWAY_MS)
        const health = await fetch(`${home.apiUrl}/v1/health`)
        expect(health.status).toBe(503)
        expect(await health.text()).toMatch(part)
      }
    } finally {
      await back()
    }
    const returned = performance.now()
    const [seconds, used, written] = [(returned - began) / 1000, cpuSeconds() - cpu, lines() - told]
    const after: string[] = []
    for (const [command, what] of [
      [question, 'tap'],
      [other, 'message'],
      [work, 'work'],
    ]) {
      await shows(new RegExp(`succeeded.*\n${command}`), 25_000)
      after.push(`${what} ${((performance.now() - returned) / 1000).toFixed(1)} s`)
    }
    await main.healthy()
    // By the queue, which is back.
    telegram.say(`/run echo after-${round}`)
    await shows(new RegExp(`succeeded.*\\necho after-${round}`))
    after.push(`health ${((performance.now() - returned) / 1000).toFixed(1)} s`)
    figures.push(
      `${kind} ${name}: away ${seconds.toFixed(1)} s, CPU ${used.toFixed(2)} s, ${written} lines; after its return ${after.join(', ')}`,
    )
    expect(used / Math.max(1, seconds)).toBeLessThan(0.6)
    expect(written).toBeLessThan(60)
    expect(partPids()).toEqual(pids)
    expect(`${main.out}${second.out}`).not.toMatch(/unhandled|uncaught|starting it again/i)
  }

  const database = /"database":"does not answer"/
  type Way = [name: string, away: () => Promise<unknown>, back: () => Promise<unknown>, part: RegExp | null]
  const ways: Record<string, Way> = {
    'PostgreSQL restarts in order': ['restart', () => postgres.end('fast'), () => postgres.start(), null],
    'PostgreSQL crashes and stays away for a while': [
      'crash',
      () => postgres.end('immediate'),
      () => postgres.start(),
      database,
    ],
    'connections to PostgreSQL are refused': [
      'refused',
      () => postgres.line.cut(),
      () => postgres.line.mend(),
      database,
    ],
    'PostgreSQL is there and says nothing': [
      'silent',
      async () => postgres.line.hush(),
      () => postgres.line.mend(),
      database,
    ],
    'Redis goes and comes back empty': [
      'Redis gone',
      async () => redis?.end(),
      async () => redis?.start(),
      /"queue":"does not answer"/,
    ],
    'Redis is there and says nothing': [
      'Redis silent',
      async () => redis?.line.hush(),
      async () => redis?.line.mend(),
      null,
    ],
  }
  /** In a short run each way once, on one of the queues. */
  const short = {
    postgres: ['PostgreSQL restarts in order', 'PostgreSQL is there and says nothing'],
    redis: ['PostgreSQL crashes and stays away for a while', 'Redis goes and comes back empty'],
  }
  const all = Object.keys(ways).filter((name) => kind === 'redis' || !name.startsWith('Redis'))
  test.each(isLong ? all : short[kind])('%s', async (name) => {
    const way = ways[name]
    if (way) await survive(...way)
  })
})
