import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { connect } from 'node:net'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { tellEvents } from '../../core/events/tellEvent.ts'
import { openTestApi, type TestApi } from '../support/api.ts'
import { newDatabase, type TestDatabase } from '../support/database.ts'
import { type DatabaseProxy, proxyDatabase } from '../support/databaseProxy.ts'
import { listen } from '../support/eventSource.ts'
import { addMachine, startRun } from '../support/fleet.ts'

type Json = {
  type?: string | string[]
  enum?: unknown[]
  const?: unknown
  format?: string
  properties?: Record<string, Json>
  items?: Json
  anyOf?: Json[]
  oneOf?: Json[]
  allOf?: Json[]
  minimum?: number
  maximum?: number
  required?: string[]
}

const hostile = fc.constantFrom(
  '',
  '\0',
  '\ud800',
  '../../etc/passwd',
  "';--",
  '%',
  '9'.repeat(40),
  '💥'.repeat(50),
  '__proto__',
)
const anyText = fc.oneof(hostile, fc.string({ maxLength: 40 }), fc.string({ unit: 'binary', maxLength: 40 }))

/** Values that mostly fit a schema, and now and then do not. */
function valuesFor(schema: Json, depth = 0): fc.Arbitrary<unknown> {
  const fitting = fittingFor(schema, depth)
  return fc.oneof(
    { weight: 19, arbitrary: fitting },
    { weight: 1, arbitrary: fc.oneof(anyText, fc.jsonValue({ maxDepth: 2 })) },
  )
}

function fittingFor(schema: Json, depth: number): fc.Arbitrary<unknown> {
  const several = schema.anyOf ?? schema.oneOf ?? schema.allOf
  if (several) return fc.oneof(...several.map((one) => valuesFor(one, depth)))
  if (schema.enum) return fc.constantFrom(...schema.enum)
  if ('const' in schema) return fc.constant(schema.const)
  if (schema.properties && depth < 6)
    return fc.record(
      Object.fromEntries(
        Object.entries(schema.properties).map(([name, one]) => [name, valuesFor(one, depth + 1)]),
      ),
      { requiredKeys: (schema.required ?? []).filter((name) => name in (schema.properties ?? {})) },
    )
  switch (schema.type) {
    case 'integer':
    case 'number':
      return fc.oneof(
        {
          weight: 6,
          arbitrary: fc.integer({ min: schema.minimum ?? 0, max: Math.min(schema.maximum ?? 100, 1e6) }),
        },
        { weight: 1, arbitrary: fc.oneof(fc.maxSafeInteger(), fc.double()) },
      )
    case 'boolean':
      return fc.boolean()
    case 'array':
      return fc.array(valuesFor(schema.items ?? {}, depth + 1), { maxLength: 3 })
    case 'object':
      return fc.dictionary(anyText, fc.jsonValue({ maxDepth: 1 }), { maxKeys: 3 })
    case 'null':
      return fc.constant(null)
    default:
      return schema.format === 'uuid'
        ? fc.oneof(fc.constantFrom(...known), fc.uuid())
        : fc.oneof(anyText, fc.constantFrom(...known, '1', 'newest'))
  }
}

/** Bodies that are right, of which one part is replaced. */
const examples: Record<string, object> = {
  '/v1/plan': { request: 'list files' },
  '/v1/policy/check': { command: 'ls', cwd: '/work' },
  '/v1/approvals/{id}/decide': { decision: 'approve', plan_hash: 'f'.repeat(64) },
  '/v1/tasks/enqueue': { action: 'noop', params: {}, dispatch: 'pull' },
  '/v1/execute': { action: 'shell', params: { command: 'ls' } },
  '/v1/register-gateway': { gateway_id: randomUUID(), name: 'g', url: 'http://127.0.0.1:9', agents: [] },
}
const nearly = (example: object): fc.Arbitrary<unknown> =>
  fc
    .tuple(
      fc.constantFrom(...Object.keys(example), 'other'),
      fc.oneof(anyText, fc.jsonValue({ maxDepth: 2 })),
    )
    .map(([name, value]) => ({ ...example, [name]: value }))

/** Ids of what is there, so that not everything ends with 404. */
const known: string[] = [randomUUID()]

