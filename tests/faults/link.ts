import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'

type Pair = { near: Socket; far: Socket }
/** Which way bytes still pass; what does not pass waits, as it does in a network that drops packets. */
export type Passing = { up: boolean; down: boolean }

/** A stretch of network: forwards connections to a port, and can be cut, held up, or slowed. */
export class Link {
  readonly name: string
  target: number
  #passing: Passing = { up: true, down: true }
  #delayMs = 0
  readonly #pairs = new Set<Pair>()
  readonly #server: Server

  constructor(name: string, target: number) {
    this.name = name
    this.target = target
    this.#server = createServer((near) => this.#join(near))
  }

  async listen(): Promise<this> {
    this.#server.listen(0, '127.0.0.1')
    await once(this.#server, 'listening')
    return this
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`
  }

  /** Resets every connection there is. */
  cut(): void {
    for (const { near, far } of this.#pairs) {
      near.resetAndDestroy()
      far.resetAndDestroy()
    }
  }

  /** Holds up one way or both: nobody is told, nothing is lost, nothing arrives. */
  pass(passing: Passing): void {
    this.#passing = passing
    for (const pair of this.#pairs) this.#hold(pair)
  }

  /** Everything takes this much longer from now on. */
  slow(ms: number): void {
    this.#delayMs = ms
  }

  close(): void {
    this.#server.close()
    this.cut()
  }

  #join(near: Socket): void {
    const far = connect(this.target, '127.0.0.1')
    const pair = { near, far }
    this.#pairs.add(pair)
    this.#forward(near, far)
    this.#forward(far, near)
    this.#hold(pair)
    const end = () => {
      this.#pairs.delete(pair)
      near.destroy()
      far.destroy()
    }
    for (const socket of [near, far]) socket.setNoDelay().on('error', end).on('close', end)
  }

  #forward(from: Socket, to: Socket): void {
    let last = Promise.resolve()
    from.on('data', (bytes: Buffer) => {
      if (this.#delayMs === 0) {
        last = last.then(() => void to.write(bytes))
        return
      }
      const due = new Promise<void>((resolve) => setTimeout(resolve, this.#delayMs))
      last = last.then(() => due).then(() => void to.write(bytes))
    })
  }

  #hold({ near, far }: Pair): void {
    if (this.#passing.up) near.resume()
    else near.pause()
    if (this.#passing.down) far.resume()
    else far.pause()
  }
}
