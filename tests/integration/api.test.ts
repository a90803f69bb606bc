import { randomUUID } from 'node:crypto'
import { Validator } from '@seriousme/openapi-schema-validator'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { RouteDeps } from '../../api/deps.ts'
import { registerRoute } from '../../api/register.ts'
import { answer, type Route, route } from '../../api/route.ts'
import { routes } from '../../api/routes.ts'
import { createApi } from '../../api/server.ts'
import { scopes } from '../../core/people/apiTokens.ts'
import { openTestApi, type TestApi } from '../support/api.ts'

let api: TestApi
beforeAll(async () => {
  api = await openTestApi()
})
afterAll(() => api.close())

type Operation = { method: string; path: string; security: { token: string[] }[] }
const operations = (): Operation[] =>
  Object.entries(api.described.document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, { security }]) => ({
      method: method.toUpperCase(),
      path,
      security,
    })),
  )

describe('the description', () => {
  test('is OpenAPI 3.1', async () => {
    const validator = new Validator()
    expect(await validator.validate(JSON.stringify(api.described.document, null, 1))).toMatchObject({
      valid: true,
    })
    expect(validator.version).toBe('3.1')
  })

  test('is a page that needs nothing from elsewhere and names every endpoint', async () => {
    const { text, headers } = await api.get('/docs', { token: null })
    expect(headers.get('content-security-policy')).toContain("default-src 'none'")
    expect(text.match(/\b(?:src|href)="(?!#|\/)[^"]*"/g)).toBeNull()
    expect(text).not.toMatch(/<script|@import|url\(/)
    expect(operations().filter(({ method, path }) => !text.includes(`>${method} ${path}<`))).toEqual([])
  })
})

test('examples are bodies that the endpoint takes', () => {
  const given = routes.filter(({ example }) => example !== undefined)
  expect(given.length).toBeGreaterThan(3)
  expect(given.filter(({ body, example }) => !body?.safeParse(example).success)).toEqual([])
})

describe('who may call what', () => {
  const open = ['GET /v1/health', 'GET /v1/openapi.json', 'GET /docs']
  const changing: Record<string, string[]> = {
    'POST /v1/plan': ['operate'],
    'POST /v1/policy/check': ['read'],
    'POST /v1/runs/{id}/cancel': ['operate'],
    'POST /v1/runs/{id}/pause': ['operate'],
    'POST /v1/runs/{id}/resume': ['operate'],
    'POST /v1/runs/{id}/retry': ['operate'],
    'POST /v1/runs/{id}/skip': ['operate'],
    'POST /v1/runs/{id}/review': ['operate'],
    'POST /v1/approvals/{id}/decide': ['operate'],
    'POST /v1/approvals/{id}/ask-again': ['operate'],
    'POST /v1/standing-approvals/{id}/revoke': ['operate'],
    'POST /v1/memory/store': ['operate'],
    'POST /v1/memory/search': ['read'],
    'POST /v1/memory/similar': ['read'],
    'POST /v1/memory/{id}/forget': ['operate'],
    'POST /v1/agents/{id}/revoke': ['admin'],
    'POST /v1/tasks/enqueue': ['operate'],
    'POST /v1/execute': ['operate'],
    'POST /v1/tasks/claim': ['agent'],
    'POST /v1/tasks/{id}/start': ['agent'],
    'POST /v1/tasks/{id}/heartbeat': ['agent'],
    'POST /v1/tasks/{id}/complete': ['agent'],
    'POST /v1/tasks/{id}/release': ['agent'],
    'POST /v1/route-task': ['read'],
    'POST /v1/scheduler/diagnose': ['read'],
    'POST /v1/register-gateway': ['gateway'],
    'POST /v1/register-worker': ['gateway'],
    'POST /v1/agents/enroll': ['gateway'],
    'POST /v1/report': ['gateway'],
    'GET /v1/tasks/next': ['read', 'agent'],
    'GET /v1/audit': ['admin'],
    'POST /v1/audit/verify': ['admin'],
  }

  test('is the same in the document, on the server and here, for every scope', async () => {
    const wrong: string[] = []
    for (const { method, path, security } of operations()) {
      const name = `${method} ${path}`
      const needed = open.includes(name)
        ? []
        : (changing[name] ?? (method === 'GET' ? ['read'] : ['unknown']))
      if (String(security.flatMap(({ token }) => token)) !== String(needed)) wrong.push(`${name}: document`)
      for (const scope of [null, ...scopes]) {
        const refused = await isRefused(method, path, scope === null ? null : api.tokens[scope])
        const may = needed.length === 0 || scope === 'admin' || needed.includes(scope ?? '')
        const expected = may ? null : scope === null ? 'UNAUTHORIZED' : 'FORBIDDEN'
        if (refused !== expected) wrong.push(`${name} with ${scope}: ${refused}`)
      }
    }
    expect(wrong).toEqual([])
  })

  async function isRefused(method: string, path: string, token: string | null): Promise<string | null> {
    const response = await fetch(api.url + path.replaceAll(/\{\w+\}/g, randomUUID()), {
      method,
      ...(method === 'POST' ? { body: '{"a":1}' } : {}),
      headers: {
        ...(token ? { authorization: `Bearer ${token}` } : {}),
        ...(method === 'POST' ? { 'content-type': 'application/json' } : {}),
      },
    })
    if (response.ok) await response.body?.cancel()
    const { error } = response.ok
      ? { error: null }
      : ((await response.json()) as { error?: { code: string } })
    return error && ['UNAUTHORIZED', 'FORBIDDEN'].includes(error.code) ? error.code : null
  }

  test('must be said by every endpoint', () => {
    const { scope: _, ...silent } = route({
      method: 'GET',
      url: '/x',
      scope: null,
      summary: '',
      answers: { 204: null },
      handler: async () => answer(204, null),
    })
    const app = createApi({ ...api.deps, controlKey: '', botReady: () => true })
    const register = (given: object) => registerRoute(app, {} as RouteDeps & never, given as Route)
    expect(() => register(silent)).toThrow('names no scope')
    expect(() => register({ ...silent, scope: [] })).toThrow('names no scope')
  })
})

describe('a request', () => {
  const json = { 'content-type': 'application/json' }

  test('keeps its id when it has a good one, and gets one otherwise', async () => {
    const ids = async (id: string) =>
      (await api.get('/v1/runs', { headers: { 'x-request-id': id } })).headers.get('x-request-id')
    expect(await ids('build-17.step:3')).toBe('build-17.step:3')
    for (const bad of ['has space', 'x'.repeat(101), '"quote"'])
      expect(await ids(bad)).toMatch(/^[0-9a-f-]{36}$/)
  })

  test('that meets a fault is 500 without its reason, which the log has with its id', async () => {
    const lines: string[] = []
    const log = { ...api.deps.log, error: ((line: string) => lines.push(line)) as never }
    const faulty = createApi({
      ...api.deps,
      log,
      controlKey: '',
      botReady: () => {
        throw new Error('the inner reason')
      },
    })
    const response = await faulty.inject({ url: '/v1/health', headers: { 'x-request-id': 'mine' } })
    await faulty.close()
    expect([response.statusCode, response.json().error.code, response.headers['x-request-id']]).toEqual([
      500,
      'INTERNAL',
      'mine',
    ])
    expect(response.body).not.toContain('inner reason')
    expect(lines).toEqual(['GET /v1/health [mine]: the inner reason'])
  })

  test('to an unknown address is 404, by an unknown method 405', async () => {
    expect(await api.get('/v1/nothing')).toMatchObject({
      status: 404,
      body: { error: { code: 'NOT_FOUND' } },
    })
    const wrong = await api.call('PUT', '/v1/runs/1/cancel', undefined)
    expect([wrong.status, wrong.body.error.code, wrong.headers.get('allow')]).toEqual([
      405,
      'METHOD_NOT_ALLOWED',
      'POST',
    ])
    expect((await api.get('/v1/runs/%ZZ')).status).toBe(400)
  })

  test('with a body that is no JSON, not said to be, or too large, is told so', async () => {
    const check = (raw: string, headers = json) => api.post('/v1/policy/check', undefined, { raw, headers })
    expect(await check('{"command": ')).toMatchObject({
      status: 400,
      body: { error: { message: 'The body is not valid JSON.' } },
    })
    expect(await check('{"__proto__": {"a": 1}}')).toMatchObject({ status: 400 })
    expect(await check('command=ls', { 'content-type': 'application/x-www-form-urlencoded' })).toMatchObject({
      status: 415,
      body: { error: { code: 'NOT_JSON' } },
    })
    expect(await check(JSON.stringify({ command: 'x'.repeat(9_000_000) }))).toMatchObject({
      status: 413,
      body: { error: { code: 'TOO_LARGE' } },
    })
  })

  test('that is not allowed is refused before its body is read', async () => {
    const answer = await api.post('/v1/policy/check', undefined, {
      raw: '{',
      headers: json,
      token: api.tokens.agent,
    })
    expect(answer.status).toBe(403)
  })

  test('names what is wrong with it', async () => {
    const { body, status } = await api.post('/v1/policy/check', { command: 1, agent_id: 'x', other: true })
    expect(status).toBe(400)
    expect(body.error.details.map(({ field }: { field: string }) => field)).toEqual([
      'command',
      'agent_id',
      'body',
    ])
    expect((await api.get('/v1/runs?limit=0')).body.error.message).toMatch(/^limit: /)
    expect((await api.get('/v1/runs?limit=1&limit=2')).status).toBe(400)
    expect((await api.get('/v1/runs?limt=1')).body.error.message).toContain('limt')
  })

  test('needs no body where all of it is optional, whatever its header says', async () => {
    for (const headers of [{}, json]) {
      const answer = await api.post(`/v1/runs/${randomUUID()}/retry`, undefined, { headers })
      expect(answer).toMatchObject({ status: 404, body: { error: { code: 'NOT_FOUND' } } })
    }
  })
})

describe('the limits', () => {
  let limited: TestApi
  beforeAll(async () => {
    limited = await openTestApi({
      api: { rate: { perSecond: 1, burst: 5 }, failures: { perSecond: 0.1, burst: 3 } },
    })
  })
  afterAll(() => limited.close())

  test('hold one token back and say for how long; others and gateways go on', async () => {
    const asked = await Promise.all(
      Array.from({ length: 8 }, () => limited.get('/v1/runs', { token: limited.tokens.read })),
    )
    const refused = asked.filter(({ status }) => status === 429)
    expect(refused.length).toBeGreaterThanOrEqual(2)
    expect(refused[0]?.body.error.code).toBe('TOO_MANY')
    expect(Number(refused[0]?.headers.get('retry-after'))).toBe(1)
    expect((await limited.get('/v1/runs')).status).toBe(200)
    const gateway = { token: limited.tokens.gateway }
    const beats = await Promise.all(
      Array.from({ length: 20 }, () => limited.post('/v1/register-gateway', {}, gateway)),
    )
    expect(new Set(beats.map(({ status }) => status))).toEqual(new Set([400]))
  })

  test('hold guessing back, and not those whose token was valid', async () => {
    expect((await limited.get('/v1/agents', { token: limited.tokens.operate })).status).toBe(403)
    const guesses = []
    for (let n = 0; n < 5; n++)
      guesses.push((await limited.get('/v1/runs', { token: `wrong-${n}-${'x'.repeat(20)}` })).status)
    expect(guesses).toEqual([401, 401, 401, 429, 429])
    expect((await limited.get('/v1/agents', { token: limited.tokens.operate })).status).toBe(403)
  })
})
