import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { startPlayground } from '../../playground/server.ts'
import { hasRedis, newDatabase, newRedis, type TestDatabase } from '../support/database.ts'
import { freePort } from '../support/freePort.ts'
import { type Home, newHome, until } from './startSkynet.ts'

vi.setConfig({ testTimeout: 60_000 })

describe('commands on the ledger', () => {
  let home: Home
  let database: TestDatabase
  beforeAll(async () => {
    database = await newDatabase()
    home = await newHome({ DATABASE_URL: database.url })
  })
  afterAll(async () => {
    home.remove()
    await database.drop()
  })

  test('--help names every command, and help teaches each', async () => {
    const { code, out } = await home.run('--help')
    expect(code).toBe(0)
    for (const command of [
      ...['start', 'bot', 'api', 'workers', 'gateway', 'agent', 'playground', 'migrate', 'doctor', 'token'],
      ...['people', 'lockdown'],
    ])
      expect(out).toMatch(new RegExp(`^  ${command} `, 'm'))
    expect((await home.run('help gateway')).out).toContain('SKYNET_GATEWAY_API_TOKEN')
    const agent = (await home.run('agent --help')).out
    expect(agent).toContain('join <url> <code>')
    expect(agent).toContain('invite')
  })

  test('a command that is none exits with 2 and says what there is', async () => {
    const { code, out } = await home.run('strat')
    expect(code).toBe(2)
    expect(out).toContain('start')
    expect(await home.run('help nosuch')).toMatchObject({
      code: 2,
      out: expect.stringContaining("unknown command 'nosuch'"),
    })
  })

  test('--version is the one of package.json', async () => {
    expect(await home.run('--version')).toEqual({ code: 0, out: '0.1.0\n' })
  })

  test('a token is made, listed and revoked', async () => {
    const made = await home.run('token new --name ci --scope read operate')
    expect(made.out).toMatch(/^sky_[\w-]{43}$/m)
    expect((await home.run('token list')).out).toMatch(/^ci +read,operate +\d{4}-\d\d-\d\d/m)
    expect((await home.run('token new --name ci --scope read')).out).toContain('there is a token called ci')
    expect((await home.run('token new --name x --scope all')).out).toContain(
      'all is no scope; there are read',
    )
    expect((await home.run('token revoke ci')).out).toContain('Revoked 1 token')
    const again = await home.run('token revoke ci')
    expect(again).toMatchObject({ code: 2 })
    expect(again.out.split('\n')).toHaveLength(2)
  })

  test('people who are unknown are told how to be found', async () => {
    expect((await home.run('people list')).out).toContain('skynet people pair')
    expect((await home.run('people pair')).out).toMatch(/\/pair [A-Z2-9]{4}-[A-Z2-9]{4}/)
    const { code, out } = await home.run('people revoke 42')
    expect(code).toBe(2)
    expect(out).toBe('skynet: there is nobody with the id 42. `skynet people list` shows the ids.\n')
  })

  test('the doctor says what is broken and how to mend it', async () => {
    const { code, out } = await home.run('doctor', {
      SKYNET_HTTP_PROT: '1',
      OPENAI_API_KEY: 'sk-not-a-real-key',
      OPENAI_BASE_URL: `http://127.0.0.1:${await freePort()}`,
    })
    expect(code).toBe(1)
    expect(out).toContain('SKYNET_HTTP_PROT is no setting; did you mean SKYNET_HTTP_PORT?')
    expect(out).toMatch(/✓ database +PostgreSQL/)
    for (const what of ['api', 'gateway', 'agent', 'telegram', 'providers'])
      expect(out).toMatch(new RegExp(`✗ ${what} .+\n +→ .+\\.`))
    expect(out).not.toContain('sk-not-a-real-key')
    expect(out).toContain('5 things to mend, 1 to look at.')
  })

  test('the doctor names everything that is wrong with the settings, and who holds a port', async () => {
    const { out } = await home.run('doctor', {
      SKYNET_HTTP_PORT: 'eighty',
      SKYNET_LOG_LEVEL: 'loud',
      CLAUDE_API_KEY: 'x',
    })
    expect(out).toMatch(/✗ settings +SKYNET_HTTP_PORT: .*\n[^✗]*✗ settings +SKYNET_LOG_LEVEL: /)
    expect(out).toContain('! settings   CLAUDE_API_KEY is no setting; did you mean ANTHROPIC_API_KEY?')
    const other = createServer((_, res) => res.end('hello')).listen(0, '127.0.0.1')
    await once(other, 'listening')
    const port = String((other.address() as AddressInfo).port)
    const held = await home.run('doctor', { SKYNET_HTTP_PORT: port, SKYNET_AGENT_ROOTS: '/nowhere' })
    other.close()
    expect(held.out).toContain(`SKYNET_HTTP_PORT: port ${port} is held by another program`)
    expect(held.out).toContain('SKYNET_AGENT_ROOTS: /nowhere is no directory here')
  })

  test.runIf(hasRedis())('the queue changes over when it is told to, and only then', async () => {
    const redis = await newRedis()
    expect((await home.run('migrate --queue postgres')).out).toContain('is on postgres now')
    const refused = await home.run('start', { REDIS_URL: redis })
    expect(refused.code).toBe(2)
    expect(refused.out).toMatch(/^skynet: .*queue is on postgres.*`skynet migrate --queue redis`/m)
    expect((await home.run('migrate --queue redis')).out).toContain('set REDIS_URL first')
    const changed = await home.run('migrate --queue redis', { REDIS_URL: redis })
    expect(changed).toMatchObject({ code: 0 })
    expect(changed.out).toContain('is on redis now')
    expect((await home.run('api')).out).toContain('`skynet migrate --queue postgres`')
    expect((await home.run('migrate --queue postgres', { REDIS_URL: redis })).out).toContain(
      'Unset REDIS_URL',
    )
  })
})

