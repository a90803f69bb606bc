import type { AgentFrame } from '../core/protocol/frames.ts'
import { Connection, type ConnectionOptions } from './connection.ts'

type Send = (text: string) => boolean
export type LinesOptions = Omit<ConnectionOptions, 'gatewayUrl' | 'onWelcome' | 'onLost'> & {
  gatewayUrls: readonly string[]
  /** Frames of attempts go this way from now on, beginning with all that is not acknowledged. */
  onLine(send: Send): void
  /** There is no way at present. */
  onNoLine(): void
  /** Milliseconds for which what was sent has not been acknowledged. */
  stalledMs(): number
}

/** A gateway that is there and brings nothing to the ledger for this long is not the way. */
const STALLED_MS = 8000
const LOOK_MS = 1000

/**
 * The agent's connections, one to each of its gateways, all of them live: work and cancels may come over any, and what
 * comes twice is done once. Its own frames go over one, and over another once that one is gone or brings nothing home.
 */
export class Lines {
  readonly #options: LinesOptions
  readonly #connections: Connection[]
  /** Those that were welcomed, in that order; the first one carries the frames. */
  readonly #open = new Map<number, Send>()
  #current: number | null = null
  readonly #timer: NodeJS.Timeout

  constructor(options: LinesOptions) {
    this.#options = options
    this.#connections = options.gatewayUrls.map(
      (gatewayUrl, i) =>
        new Connection({
          ...options,
          gatewayUrl,
          onWelcome: (send) => {
            this.#open.set(i, send)
            if (this.#current === null || this.#current === i) this.#use(i, send)
          },
          onLost: () => this.#lost(i),
        }),
    )
    this.#timer = setInterval(() => this.#look(), LOOK_MS)
  }

  /** Sends a frame beside those of attempts to every gateway. False when none is there. */
  send(frame: AgentFrame): boolean {
    return this.#connections.map((connection) => connection.send(frame)).some(Boolean)
  }

  /** Says hello anew everywhere. */
  again(): void {
    for (const connection of this.#connections) connection.again()
  }

  close(): void {
    clearInterval(this.#timer)
    for (const connection of this.#connections) connection.close()
  }

  #use(line: number, send: Send): void {
    this.#current = line
    this.#options.onLine(send)
  }

  /** Goes over the next one where this one stands still. */
  #look(): void {
    if (this.#current === null || this.#open.size < 2 || this.#options.stalledMs() < STALLED_MS) return
    const lines = [...this.#open]
    const next = lines[(lines.findIndex(([line]) => line === this.#current) + 1) % lines.length]
    if (next) this.#use(...next)
  }

  #lost(line: number): void {
    this.#open.delete(line)
    if (this.#current !== line) return
    this.#current = null
    const [next] = this.#open
    if (next) this.#use(...next)
    else this.#options.onNoLine()
  }
}