describe('whatever is sent', () => {
  let api: TestApi
  beforeAll(async () => {
    api = await openTestApi()
    const machine = await addMachine(api.deps, { name: 'laptop' })
    const run = await startRun(api.deps, machine, [{ key: 'a', command: 'touch x' }])
    const { body } = await api.get(`/v1/runs/${run.id}`)
    known.push(run.id, machine.agentId, machine.gatewayId, ...Object.values(run.tasks), body.approval.id)
  })
  afterAll(() => api.close())

  type Parameter = { name: string; in: string; required: boolean; schema: Json }
  type Operation = { parameters: Parameter[]; requestBody?: { content: Record<string, { schema: Json }> } }

  test('the answer is as described and never a fault, and the process stays', async () => {
    const operations = Object.entries(api.described.document.paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, operation]) => ({
        method: method.toUpperCase(),
        path,
        ...(operation as unknown as Operation),
      })),
    )
    const requests = fc.constantFrom(...operations).chain((operation) =>
      fc.record({
        method: fc.constant(operation.method),
        path: fc.constant(operation.path),
        parameters: fc.tuple(
          ...operation.parameters.map((one) =>
            fc.tuple(
              fc.constant(one),
              one.required ? valuesFor(one.schema) : fc.option(valuesFor(one.schema), { freq: 1 }),
            ),
          ),
        ),
        body: bodiesFor(operation),
        raw: fc.oneof({ weight: 9, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary: anyText }),
      }),
    )
    await fc.assert(
      fc.asyncProperty(requests, async ({ method, path, parameters, body, raw }) => {
        const status = await send(method, path, parameters as [Parameter, unknown][], body, raw)
        expect(status === 503 && path === '/v1/health' ? 200 : status).toBeLessThan(500)
      }),
      { numRuns: 1500 },
    )
    const reached = [...api.described.seen].filter((name) => / 2\d\d$/.test(name))
    expect(reached.length).toBeGreaterThan(16)
    expect((await api.get('/v1/system-state')).status).toBe(200)
  }, 90_000)

  function bodiesFor({ path, requestBody }: Operation & { path: string }): fc.Arbitrary<unknown> {
    const example = examples[path]
    const bySchema = valuesFor(requestBody?.content['application/json']?.schema ?? {})
    return example ? fc.oneof(bySchema, nearly(example), fc.constant(example)) : bySchema
  }

  /** Answers that go on are let go as soon as they begin. */
  async function send(
    method: string,
    path: string,
    parameters: [Parameter, unknown][],
    body: unknown,
    raw?: string,
  ) {
    const query = new URLSearchParams()
    let url = path
    for (const [{ name, in: place }, value] of parameters) {
      const text = typeof value === 'string' ? value : JSON.stringify(value)
      if (place === 'path') url = url.replace(`{${name}}`, encodeURIComponent(text.toWellFormed()) || 'x')
      else if (value !== null) query.append(name, text)
    }
    // Nobody plans here: waiting for it would only take time.
    const sent =
      path === '/v1/plan' && body !== null && typeof body === 'object' ? { ...body, wait_s: 0 } : body
    if (path.endsWith('/stream')) return statusOf(`${url}?${query}`)
    const options = method === 'GET' ? {} : raw === undefined ? {} : { raw }
    return (await api.call(method, `${url}?${query}`, method === 'GET' ? undefined : sent, options)).status
  }

  async function statusOf(path: string): Promise<number> {
    const stop = new AbortController()
    const response = await fetch(api.url + path, {
      headers: { authorization: `Bearer ${api.tokens.admin}` },
      signal: stop.signal,
    })
    stop.abort()
    return response.status
  }

  test('bytes that are no HTTP are told so, or cut off', async () => {
    const { hostname, port } = new URL(api.url)
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ minLength: 1, maxLength: 200 }), async (bytes) => {
        const socket = connect(Number(port), hostname)
        socket.on('error', () => {})
        let text = ''
        socket.on('data', (chunk) => {
          text += chunk
        })
        socket.end(Buffer.concat([bytes, Buffer.from('\r\n\r\n')]))
        await once(socket, 'close')
        if (text !== '') expect(text).toMatch(/^HTTP\/1\.1 400 [\s\S]*"code":"INVALID"/)
      }),
      { numRuns: 100 },
    )
    expect((await api.get('/v1/system-state')).status).toBe(200)
  })
})

describe('while the database is away', () => {
  let database: TestDatabase
  let proxy: DatabaseProxy
  let api: TestApi
  beforeAll(async () => {
    database = await newDatabase()
    proxy = await proxyDatabase(database.url)
    api = await openTestApi({ databaseUrl: proxy.url, api: { deadlineMs: 1500 } })
    await api.get('/v1/runs')
  })
  afterAll(async () => {
    proxy.mend()
    await api.close()
    await proxy.close()
    await database.drop()
  })

  const unavailable = async (token = api.tokens.admin): Promise<void> => {
    const begun = performance.now()
    const { status, body, headers } = await api.get('/v1/runs', { token })
    expect([status, body.error.code]).toEqual([503, 'UNAVAILABLE'])
    expect(Number(headers.get('retry-after'))).toBeGreaterThan(0)
    expect(performance.now() - begun).toBeLessThan(7000)
  }
  const back = async (): Promise<void> => {
    await expect
      .poll(async () => (await api.get('/v1/runs')).status, { timeout: 30_000, interval: 100 })
      .toBe(200)
  }

  test.each([
    ['cut off', () => proxy.cut()],
    ['silent', () => proxy.silence()],
  ])(
    'and %s every request is 503 in good time, and works again afterwards',
    async (_, leave) => {
      const from = (await api.get('/v1/events?after=newest')).body.next_cursor
      const heard: string[] = []
      const stream = listen(`${api.url}/v1/events/stream?types=lockdown&after=${from}`, {
        token: api.tokens.admin,
        onEvent: ({ data }) => void heard.push(String((data.data as { mark: string }).mark)),
      })
      await expect.poll(() => stream.heard.status).toBe(200)
      leave()
      await Promise.all([unavailable(), unavailable(), unavailable(api.tokens.operate)])
      const health = await api.get('/v1/health', { token: null })
      expect([health.status, health.body.parts.database]).toEqual([503, 'does not answer'])
      expect((await api.post(`/v1/runs/1/cancel`)).status).toBe(503)
      expect((await api.get('/docs', { token: null })).status).toBe(200)
      proxy.mend()
      await back()
      await tellEvents(api.db, [{ type: 'lockdown', subject: {}, data: { mark: String(leave) } }])
      await expect.poll(() => heard, { timeout: 15_000 }).toEqual([String(leave)])
      stream.heard.cut()
      await stream.over
    },
    60_000,
  )
})
