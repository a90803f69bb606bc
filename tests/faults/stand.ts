import { mkdirSync, mkdtempSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { machineId } from '../../agent/identity.ts'
import { type Control, openControl } from '../../cli/openControl.ts'
import { enrolAgent } from '../../core/fleet/enrolAgent.ts'
import { newCode } from '../../core/fleet/oneTimeCodes.ts'
import { newApiToken } from '../../core/people/apiTokens.ts'
import { type ModelServer, startModelServer } from '../support/modelServer.ts'
import { providerEnv } from '../support/providerEnv.ts'
import { Client } from './client.ts'
import { AgentDisk } from './disk.ts'
import { Link } from './link.ts'
import { Part, type PartEnd } from './part.ts'
import { steadyPort } from './ports.ts'
import type { Random } from './random.ts'
import { Replayer } from './replayer.ts'
import { Postgres, RedisServer } from './servers.ts'
import { Thinker } from './thinker.ts'
import { Effects } from './work.ts'

export type Backend = 'postgres' | 'redis'
export type Machine = {
  name: string
  agentId: string
  machineId: string
  part: Part
  /** To its gateways; an agent with one may be moved to another. */
  links: Link[]
  disk: AgentDisk
}

/** Unreachable for this long: what only reads is repeated, the rest waits for a person. */
export const UNREACHABLE_S = 6
/** What has not come up by then will not, however busy the machine is. */
const PATIENCE_MS = 180_000
export const APPROVAL_TTL_S = 8
export const WORK_DIRS = ['d0', 'd1', 'd2', 'd3', 'd4', 'd5']

/**
 * SKYNET as it runs on several machines, in a directory of its own: two of each part, on one PostgreSQL, with a
 * stretch of network between any two that talk, and between the control plane and a language model. Gateway and API,
 * control plane and gateway also have somebody between them who repeats calls.
 */
export class Stand {
  readonly dir = realpathSync(mkdtempSync(join(tmpdir(), 'skynet-faults-')))
  readonly work = join(this.dir, 'work')
  readonly effects = new Effects(this.#made('work/.effects'))
  readonly postgres = new Postgres(join(this.dir, 'db'))
  readonly redis: RedisServer | null
  readonly parts: Part[] = []
  readonly machines: Machine[] = []
  readonly links: Link[] = []
  readonly replayers: Replayer[] = []
  readonly apiUrls: string[] = []
  /** What the language model says. */
  readonly thinker: Thinker
  #model: ModelServer | null = null
  /** The settings by which the control plane has a model; none where it has none. */
  #modelEnv: Record<string, string> = {}
  readonly #random: Random
  readonly #onEnd: (end: PartEnd) => void
  #control: Control | null = null

  constructor(backend: Backend, random: Random, onEnd: (end: PartEnd) => void) {
    this.redis = backend === 'redis' ? new RedisServer(this.#made('redis')) : null
    this.#random = random
    this.thinker = new Thinker(random)
    this.#onEnd = onEnd
  }

  get control(): Control {
    if (!this.#control) throw new Error('the stand is not started')
    return this.#control
  }

  get db(): Control['deps']['db'] {
    return this.control.deps.db
  }

  /** Without `machines` there is a control plane alone, without a language model. */
  async start({ machines } = { machines: true }): Promise<void> {
    for (const name of WORK_DIRS) this.#made(join('work', name))
    await Promise.all([this.postgres.start(), this.redis?.start(), machines ? this.#addModel() : null])
    this.#control = await openControl({ ...this.#controlEnv(), SKYNET_LOG_LEVEL: 'error' }, 'faults')
    const apis = [await this.#addApi('api-1'), await this.#addApi('api-2')]
    for (const name of ['workers-1', 'workers-2']) this.#add(name, 'workers', this.#controlEnv())
    if (machines) await this.#addMachines(apis)
    for (const part of this.parts) part.start()
    if (machines) await this.connected()
  }

  async #addModel(): Promise<void> {
    const model = await startModelServer()
    model.always(({ messages }) => this.thinker.reply(messages.at(-1)?.content ?? ''))
    this.#model = model
    const link = await this.#link('control plane to the model', Number(new URL(model.url).port))
    // Every question is asked anew and of this model alone.
    this.#modelEnv = {
      ...providerEnv('openai', `${link.url}/v1`),
      ...{ AI_PROVIDER_PRIORITY: 'openai', AI_HEDGE_AFTER: 'off', AI_CACHE_FOR: '0s', AI_TIMEOUT: '10s' },
      ...{ AI_RUN_TOKENS: 'off', AI_DAILY_TOKENS: 'off', SKYNET_EMBEDDINGS: 'off' },
    }
  }

  async #addMachines(apis: readonly number[]): Promise<void> {
    const gateways: number[] = []
    for (const [i, api] of apis.entries()) gateways.push(await this.#addGateway(`gateway-${i + 1}`, api))
    await this.#addAgent('agent-1', gateways.slice(0, 1))
    await this.#addAgent('agent-2', gateways)
  }

  /** Resolves once every API answers; rejects when that takes for ever. */
  async answering(token: string): Promise<void> {
    const headers = { authorization: `Bearer ${token}` }
    for (const deadline = performance.now() + PATIENCE_MS; ; await delay(50)) {
      const calls = this.apiUrls.map((url) => fetch(`${url}/v1/tasks?limit=1`, { headers }))
      const answers = await Promise.all(calls.map((call) => call.then(({ ok }) => ok).catch(() => false)))
      if (answers.every(Boolean)) return
      if (performance.now() > deadline) throw new Error('not all APIs came up')
    }
  }

  /** One more part of the control plane, with further settings; it is not started yet. */
  add(name: string, kind: Part['kind'], settings: Record<string, string>): Part {
    return this.#add(name, kind, { ...this.#controlEnv(), ...settings })
  }

  /** Resolves once every gateway and every agent has been heard of from now on; rejects when that takes for ever. */
  async connected(): Promise<void> {
    const [from] = await this.db.query<{ now: Date }>('SELECT clock_timestamp() AS now')
    for (const deadline = performance.now() + PATIENCE_MS; ; await delay(50)) {
      const rows = await this.db
        .query<{ all: boolean }>(
          `SELECT (SELECT count(*) FROM agent WHERE connected AND last_seen_at > $1) = $2
           AND (SELECT count(*) FROM gateway WHERE last_seen_at > $1) = $3 AS all`,
          [from?.now, this.machines.length, this.gatewayPorts.length],
        )
        .catch(() => [])
      if (rows[0]?.all) return
      if (performance.now() > deadline) throw new Error('not all agents came up')
    }
  }

  /** Where the gateways listen, for links that move. */
  readonly gatewayPorts: number[] = []

  async stop(keep: boolean): Promise<void> {
    await Promise.all(this.parts.map((part) => part.stop()))
    for (const closable of [...this.links, ...this.replayers]) closable.close()
    await this.#control?.close().catch(() => {})
    await Promise.all([this.postgres.stop(), this.redis?.stop(), this.#model?.close()])
    for (const { disk } of this.machines) disk.close(keep)
    if (!keep) rmSync(this.dir, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 })
  }

  #made(name: string): string {
    const dir = join(this.dir, name)
    mkdirSync(dir, { recursive: true })
    return dir
  }

  #baseEnv(): Record<string, string> {
    return {
      PATH: `${this.effects.bin}:${process.env.PATH ?? ''}`,
      HOME: this.dir,
      SKYNET_LOG_LEVEL: process.env.TEST_LOG ?? 'warn',
      SKYNET_PARENT_STDIN: '1',
    }
  }

  #controlEnv(): Record<string, string> {
    return {
      ...this.#baseEnv(),
      SKYNET_DATA_DIR: join(this.dir, 'control'),
      DATABASE_URL: this.postgres.url,
      ...(this.redis ? { REDIS_URL: this.redis.url } : {}),
      SKYNET_CHAT_PER_MINUTE: '1000000',
      SKYNET_UNREACHABLE_AFTER: `${UNREACHABLE_S}s`,
      SKYNET_APPROVAL_TTL: `${APPROVAL_TTL_S}s`,
      ...this.#modelEnv,
    }
  }

  #add(name: string, kind: Part['kind'], env: Record<string, string>): Part {
    const part = new Part(name, kind, env, this.#made('logs'), this.#onEnd)
    this.parts.push(part)
    return part
  }

  /** Somebody who calls the APIs, with a token made in the ledger. */
  async client(random: Random): Promise<Client> {
    return new Client(this.apiUrls, await newApiToken(this.db, 'Ana', ['read', 'operate']), random)
  }

  async #addApi(name: string): Promise<number> {
    const port = await steadyPort()
    this.apiUrls.push(`http://127.0.0.1:${port}`)
    this.#add(name, 'api', { ...this.#controlEnv(), SKYNET_HTTP_PORT: String(port) })
    return port
  }

  async #between(name: string, port: number, paths: RegExp): Promise<Link> {
    const replayer = await new Replayer(port, paths, this.#random).listen()
    this.replayers.push(replayer)
    return this.#link(name, replayer.port)
  }

  async #link(name: string, port: number): Promise<Link> {
    const link = await new Link(name, port).listen()
    this.links.push(link)
    return link
  }

  async #addGateway(name: string, apiPort: number): Promise<number> {
    const port = await steadyPort()
    const toApi = await this.#between(`${name} to the API`, apiPort, /^\/v1\/report$/)
    const toGateway = await this.#between(`control plane to ${name}`, port, /^\/(action|cancel)/)
    const { gateway_token, gateway_api_token } = this.control.secrets
    this.#add(name, 'gateway', {
      ...this.#baseEnv(),
      SKYNET_DATA_DIR: this.#made('gateways'),
      SKYNET_GATEWAY_NAME: name,
      SKYNET_GATEWAY_PORT: String(port),
      SKYNET_GATEWAY_URL: toGateway.url,
      SKYNET_API_URL: toApi.url,
      SKYNET_GATEWAY_TOKEN: gateway_token,
      SKYNET_GATEWAY_API_TOKEN: gateway_api_token,
    })
    this.gatewayPorts.push(port)
    return port
  }

  async #addAgent(name: string, gatewayPorts: number[]): Promise<void> {
    const { deps, controlKey } = this.control
    const disk = new AgentDisk(this.#made(join('agents', name)))
    const links: Link[] = []
    for (const [i, port] of gatewayPorts.entries())
      links.push(await this.#link(`${name} to gateway-${i + 1}`, port))
    const code = await newCode(deps.db, 'join', 60_000, null)
    const machine = machineId(disk.dir)
    const enrolled = await enrolAgent(deps, { code, name, machineId: machine })
    if (enrolled.kind !== 'enrolled') throw new Error(`${name}: ${enrolled.kind}`)
    const part = this.#add(name, 'agent', {
      ...this.#baseEnv(),
      SKYNET_DATA_DIR: disk.dir,
      SKYNET_AGENT_NAME: name,
      SKYNET_AGENT_ROOTS: this.work,
      SKYNET_AGENT_ID: enrolled.agentId,
      SKYNET_AGENT_CREDENTIAL: enrolled.credential,
      SKYNET_CONTROL_KEY: controlKey,
      SKYNET_GATEWAY_URL: links.map(({ url }) => url).join(','),
    })
    this.machines.push({ name, agentId: enrolled.agentId, machineId: machine, part, links, disk })
  }
}
