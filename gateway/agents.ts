import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { type WebSocket, WebSocketServer } from 'ws'
import type { Logger } from '../core/config/logger.ts'
import { type Door, judgeCall } from '../core/doors/judgeCall.ts'
import { MAX_FRAME_BYTES } from '../core/protocol/frames.ts'
import { AgentLink } from './agentLink.ts'
import type { Api } from './api.ts'
import { Reporter } from './report.ts'
import type { Routes } from './routing.ts'

/** Connections that have not been welcomed yet; more are turned away. */
const MAX_STRANGERS = 200

export type AgentsDeps = {
  api: Api
  gatewayId: string
  routes: Routes
  door: Door
  log: Logger
  /** Resolves once the API knows this gateway. */
  registered(): Promise<void>
  /** An agent came or went. */
  onChange(): void
}

/** The agents connected to this gateway: at most one connection for each. */
export class Agents {
  readonly #deps: AgentsDeps
  readonly #server = new WebSocketServer({
    noServer: true,
    maxPayload: MAX_FRAME_BYTES,
    perMessageDeflate: false,
    clientTracking: false,
  })
  readonly #strangers = new Set<AgentLink>()
  readonly #links = new Map<string, AgentLink>()
  readonly #reporters = new Map<string, Reporter>()

  constructor(deps: AgentsDeps) {
    this.#deps = deps
  }

  get(agentId: string): AgentLink | undefined {
    return this.#links.get(agentId)
  }

  all(): AgentLink[] {
    return [...this.#links.values()]
  }

  /** Takes an HTTP upgrade. Pages in browsers (they send Origin, their own one as well) have no business here. */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const path = (request.url ?? '').split('?')[0]
    const { method = 'GET', url = '/', headers } = request
    if (path !== '/agent') turnAway(socket, '404 Not Found')
    else if (headers.origin !== undefined || judgeCall(this.#deps.door, { method, url, headers }))
      turnAway(socket, '403 Forbidden')
    else if (this.#strangers.size >= MAX_STRANGERS) turnAway(socket, '503 Service Unavailable')
    else this.#server.handleUpgrade(request, socket, head, (ws) => this.#meet(ws))
  }

  close(): void {
    for (const link of [...this.#strangers, ...this.#links.values()])
      link.close(1001, 'the gateway is stopping')
    for (const reporter of this.#reporters.values()) reporter.end()
    this.#server.close()
  }

  #meet(ws: WebSocket): void {
    const { onChange, door: _, ...deps } = this.#deps
    const link = new AgentLink(ws, {
      ...deps,
      reporterOf: (agentId) => this.#reporterOf(agentId),
      onWelcome: () => {
        this.#strangers.delete(link)
        this.#links.get(link.agentId)?.close(4409, 'the agent connected again')
        this.#links.set(link.agentId, link)
        onChange()
      },
      onClose: () => {
        this.#strangers.delete(link)
        if (this.#links.get(link.agentId) !== link) return
        this.#links.delete(link.agentId)
        onChange()
      },
    })
    this.#strangers.add(link)
  }

  #reporterOf(agentId: string): Reporter {
    const { api, gatewayId, log } = this.#deps
    const known = this.#reporters.get(agentId)
    if (known) return known
    const reporter = new Reporter(api, { gateway_id: gatewayId, agent_id: agentId }, log)
    this.#reporters.set(agentId, reporter)
    return reporter
  }
}

function turnAway(socket: Duplex, status: string): void {
  socket.on('error', () => socket.destroy())
  socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`)
}
