import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startApi } from '../../api/main.ts'
import { parseGatewayConfig } from '../../core/config/gateway.ts'
import type { Logger } from '../../core/config/logger.ts'
import { judgeCall } from '../../core/doors/judgeCall.ts'
import { isLoopback, openDoorWarning } from '../../core/doors/loopback.ts'
import { sameSecret } from '../../core/doors/sameSecret.ts'
import { startGateway } from '../../gateway/main.ts'
import { openTestApi, type TestApi } from '../support/api.ts'
import { rawCall } from '../support/rawHttp.ts'
import { Pair } from '../unit/agent/startPair.ts'

/* What no call may be, at each listener of SKYNET's: the page's own tests are in tests/unit/playground/access.test.ts. */

const pair = new Pair()
let api: TestApi
beforeAll(async () => {
  api = await openTestApi()
  await pair.startControl()
  await pair.startGateway()
})
afterAll(async () => {
  await pair.stop()
  await api.close()
})

const foreignHosts = [
  'evil.example',
  'evil.example:8080',
  '127.0.0.1.evil.example',
  'localhost.evil.example:8080',
  '127.0.0.1@evil.example',
  '[::1].evil.example',
  '0x7f000001',
  '2130706433',
  '192.168.1.10:8080',
  '169.254.169.254',
  '0.0.0.0:8080',
  '[::]:8080',
  '127.1.evil',
]
const foreignOrigins = [
  'https://evil.example',
  'http://127.0.0.1.evil.example',
  'http://127.0.0.1:1',
  'http://localhost:1',
  'null',
  'file://',
  'chrome-extension://abcdef',
  '',
]
const crossSite = ['cross-site', 'same-site'].flatMap((site) =>
  ['no-cors', 'cors', 'navigate', 'websocket'].map((mode) => ({
    'sec-fetch-site': site,
    'sec-fetch-mode': mode,
    'sec-fetch-dest': mode === 'navigate' ? 'iframe' : 'empty',
  })),
)
const tokenNames = [
  'token',
  'access_token',
  'api_key',
  'Authorization',
  'KEY',
  'secret',
  'credential',
  'bearer',
]

const listeners = () => [
  {
    name: 'API',
    url: api.url,
    token: api.tokens.admin,
    calls: [
      ['GET', '/v1/runs'],
      ['GET', '/v1/health'],
      ['GET', '/docs'],
      ['GET', '/v1/events/stream'],
      ['POST', '/v1/policy/check'],
      ['GET', '/nothing'],
    ],
  },
  {
    name: 'gateway',
    url: pair.gatewayUrl,
    token: pair.control.gatewayToken,
    calls: [
      ['GET', '/agents'],
      ['GET', '/health'],
      ['POST', '/action'],
      ['POST', '/enroll'],
      ['GET', '/nothing'],
    ],
  },
]

/** Tries headers on every call of every listener, with a valid token. Returns what was not refused. */
async function letThrough(
  refused: number,
  code: string,
  variants: readonly Record<string, string>[],
  query = [''],
): Promise<{ tried: number; passed: string[] }> {
  const passed: string[] = []
  let tried = 0
  for (const { name, url, token, calls } of listeners())
    for (const [method = '', path = ''] of calls)
      for (const headers of variants)
        for (const suffix of query) {
          const body = method === 'POST' ? '{"command":"ls"}' : ''
          const answer = await rawCall(url + path + suffix, {
            method,
            body,
            headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', ...headers },
          })
          tried++
          if (answer.status !== refused || !answer.body.includes(code))
            passed.push(`${name} ${method} ${path}${suffix} ${JSON.stringify(headers)}: ${answer.status}`)
        }
  return { tried, passed }
}

