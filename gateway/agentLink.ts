import type { WebSocket } from 'ws'
import { failpoint } from '../core/config/failpoint.ts'
import { type Logger, messageOf } from '../core/config/logger.ts'
import {
  type AgentFacts,
  AgentFrame,
  type AttemptFrame,
  type GatewayFrame,
  type Hello,
  type InspectedFile,
} from '../core/protocol/frames.ts'
import { RegisterWorkerResponse, type ReportResponse } from '../core/protocol/http.ts'
import type { Api } from './api.ts'
import { backoff } from './backoff.ts'
import type { Reporter } from './report.ts'
import type { Routes } from './routing.ts'

const PING_MS = 5000
const SILENCE_MS = 15_000
const HELLO_MS = 10_000
/** More than this on its way to an agent: it does not read. */
const MAX_BUFFERED = 32 * 1024 * 1024
const INSPECT_MS = 2000
const CREDENTIAL_REFUSED = 4401

export type LinkDeps = {
  api: Api
  gatewayId: string
  routes: Routes
  log: Logger
  registered(): Promise<void>
  reporterOf(agentId: string): Reporter
  onWelcome(): void
  onClose(): void
}

type State =
  | { kind: 'waiting' }
  | { kind: 'greeting'; hello: Hello }
  | { kind: 'welcomed'; hello: Hello; reporter: Reporter; since: Date }

/** One connection of one agent: hello, welcome once the API has taken its credential, then frames both ways. */
export class AgentLink {
  readonly #ws: WebSocket
  readonly #deps: LinkDeps
  readonly #timer: NodeJS.Timeout
  readonly #deadline: NodeJS.Timeout
  #state: State = { kind: 'waiting' }
  #heard = performance.now()
  #pings = 0
  #inspections = 0
  readonly #inspecting = new Map<number, (files: InspectedFile[]) => void>()

  constructor(ws: WebSocket, deps: LinkDeps) {
    this.#ws = ws
    this.#deps = deps
    this.#timer = setInterval(() => this.#ping(), PING_MS)
    this.#deadline = setTimeout(() => this.close(1008, 'no hello'), HELLO_MS)
    ws.on('message', (data) => this.#take(String(data)))
    ws.on('error', (error) => deps.log.debug('an agent connection failed', { error: messageOf(error) }))
    ws.on('close', () => this.#ended())
  }

  get agentId(): string {
    return this.#state.kind === 'waiting' ? '' : this.#state.hello.agent_id
  }

  /** What the agent last told of itself; null before its hello. */
  get facts(): AgentFacts | null {
    return this.#state.kind === 'waiting' ? null : this.#state.hello.facts
  }

  get since(): Date | null {
    return this.#state.kind === 'welcomed' ? this.#state.since : null
  }

  /** Sends a frame. False when the connection is closing or the agent does not read. */
  send(frame: GatewayFrame): boolean {
    if (this.#ws.readyState !== this.#ws.OPEN || this.#ws.bufferedAmount > MAX_BUFFERED) return false
    this.#ws.send(JSON.stringify(frame))
    return true
  }

  /** Asks the agent what files hold. Null when it cannot say, or does not within 2 s. */
  inspect(paths: readonly string[]): Promise<InspectedFile[] | null> {
    if (this.#state.kind !== 'welcomed' || this.#state.hello.facts.inspects !== true)
      return Promise.resolve(null)
    const id = this.#inspections++
    return new Promise((resolve) => {
      const end = (files: InspectedFile[] | null): void => {
        clearTimeout(timer)
        this.#inspecting.delete(id)
        resolve(files)
      }
      const timer = setTimeout(() => end(null), INSPECT_MS)
      this.#inspecting.set(id, end)
      if (!this.send({ type: 'inspect', id, paths: [...paths] })) end(null)
    })
  }

  close(code: number, reason: string): void {
    this.#ws.close(code, reason.slice(0, 120))
    setTimeout(() => this.#ws.terminate(), 1000).unref()
  }

  /** Tells the API of the agent again. Rejects when the API does not answer. */
  async heartbeat(): Promise<void> {
    if (this.#state.kind === 'welcomed') await this.#register(this.#state.hello, false)
  }

  #take(text: string): void {
    this.#heard = performance.now()
    const frame = parseFrame(text)
    if (!frame) {
      this.#deps.log.warn('closing an agent connection: it sent what is not a frame', {
        agent_id: this.agentId,
      })
      this.close(1008, 'not a frame')
    } else if (frame.type === 'ping') this.send({ type: 'pong', id: frame.id })
    else if (frame.type === 'inspected') this.#inspecting.get(frame.id)?.(frame.files)
    else if (frame.type !== 'pong') this.#takeFrame(frame)
  }

  #takeFrame(frame: Exclude<AgentFrame, { type: 'ping' | 'pong' | 'inspected' }>): void {
    const state = this.#state
    if (state.kind === 'waiting' && frame.type === 'hello') this.#greet(frame)
    else if (state.kind === 'welcomed' && frame.type === 'facts') this.#takeFacts(state.hello, frame.facts)
    else if (state.kind === 'welcomed' && frame.type !== 'hello' && frame.type !== 'facts')
      this.#pass(state, frame)
    else if (frame.type !== 'facts') this.close(1008, `a ${frame.type} frame has no place here`)
  }

  /** Load is told with the next heartbeat; what decides where work goes is told at once. */
  #takeFacts(hello: Hello, facts: AgentFacts): void {
    const isOther = placesOf(hello.facts) !== placesOf(facts)
    hello.facts = facts
    if (isOther) this.heartbeat().catch(() => {}) // the next one tells it
  }

  #pass({ hello, reporter }: Extract<State, { kind: 'welcomed' }>, frame: AttemptFrame): void {
    this.#deps.routes.heard(hello.agent_id, frame)
    reporter.add(frame)
  }