describe('what stops a start', () => {
  let home: Home
  let database: TestDatabase
  beforeAll(async () => {
    database = await newDatabase()
    home = await newHome({ DATABASE_URL: database.url })
    writeFileSync(join(home.dir, 'wrong.yaml'), 'rules: 7\n')
    writeFileSync(join(home.dir, 'file'), '')
  })
  afterAll(async () => {
    home.remove()
    await database.drop()
  })

  test.each([
    ['SKYNET_HTTP_PORT', 'eighty', /^skynet: SKYNET_HTTP_PORT: got "eighty"; it takes a whole number/],
    ['SKYNET_HTTP_HOST', '192.0.2.1', /^skynet: SKYNET_HTTP_HOST: got "192.0.2.1" \(EADDRNOTAVAIL\)/],
    [
      'DATABASE_URL',
      'postgresql://127.0.0.1:1/x',
      /^skynet: DATABASE_URL: the database at 127.0.0.1:1 does not answer/,
    ],
    ['REDIS_URL', 'redis://127.0.0.1:1', /^skynet: REDIS_URL: Redis at 127.0.0.1:1 does not answer/],
    ['SKYNET_POLICY_FILE', 'DIR/wrong.yaml', /wrong\.yaml/],
    ['SKYNET_POLICY_FILE', 'DIR/none.yaml', /none\.yaml.*SKYNET_POLICY_FILE/],
    ['SKYNET_PLAYBOOKS_DIR', 'DIR/none', /none.*SKYNET_PLAYBOOKS_DIR/],
    ['SKYNET_DATA_DIR', 'DIR/file/data', /^skynet: SKYNET_DATA_DIR: got ".+" \(ENOTDIR\)/],
    [
      'SKYNET_AGENT_ROOTS',
      'DIR/none',
      /^skynet: SKYNET_AGENT_ROOTS: got ".+none", which is no directory here/,
    ],
    [
      'SKYNET_AGENT_ROOTS',
      'DIR/file',
      /^skynet: SKYNET_AGENT_ROOTS: got ".+file", which is no directory here/,
    ],
  ])('%s=%s: one line, code 2', async (name, value, line) => {
    const { code, out } = await home.run('start', { [name]: value.replace('DIR', home.dir) })
    expect(out.trimEnd()).toMatch(line)
    expect(out.trimEnd()).not.toContain('\n')
    expect(code).toBe(2)
    await home.gone(3000)
  })
})

test('two migrations at once on a machine that has nothing yet', async () => {
  const home = await newHome()
  const answers = await Promise.all([home.run('migrate'), home.run('migrate')])
  expect(answers.map((answer) => answer.code)).toEqual([0, 0])
  expect(answers.filter((answer) => answer.out.includes('Applied:'))).toHaveLength(1)
  await home.gone(5000)
  home.remove()
})

describe('parts on their own', () => {
  test('with a real bot: the printed code makes its sender the owner, and the parts find each other', async () => {
    const token = '123456789:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA'
    const visitor = { id: 555, first_name: 'Mia' }
    const telegram = await startPlayground({
      ...{ port: 0, token, stateFile: null, visitor, botName: 'Real', secret: 'x'.repeat(24) },
    })
    const home = await newHome({ TELEGRAM_BOT_TOKEN: token, TELEGRAM_API_ROOT: telegram.url })
    try {
      const bot = home.start(['bot'])
      const code = await bot.says(/\/pair (\S+)/)
      const api = home.start(['api'])
      const workers = home.start(['workers'])
      await api.says(/API +(http:\S+)/)
      home.start(['gateway'])
      const health = async () => (await fetch(`${home.apiUrl}/v1/health`)).text()
      await until(
        async () => (await health()).includes('"gateway":"ok"'),
        10_000,
        () => bot.out,
      )
      telegram.say(`/pair ${code}`)
      const isOwner = () =>
        telegram.chat(visitor.id).some((m) => m.from.is_bot && /owner/i.test(m.text ?? ''))
      await telegram.waitFor(() => isOwner() || undefined, 10_000)
      expect((await home.run('people list')).out).toMatch(/^555 +Mia +owner/m)
      await workers.says(/workers runs/)
      // The bot brought the database up: when it goes, the others bring it up again.
      bot.signal('SIGKILL')
      await bot.ended()
      const list = await home.run('people list')
      expect(list.out).toMatch(/^555 +Mia +owner/m)
      for (const part of [api, workers]) part.signal('SIGTERM')
      expect((await api.ended()).code).toBe(0)
      expect((await workers.ended()).code).toBe(0)
    } finally {
      home.remove()
      await telegram.close()
    }
  })

  test('the playground serves its page even when a token is set', async () => {
    const home = await newHome({ TELEGRAM_BOT_TOKEN: '123456789:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA' })
    const playground = home.start(['playground'], { SSH_CONNECTION: '203.0.113.9 50111 192.0.2.7 22' })
    const link = await playground.says(/Chat +(http:\S+)/)
    expect((await fetch(link)).status).toBe(200)
    await playground.says(/ssh -L \d+:127\.0\.0\.1:\d+ \S+@192\.0\.2\.7/)
    playground.signal('SIGTERM')
    expect((await playground.ended()).code).toBe(0)
    await home.gone(3000)
    home.remove()
  })
})