describe('API and gateway', () => {
  test('answer under no name but their own: a name made to point here reaches nothing', async () => {
    const { tried, passed } = await letThrough(
      403,
      'FOREIGN_HOST',
      foreignHosts.map((host) => ({ host })),
    )
    expect(passed).toEqual([])
    expect(tried).toBe(11 * foreignHosts.length)
  })

  test('take nothing that a page of another site sends, even with a valid token', async () => {
    const variants = [...foreignOrigins.map((origin) => ({ origin })), ...crossSite]
    const { passed } = await letThrough(403, 'FOREIGN_ORIGIN', variants)
    expect(passed).toEqual([])
  })

  test('refuse a token in an address, and do not say it back', async () => {
    const queries = tokenNames.map((name) => `?${name}=sky_planted_secret&x=1`)
    const { passed } = await letThrough(400, 'TOKEN_IN_URL', [{}], queries)
    expect(passed).toEqual([])
    const answer = await rawCall(`${api.url}/v1/runs?token=sky_planted_secret`)
    expect(answer.body).not.toContain('sky_planted_secret')
  })

  test('open no foreign page a socket, and none whose address holds a credential', async () => {
    const upgrade = (headers: Record<string, string>, path = '/agent') =>
      rawCall(pair.gatewayUrl + path, {
        headers: {
          connection: 'Upgrade',
          upgrade: 'websocket',
          'sec-websocket-version': '13',
          'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
          ...headers,
        },
      })
    expect((await upgrade({})).status).toBe(101)
    const own = pair.gatewayUrl.slice('http://'.length)
    const refused = [
      ...foreignHosts.map((host) => ({ host })),
      ...foreignOrigins.map((origin) => ({ origin })),
      ...crossSite,
      { origin: `http://${own}` },
    ]
    for (const headers of refused) expect((await upgrade(headers)).status).toBe(403)
    for (const name of tokenNames) expect((await upgrade({}, `/agent?${name}=x`)).status).toBe(403)
  })

  test('allow no other origin: no answer has a header of CORS, and a preflight gets none', async () => {
    for (const { url, calls } of listeners())
      for (const [method = '', path = ''] of calls.filter(([, path]) => !path?.endsWith('stream')))
        for (const how of [method, 'OPTIONS']) {
          const { headers, status } = await rawCall(url + path, {
            method: how,
            headers: how === 'OPTIONS' ? { 'access-control-request-method': 'POST' } : {},
          })
          expect(Object.keys(headers).filter((name) => name.startsWith('access-control-'))).toEqual([])
          if (how === 'OPTIONS') expect(status).toBeGreaterThanOrEqual(400)
        }
  })

  test('let no browser frame, sniff or keep an answer', async () => {
    for (const { url, calls } of listeners())
      for (const [method = '', path = ''] of calls.filter(([, path]) => !path?.endsWith('stream'))) {
        const { headers } = await rawCall(url + path, { method })
        expect(headers).toMatchObject({
          'x-content-type-options': 'nosniff',
          'x-frame-options': 'DENY',
          'referrer-policy': 'no-referrer',
          'cache-control': 'no-store',
        })
        expect(headers['content-security-policy']).toMatch(/default-src 'none'.*frame-ancestors 'none'/)
        expect(headers['content-security-policy']).not.toContain('unsafe')
      }
  })

  test('answer HEAD as GET, without a body, streams too', async () => {
    const authorization = `Bearer ${api.tokens.read}`
    for (const path of ['/v1/runs', '/v1/health', '/docs', '/v1/events/stream', '/metrics', '/nothing']) {
      const { status, headers, body } = await rawCall(api.url + path, {
        method: 'HEAD',
        headers: { authorization },
      })
      const get =
        path === '/v1/events/stream'
          ? { status: 200, headers: { 'content-type': 'text/event-stream' } }
          : await rawCall(api.url + path, { headers: { authorization } })
      expect([path, status, headers['content-type'], body]).toEqual([
        path,
        get.status,
        get.headers['content-type'],
        '',
      ])
    }
    expect((await rawCall(`${api.url}/v1/runs`, { method: 'HEAD' })).status).toBe(401)
    expect((await rawCall(`${pair.gatewayUrl}/health`, { method: 'HEAD' })).status).toBe(200)
    expect((await rawCall(`${pair.gatewayUrl}/agents`, { method: 'HEAD' })).status).toBe(401)
  })
})