  #greet(hello: Hello): void {
    clearTimeout(this.#deadline)
    this.#state = { kind: 'greeting', hello }
    this.#registerUntilAnswered(hello).catch((error) => {
      this.#deps.log.error('an agent could not be registered', {
        agent_id: hello.agent_id,
        error: messageOf(error),
      })
      this.close(1011, 'it could not be registered')
    })
  }

  /** While the API is away the agent waits; it is not turned away for what is not its fault. */
  async #registerUntilAnswered(hello: Hello): Promise<void> {
    await this.#deps.registered()
    for (let failures = 1; this.#ws.readyState === this.#ws.OPEN; failures++) {
      try {
        await this.#register(hello, true)
        return
      } catch (error) {
        if (failures === 1)
          this.#deps.log.warn(`cannot register an agent yet: ${messageOf(error)}`, {
            agent_id: hello.agent_id,
          })
        await backoff(failures)
      }
    }
  }

  async #register(hello: Hello, isHello: boolean): Promise<void> {
    const { api, gatewayId } = this.#deps
    const { agent_id, credential, facts, session } = hello
    const attempts = isHello ? hello.attempts : []
    if (isHello) failpoint('hello:before')
    const answer = await api.post('/v1/register-worker', {
      gateway_id: gatewayId,
      agent_id,
      credential,
      hello: isHello,
      ...(session === undefined ? {} : { session }),
      facts,
      attempts,
    })
    if (isHello) failpoint('hello:after')
    if (answer.status === 401 || answer.status === 403) return this.#refused()
    if (answer.status === 400) return this.close(1008, 'the API does not understand what it says of itself')
    if (answer.status !== 200 && answer.status !== 201) throw new Error(`the API answered ${answer.status}`)
    const { cancel, forget } = RegisterWorkerResponse.parse(answer.body)
    if (isHello) this.#welcome(hello)
    for (const execution_id of cancel) this.send({ type: 'cancel', execution_id })
    this.#settle(forget)
  }

  #welcome(hello: Hello): void {
    if (this.#ws.readyState !== this.#ws.OPEN) return
    const reporter = this.#deps.reporterOf(hello.agent_id)
    reporter.attach(this)
    this.#state = { kind: 'welcomed', hello: { ...hello, attempts: [] }, reporter, since: new Date() }
    this.#deps.onWelcome()
    this.send({ type: 'welcome', agent_id: hello.agent_id })
    this.#deps.log.info('agent connected', { agent_id: hello.agent_id, name: hello.facts.name })
  }

  #refused(): void {
    this.#deps.log.warn('an agent was refused: its credential is wrong or revoked', {
      agent_id: this.agentId,
    })
    this.close(CREDENTIAL_REFUSED, 'the credential is wrong or revoked; join again with a new code')
  }

  /** The ledger's answer to a report. */
  acked({ acks, unknown }: ReportResponse): void {
    for (const { execution_id, seq, result } of acks) {
      if (seq > 0) this.send({ type: 'ack', execution_id, seq })
      if (result) this.send({ type: 'result_ack', execution_id })
    }
    this.#settle(unknown)
  }

  revoked(): void {
    this.#refused()
  }

  hold(on: boolean): void {
    if (on) this.#ws.pause()
    else this.#ws.resume()
  }

  /** Nobody waits for these: the agent need not send them again. */
  #settle(executionIds: string[]): void {
    for (const execution_id of executionIds) {
      this.send({ type: 'ack', execution_id, seq: Number.MAX_SAFE_INTEGER })
      this.send({ type: 'result_ack', execution_id })
    }
  }

  #ping(): void {
    if (performance.now() - this.#heard > SILENCE_MS) this.#ws.terminate()
    else this.send({ type: 'ping', id: this.#pings++ })
  }

  #ended(): void {
    clearInterval(this.#timer)
    clearTimeout(this.#deadline)
    if (this.#state.kind === 'welcomed') {
      this.#state.reporter.detach(this)
      this.#deps.log.info('agent disconnected', { agent_id: this.agentId })
    }
    this.#deps.onClose()
  }
}

const placesOf = ({ load: _load, ...facts }: AgentFacts): string => JSON.stringify(facts)

function parseFrame(text: string): AgentFrame | null {
  try {
    return AgentFrame.parse(JSON.parse(text))
  } catch {
    return null
  }
}
