import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Random } from '../random.ts'

/** What may come over a call: refused for a second, two kinds of fault, cut off before it was taken, or after it. */
const faults = ['429', '500', '502', 'reset', 'lost'] as const
type Fault = (typeof faults)[number]
/** A message as the chat shows it now. */
export type Message = { chatId: number; text: string; edits: number }

/** Calls that show something. */
const showing = new Set(['sendMessage', 'editMessageText', 'sendDocument'])

/** A Telegram that keeps what it was sent, and does to a share of the calls what Telegram does now and then. */
export class Telegram {
  readonly messages = new Map<number, Message>()
  readonly faults = new Map<Fault, number>()
  /** Of the calls that show something, how many in a hundred meet a fault, until there were `most` of them. */
  percent = 0
  most = 0
  readonly #random: Random
  readonly #server: Server

  constructor(random: Random) {
    this.#random = random
    this.#server = createServer((request, response) => {
      this.#take(request, response).catch(() => response.destroy())
    })
  }

  async start(): Promise<this> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve))
    return this
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  get injected(): number {
    return [...this.faults.values()].reduce((a, b) => a + b, 0)
  }

  close(): void {
    this.#server.close()
    this.#server.closeAllConnections()
  }

  async #take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = []
    for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk)
    const method = request.url?.split('/').at(-1) ?? ''
    const text = Buffer.concat(chunks).toString()
    const payload = (text.startsWith('{') ? JSON.parse(text) : {}) as Record<string, unknown>
    const fault = this.#fault(method)
    switch (fault) {
      case null:
        return answer(response, 200, { ok: true, result: this.#do(method, payload) })
      case '429': {
        const parameters = { retry_after: 1 }
        return answer(response, 429, {
          ok: false,
          error_code: 429,
          description: 'Too Many Requests',
          parameters,
        })
      }
      case '500':
        return answer(response, 500, { ok: false, error_code: 500, description: 'Internal Server Error' })
      case '502':
        response.writeHead(502, { 'content-type': 'text/html' }).end('<h1>Bad Gateway</h1>')
        return
      case 'reset':
        request.socket.resetAndDestroy()
        return
      case 'lost':
        this.#do(method, payload)
        request.socket.destroy()
    }
  }

  #fault(method: string): Fault | null {
    if (!showing.has(method) || this.injected >= this.most || !this.#random.chance(this.percent / 100))
      return null
    const fault = this.#random.pick(faults)
    this.faults.set(fault, (this.faults.get(fault) ?? 0) + 1)
    return fault
  }

  #do(method: string, payload: Record<string, unknown>): unknown {
    const [chatId, text] = [Number(payload.chat_id), String(payload.text ?? '')]
    if (method === 'getMe') return { id: 1, is_bot: true, first_name: 'SKYNET', username: 'skynet_bot' }
    if (method === 'sendMessage' || method === 'sendDocument') {
      const message_id = this.messages.size + 1
      this.messages.set(message_id, { chatId, text, edits: 0 })
      return { message_id, date: 0, chat: { id: chatId, type: 'private' } }
    }
    if (method === 'editMessageText') {
      const message = this.messages.get(Number(payload.message_id))
      if (message) {
        message.text = text
        message.edits++
      }
    }
    return true
  }
}

function answer(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
}
