import WebSocket from 'ws'
import { type Logger, messageOf } from '../core/config/logger.ts'
import {
  type AgentFrame,
  GatewayFrame,
  type Hello,
  type InspectedFile,
  MAX_FRAME_BYTES,
} from '../core/protocol/frames.ts'

const FIRST_DELAY_MS = 100
const MAX_DELAY_MS = 5000
/** Who is refused has to join again, and hears of that by itself: asking often changes nothing. */
const MAX_REFUSED_DELAY_MS = 30_000
const PING_MS = 4000
/** A connection that says nothing for this long is dead, whatever TCP thinks. */
const SILENCE_MS = 12_000
/** The gateway's word that the credential is wrong or revoked. */
const CREDENTIAL_REFUSED = 4401

type WorkFrame = Exclude<GatewayFrame, { type: 'welcome' | 'ping' | 'pong' | 'inspect' }>

export type ConnectionOptions = {
  /** `http:` or `https:` address of the gateway. */
  gatewayUrl: string
  hello(): Hello
  onWelcome(send: (text: string) => boolean): void
  onFrame(frame: WorkFrame): void
  /** What these files hold. */
  inspect(paths: readonly string[]): InspectedFile[]
  onLost(): void
  /** The credential is wrong or revoked; it goes on asking at a slow pace, and says `refusedLine` once. */
  onRefused(): void
  refusedLine: string
  log: Logger
}

/** The agent's line to its gateway: made again, with growing jittered pauses, for as long as the agent runs. */
export class Connection {
  readonly #options: ConnectionOptions
  readonly #url: string
  #socket: WebSocket | null = null
  #timer: NodeJS.Timeout | null = null
  #failures = 0
  #refusals = 0
  #closed = false
  #complained = ''

  constructor(options: ConnectionOptions) {
    this.#options = options
    this.#url = `${options.gatewayUrl.replace(/^http/, 'ws').replace(/\/+$/, '')}/agent`
    this.#connect()
  }

  /** Sends a frame beside those of attempts. False when nobody is there. */
  send(frame: AgentFrame): boolean {
    return this.#sendText(JSON.stringify(frame))
  }

  /** Says hello anew: at once when it is waiting, else over a connection in the place of this one. */
  again(): void {
    if (this.#closed) return
    if (this.#socket) this.#socket.close(1000, 'the agent says hello anew')
    else {
      if (this.#timer) clearTimeout(this.#timer)
      this.#connect()
    }
  }

  close(): void {
    this.#closed = true
    if (this.#timer) clearTimeout(this.#timer)
    this.#socket?.close(1001, 'the agent is stopping')
    this.#socket?.terminate()
  }

  #sendText(text: string): boolean {
    if (this.#socket?.readyState !== WebSocket.OPEN) return false
    this.#socket.send(text)
    return true
  }

  #connect(): void {
    const socket = new WebSocket(this.#url, {
      maxPayload: MAX_FRAME_BYTES,
      perMessageDeflate: false,
      handshakeTimeout: 5000,
    })
    this.#socket = socket
    const watch = this.#watchSilence(socket)
    socket.on('open', () => this.send(this.#options.hello()))
    socket.on('message', (data) => {
      watch.heard()
      this.#take(socket, String(data))
    })
    socket.on('error', (error) =>
      this.#complain(`cannot reach the gateway at ${this.#url}: ${messageOf(error)}`),
    )
    socket.on('close', (code, reason) => {
      watch.end()
      this.#lost(code, String(reason))
    })
  }

  #take(socket: WebSocket, text: string): void {
    const frame = parseFrame(text)
    if (!frame) {
      this.#options.log.error('the gateway sent a frame that is none; closing the connection')
      socket.close(1008, 'not a frame')
    } else if (frame.type === 'ping') this.send({ type: 'pong', id: frame.id })
    else if (frame.type === 'inspect')
      this.send({ type: 'inspected', id: frame.id, files: this.#options.inspect(frame.paths) })
    else if (frame.type === 'welcome') this.#welcomed(socket)
    else if (frame.type !== 'pong') this.#options.onFrame(frame)
  }

  #welcomed(socket: WebSocket): void {
    this.#failures = 0
    this.#refusals = 0
    this.#complained = ''
    this.#options.log.info('connected to the gateway', { url: this.#url })
    this.#options.onWelcome((out) => this.#socket === socket && this.#sendText(out))
  }

  #watchSilence(socket: WebSocket): { heard(): void; end(): void } {
    let last = performance.now()
    let id = 0
    const timer = setInterval(() => {
      if (performance.now() - last > SILENCE_MS) return socket.terminate()
      if (socket.readyState === WebSocket.OPEN) socket.send(JSON.stringify({ type: 'ping', id: id++ }))
    }, PING_MS)
    return {
      heard: () => {
        last = performance.now()
      },
      end: () => clearInterval(timer),
    }
  }

  #lost(code: number, reason: string): void {
    this.#socket = null
    this.#options.onLost()
    if (this.#closed) return
    if (code === CREDENTIAL_REFUSED) this.#refused()
    else if (code === 1008) this.#complain(`the gateway refused this agent: ${reason}`)
    this.#timer = setTimeout(() => this.#connect(), this.#pause(code) * (0.5 + Math.random() / 2))
  }

  #refused(): void {
    this.#options.onRefused()
    this.#complain(this.#options.refusedLine)
  }

  #pause(code: number): number {
    if (code === CREDENTIAL_REFUSED)
      return Math.min(MAX_REFUSED_DELAY_MS, MAX_DELAY_MS * 2 ** this.#refusals++)
    if (code === 1008) return MAX_DELAY_MS
    return Math.min(MAX_DELAY_MS, FIRST_DELAY_MS * 2 ** this.#failures++)
  }

  /** The same trouble is said once, not at every try. */
  #complain(message: string): void {
    if (message === this.#complained) return
    this.#complained = message
    this.#options.log.warn(message)
  }
}

function parseFrame(text: string): GatewayFrame | null {
  try {
    return GatewayFrame.parse(JSON.parse(text))
  } catch {
    return null
  }
}
