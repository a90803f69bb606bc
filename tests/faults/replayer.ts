import { once } from 'node:events'
import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Random } from './random.ts'

const KEPT = 300

type Call = { method: string; path: string; headers: IncomingMessage['headers']; body: Buffer }

const isTaken = ({ status }: { status: number }): boolean => status >= 200 && status < 300

/** Passes HTTP on to a port; now and then a call that was taken goes out twice, and an old one once more behind newer ones. */
export class Replayer {
  twice = 0
  again = 0
  /** Of a hundred calls, how many go out twice, and behind how many an old one follows. */
  percent = 0
  readonly #target: number
  readonly #paths: RegExp
  readonly #random: Random
  readonly #kept: Call[] = []
  readonly #server: Server

  constructor(target: number, paths: RegExp, random: Random) {
    this.#target = target
    this.#paths = paths
    this.#random = random
    this.#server = createServer((incoming, outgoing) => {
      this.#take(incoming, outgoing).catch(() => outgoing.destroy())
    })
    this.#server.keepAliveTimeout = 65_000
  }

  async listen(): Promise<this> {
    this.#server.listen(0, '127.0.0.1')
    await once(this.#server, 'listening')
    return this
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  close(): void {
    this.#server.close()
    this.#server.closeAllConnections()
  }

  async #take(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const chunks: Buffer[] = []
    for await (const chunk of incoming as AsyncIterable<Buffer>) chunks.push(chunk)
    const { method = 'GET', url: path = '/', headers } = incoming
    const call = { method, path, headers, body: Buffer.concat(chunks) }
    const isOurs = this.#paths.test(path)
    const isTwice = isOurs && this.#random.chance(this.percent / 100)
    if (isTwice) this.twice++
    const answer = await this.#send(call)
    if (isTwice && isTaken(answer)) await this.#send(call).catch(() => {})
    outgoing.writeHead(answer.status, { 'content-type': 'application/json' }).end(answer.body)
    if (isOurs && isTaken(answer)) this.#remember(call)
  }

  #remember(call: Call): void {
    this.#kept.push(call)
    if (this.#kept.length > KEPT) this.#kept.shift()
    if (!this.#random.chance(this.percent / 100)) return
    this.again++
    this.#send(this.#random.pick(this.#kept)).catch(() => {})
  }

  #send({ method, path, headers, body }: Call): Promise<{ status: number; body: Buffer }> {
    return new Promise((resolve, reject) => {
      const { authorization = '', 'content-type': type = 'application/json' } = headers
      const outgoing = request({
        host: '127.0.0.1',
        port: this.#target,
        method,
        path,
        headers: { authorization, 'content-type': type, 'content-length': body.length },
        timeout: 30_000,
      })
      outgoing.on('timeout', () => outgoing.destroy(new Error('no answer')))
      outgoing.on('error', reject)
      outgoing.on('response', (response) => {
        const chunks: Buffer[] = []
        response.on('data', (chunk: Buffer) => chunks.push(chunk))
        response.on('error', reject)
        response.on('end', () => resolve({ status: response.statusCode ?? 502, body: Buffer.concat(chunks) }))
      })
      outgoing.end(body)
    })
  }
}
