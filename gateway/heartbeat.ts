import { type Logger, messageOf } from '../core/config/logger.ts'
import { RegisterGatewayResponse } from '../core/protocol/http.ts'
import type { AgentLink } from './agentLink.ts'
import type { Api } from './api.ts'
import { backoff } from './backoff.ts'

const DEFAULT_BEAT_MS = 5000
/** An agent that comes or goes is told within this time. */
const SOON_MS = 100
/** All of SKYNET is started at once: that the API does not listen yet is told only after this time. */
const START_GRACE_MS = 3000

export type HeartbeatDeps = {
  api: Api
  gatewayId: string
  name: string
  url(): string
  agents(): AgentLink[]
  log: Logger
}
export type ApiState = 'unknown' | 'ok' | 'unreachable' | 'refused'

/** Keeps the API told that this gateway is here, and which agents it holds. */
export class Heartbeat {
  state: ApiState = 'unknown'
  /** Resolves once the API has taken this gateway's registration for the first time. */
  readonly registered: Promise<void>
  readonly #deps: HeartbeatDeps
  #resolve: () => void = () => {}
  #ended = false
  #timer: NodeJS.Timeout | null = null
  #beating = false
  #again = false
  #failures = 0
  #told: ApiState = 'unknown'
  readonly #startedAt = performance.now()

  constructor(deps: HeartbeatDeps) {
    this.#deps = deps
    this.registered = new Promise((resolve) => {
      this.#resolve = resolve
    })
  }

  start(): void {
    void this.#beat()
  }

  /** Something changed: beat soon rather than at the next turn. */
  soon(): void {
    if (this.#beating) this.#again = true
    else if (this.#failures === 0) this.#schedule(SOON_MS)
  }

  end(): void {
    this.#ended = true
    if (this.#timer) clearTimeout(this.#timer)
  }

  async #beat(): Promise<void> {
    this.#beating = true
    this.#again = false
    const wait = await beatOnce(this.#deps).then(
      (ms) => this.#succeeded(ms),
      (error) => this.#failed(error),
    )
    if (wait === null) await backoff(this.#failures)
    this.#beating = false
    this.#schedule(this.#again ? SOON_MS : (wait ?? 0))
  }

  #schedule(ms: number): void {
    if (this.#ended) return
    if (this.#timer) clearTimeout(this.#timer)
    this.#timer = setTimeout(() => void this.#beat(), ms)
  }

  #succeeded(ms: number): number {
    if (this.state !== 'ok') this.#deps.log.info('registered with the API')
    this.state = 'ok'
    this.#told = 'ok'
    this.#failures = 0
    this.#resolve()
    return ms
  }

  #failed(error: unknown): null {
    this.state = error instanceof Refused ? 'refused' : 'unreachable'
    this.#failures++
    const starting = this.#told === 'unknown' && performance.now() - this.#startedAt < START_GRACE_MS
    if (this.state === this.#told || (starting && this.state === 'unreachable')) return null
    this.#told = this.state
    this.#deps.log.warn(`not registered with the API: ${messageOf(error)}`)
    return null
  }
}

class Refused extends Error {}

/** One round: the gateway, then each of its agents. Returns the pause until the next, in milliseconds. */
async function beatOnce({ api, gatewayId, name, url, agents }: HeartbeatDeps): Promise<number> {
  const links = agents()
  const answer = await api.post('/v1/register-gateway', {
    gateway_id: gatewayId,
    name,
    url: url(),
    agents: links.map((link) => link.agentId).slice(0, 1000),
  })
  if (answer.status === 401 || answer.status === 403)
    throw new Refused('the API refuses SKYNET_GATEWAY_API_TOKEN')
  if (answer.status < 200 || answer.status > 299) throw new Error(`the API answered ${answer.status}`)
  const { heartbeat_s } = RegisterGatewayResponse.parse(answer.body)
  for (const link of links) await link.heartbeat()
  return Math.min(60_000, Math.max(500, heartbeat_s * 1000)) || DEFAULT_BEAT_MS
}