test('links from elsewhere lead to the page of the API, and loopback has many names', async () => {
  const link = { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' }
  expect((await rawCall(`${api.url}/docs`, { headers: link })).status).toBe(200)
  for (const host of ['localhost:9999', '127.0.0.1', '[::1]:80', 'LOCALHOST', '127.1.2.3'])
    expect((await rawCall(`${api.url}/v1/health`, { headers: { host } })).status).not.toBe(403)
})

describe('judgeCall', () => {
  const call = (headers: Record<string, string>, method = 'GET', url = '/') => ({ method, url, headers })
  const code = (...args: Parameters<typeof judgeCall>) => judgeCall(...args)?.code ?? null

  test('a public address may be asked for by its name, and its own pages may call', () => {
    const door = { host: '127.0.0.1', names: ['skynet.example'] }
    expect(code(door, call({ host: 'skynet.example' }))).toBe(null)
    expect(code(door, call({ host: 'skynet.example:443', origin: 'https://skynet.example' }, 'POST'))).toBe(
      null,
    )
    // A proxy that names the upstream as the host.
    expect(code(door, call({ host: '127.0.0.1:8080', origin: 'https://skynet.example' }, 'POST'))).toBe(null)
    expect(code(door, call({ host: 'other.example' }))).toBe('FOREIGN_HOST')
  })

  test('beyond loopback any name will do, and no foreign origin', () => {
    const door = { host: '0.0.0.0', names: [] }
    expect(code(door, call({ host: '192.168.1.10:8080' }))).toBe(null)
    expect(code(door, call({ host: '192.168.1.10:8080', origin: 'https://evil.example' }))).toBe(
      'FOREIGN_ORIGIN',
    )
  })

  test.each(['/?a=1&token=x', '/?a?token=x&token=y', '/x?%74oken=1', '/?TOKEN', '/?&&key='])(
    'finds the token in %s',
    (url) =>
      expect(code({ host: '::1', names: [] }, call({ host: 'localhost' }, 'GET', url))).toBe('TOKEN_IN_URL'),
  )
})

describe('a listener that others reach', () => {
  test('says so at every start, and names the setting', async () => {
    const lines: string[] = []
    const log = {
      error() {},
      info() {},
      debug() {},
      warn: (line: string) => void lines.push(line),
    } as unknown as Logger
    const deps = { ...api.deps, log, controlKey: api.control.controlKey, botReady: () => true }
    for (const host of ['127.0.0.1', '0.0.0.0']) {
      await (await startApi(deps, { host, port: 0 })).stop()
      const config = parseGatewayConfig({ ...pair.env, SKYNET_GATEWAY_PORT: '0', SKYNET_GATEWAY_HOST: host })
      await (await startGateway({ config, log })).stop()
      expect(lines.filter((line) => line.includes('listens on'))).toHaveLength(host === '0.0.0.0' ? 2 : 0)
    }
    expect(lines.join('\n')).toMatch(/API listens on every address.*SKYNET_HTTP_HOST/)
    expect(lines.join('\n')).toMatch(/gateway listens on every address.*SKYNET_GATEWAY_HOST/)
  })

  test('loopback is this machine and nothing that only looks like it', () => {
    expect(['127.0.0.1', '127.9.9.9', 'localhost', '::1', '[::1]', 'LocalHost'].every(isLoopback)).toBe(true)
    expect(
      ['0.0.0.0', '::', '', '10.0.0.1', '127.0.0.1.x', 'localhost.x', '127.1', '::ffff:10.0.0.1'].some(
        isLoopback,
      ),
    ).toBe(false)
    expect(openDoorWarning('X', '192.168.1.2', 80, 'S')).toContain('192.168.1.2, port 80')
    expect(openDoorWarning('X', '::1', 80, 'S')).toBe(null)
  })
})

test('secrets are the same only when they are', () => {
  expect(sameSecret('abc', 'abc')).toBe(true)
  for (const given of ['', 'ab', 'abcd', 'abC', 'abc ']) expect(sameSecret(given, 'abc')).toBe(false)
})
