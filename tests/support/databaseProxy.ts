import { once } from 'node:events'
import { type AddressInfo, createConnection, createServer, type Socket } from 'node:net'

/**
 * A way to a database that can be cut (connections break, new ones are refused a partner) or made silent (nothing
 * arrives any more, nobody is told), and mended again.
 */
export async function proxyDatabase(url: string): Promise<DatabaseProxy> {
  const proxy = new DatabaseProxy(new URL(url))
  await proxy.listen()
  return proxy
}

export class DatabaseProxy {
  readonly #target: URL
  readonly #server = createServer((socket) => this.#join(socket))
  readonly #sockets = new Set<Socket>()
  #state: 'open' | 'cut' | 'silent' = 'open'

  constructor(target: URL) {
    this.#target = target
  }

  get url(): string {
    const { port } = this.#server.address() as AddressInfo
    const url = new URL(this.#target)
    url.search = ''
    url.hostname = '127.0.0.1'
    url.port = String(port)
    return url.href
  }

  async listen(): Promise<void> {
    this.#server.listen(0, '127.0.0.1')
    await once(this.#server, 'listening')
  }

  cut(): void {
    this.#state = 'cut'
    for (const socket of this.#sockets) socket.destroy()
  }

  silence(): void {
    this.#state = 'silent'
    for (const socket of this.#sockets) socket.pause()
  }

  mend(): void {
    this.#state = 'open'
    for (const socket of this.#sockets) socket.resume()
  }

  async close(): Promise<void> {
    this.cut()
    this.#server.close()
    await once(this.#server, 'close')
  }

  #join(near: Socket): void {
    const socketDir = this.#target.searchParams.get('host')
    const port = Number(this.#target.searchParams.get('port') ?? this.#target.port)
    const far = socketDir
      ? createConnection(`${socketDir}/.s.PGSQL.${port}`)
      : createConnection(port, this.#target.hostname)
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      this.#sockets.add(one)
      one.on('error', () => {})
      one.on('data', (chunk) => void other.write(chunk))
      one.once('close', () => {
        this.#sockets.delete(one)
        other.destroy()
      })
      if (this.#state === 'silent') one.pause()
      if (this.#state === 'cut') one.destroy()
    }
  }
}
