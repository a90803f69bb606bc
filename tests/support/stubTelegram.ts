import { createServer, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/** A Bot API that hands out whatever updates it is given, valid or not, and takes down what the bot sends. */
export class StubTelegram {
  readonly sent: { method: string; payload: Record<string, unknown> }[] = []
  url = ''
  #updates: { update_id: number }[] = []
  #poll: ServerResponse | null = null
  #server: Server | null = null
  #listeners = new Set<() => void>()

  async start(): Promise<this> {
    const server = createServer((req, res) => {
      const chunks: Buffer[] = []
      req.on('data', (chunk: Buffer) => chunks.push(chunk))
      req.on('end', () =>
        this.#answer(req.url?.split('/').at(-1) ?? '', Buffer.concat(chunks).toString(), res),
      )
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    this.#server = server
    this.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    return this
  }

  give(...updates: { update_id: number }[]): void {
    this.#updates.push(...updates)
    this.#hand()
  }

  /** Texts that were sent to a chat. */
  texts(chatId: number): string[] {
    return this.sent.filter((s) => s.payload.chat_id === chatId).map((s) => String(s.payload.text ?? ''))
  }

  until(probe: () => boolean, timeout = 10_000): Promise<void> {
    return new Promise((resolve, reject) => {
      const end = (act: () => void) => {
        clearTimeout(timer)
        this.#listeners.delete(look)
        act()
      }
      const look = () => {
        if (probe()) end(resolve)
      }
      const timer = setTimeout(
        () =>
          end(() =>
            reject(new Error(`not within ${timeout} ms: ${probe}\n${JSON.stringify(this.sent.slice(-5))}`)),
          ),
        timeout,
      )
      this.#listeners.add(look)
      look()
    })
  }

  #answer(method: string, body: string, res: ServerResponse): void {
    const payload = body.startsWith('{') ? (JSON.parse(body) as Record<string, unknown>) : {}
    if (method === 'getUpdates') {
      this.#take(payload, res)
      return
    }
    const me = { id: 1, is_bot: true, first_name: 'SKYNET', username: 'skynet_bot' }
    this.sent.push({ method, payload })
    this.#ok(
      res,
      method === 'getMe'
        ? me
        : { message_id: this.sent.length, date: 0, chat: { id: payload.chat_id, type: 'private' } },
    )
    for (const listener of [...this.#listeners]) listener()
  }

  #take(payload: Record<string, unknown>, res: ServerResponse): void {
    const offset = Number(payload.offset ?? 0)
    this.#updates = this.#updates.filter((u) => u.update_id >= offset)
    this.#poll = res
    res.once('close', () => {
      if (this.#poll === res) this.#poll = null
    })
    this.#hand()
  }

  #hand(): void {
    if (!this.#poll || this.#updates.length === 0) return
    const poll = this.#poll
    this.#poll = null
    this.#ok(poll, this.#updates.slice(0, 100))
  }

  #ok(res: ServerResponse, result: unknown): void {
    res.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ ok: true, result }))
  }

  async stop(): Promise<void> {
    this.#server?.closeAllConnections()
    await new Promise((resolve) => this.#server?.close(resolve))
  }
}
