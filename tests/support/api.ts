import { startApi } from '../../api/main.ts'
import type { ApiOptions } from '../../api/options.ts'
import type { Deps } from '../../core/deps.ts'
import { newApiToken, type Scope } from '../../core/people/apiTokens.ts'
import { type ControlOptions, openTestControl, type TestControl } from './control.ts'
import { newDatabase, type TestDatabase } from './database.ts'
import { Described } from './openapi.ts'

/*
 * The REST API on a database of its own, for tests that call it as a program does. Every answer is held against the
 * OpenAPI document that the server gives out; one that does not fit fails the test.
 *
 *   const api = await openTestApi()
 *   const { status, body } = await api.get('/v1/runs?limit=2')
 *   await api.post('/v1/policy/check', { command: 'ls' }, { token: api.tokens.read })
 *   await api.close()
 */

export type Answer<T = never> = { status: number; headers: Headers; body: T; text: string }
export type CallOptions = { token?: string | null; headers?: Record<string, string>; raw?: string }
// biome-ignore lint/suspicious/noExplicitAny: what it is, the document says, and each answer is held against it.
type Anything = any

/** No limits, unless a test is about them. */
const free = { perSecond: 1e6, burst: 1e6 }

export async function openTestApi(
  options: Partial<ControlOptions> & { api?: Partial<ApiOptions> } = {},
): Promise<TestApi> {
  const database = await newDatabase()
  const control = await openTestControl({ databaseUrl: database.url, ...options })
  const { deps, controlKey } = control
  const api = await startApi(
    { ...deps, controlKey, botReady: () => true },
    { host: '127.0.0.1', port: 0 },
    { rate: free, failures: free, ...options.api },
  )
  const document = await (await fetch(`${api.url}/v1/openapi.json`)).json()
  const tokens = {} as Record<Scope, string>
  for (const scope of ['read', 'operate', 'gateway', 'agent'] as const)
    tokens[scope] = await newApiToken(deps.db, `${scope}-token`, [scope])
  tokens.admin = control.secrets.apiToken
  return new TestApi(database, control, api, new Described(document), tokens)
}

export class TestApi {
  readonly database: TestDatabase
  readonly control: TestControl
  readonly url: string
  readonly described: Described
  readonly tokens: Record<Scope, string>
  readonly stopServer: () => Promise<void>
  constructor(
    database: TestDatabase,
    control: TestControl,
    api: { url: string; stop(): Promise<void> },
    described: Described,
    tokens: Record<Scope, string>,
  ) {
    this.database = database
    this.control = control
    this.url = api.url
    this.described = described
    this.tokens = tokens
    this.stopServer = api.stop
  }

  get deps(): Deps {
    return this.control.deps
  }

  get db(): Deps['db'] {
    return this.control.deps.db
  }

  get = (path: string, options?: CallOptions): Promise<Answer<Anything>> =>
    this.call('GET', path, undefined, options)
  post = (path: string, body?: unknown, options?: CallOptions): Promise<Answer<Anything>> =>
    this.call('POST', path, body, options)

  /** As admin, unless another token (or null: none) is given. `raw` is sent as it is. */
  async call(
    method: string,
    path: string,
    body: unknown,
    { token = this.tokens.admin, headers = {}, raw }: CallOptions = {},
  ): Promise<Answer<Anything>> {
    const text = raw ?? (body === undefined ? undefined : JSON.stringify(body))
    const response = await fetch(this.url + path, {
      method,
      ...(text === undefined ? {} : { body: text }),
      headers: {
        ...(token === null ? {} : { authorization: `Bearer ${token}` }),
        ...(text === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
    })
    const answer = await response.text()
    const media = response.headers.get('content-type') ?? ''
    const parsed = media.startsWith('application/json') ? JSON.parse(answer) : answer
    this.described.check(method, path, response.status, media, parsed)
    return { status: response.status, headers: response.headers, body: parsed, text: answer }
  }

  async close(): Promise<void> {
    await this.stopServer()
    await this.control.close()
    await this.database.drop()
  }
}
