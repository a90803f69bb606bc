import { Agent as HttpAgent, request as httpRequest, type IncomingMessage } from 'node:http'
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https'

const TIMEOUT_MS = 15_000
const MAX_ANSWER_BYTES = 8 * 1024 * 1024

export type ApiAnswer = { status: number; body: unknown }

/** The control plane's REST API as a gateway uses it: kept-alive connections, JSON, the gateway's own bearer. */
export class Api {
  readonly #url: URL
  readonly #headers: Record<string, string>
  readonly #agent: HttpAgent | HttpsAgent
  readonly #request: typeof httpRequest

  constructor(url: string, token: string) {
    this.#url = new URL(url)
    const secure = this.#url.protocol === 'https:'
    const options = { keepAlive: true, maxSockets: 64, noDelay: true }
    this.#agent = secure ? new HttpsAgent(options) : new HttpAgent(options)
    this.#request = secure ? httpsRequest : httpRequest
    this.#headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' }
  }

  /**
   * Posts JSON; resolves with whatever the API answered, also with errors. Rejects when there was no answer. A
   * kept connection that the API had closed meanwhile is tried once more at once: all of these calls may repeat.
   */
  async post(path: string, body: unknown): Promise<ApiAnswer> {
    const text = JSON.stringify(body)
    try {
      return await this.#once(path, text)
    } catch (error) {
      if (error instanceof StaleConnection) return this.#once(path, text)
      throw error
    }
  }

  close(): void {
    this.#agent.destroy()
  }

  #once(path: string, text: string): Promise<ApiAnswer> {
    return new Promise((resolve, reject) => {
      const headers = { ...this.#headers, 'content-length': String(Buffer.byteLength(text)) }
      const target = new URL(this.#url.pathname.replace(/\/+$/, '') + path, this.#url)
      const outgoing = this.#request(target, {
        method: 'POST',
        headers,
        agent: this.#agent,
        timeout: TIMEOUT_MS,
      })
      outgoing.on('response', (response) => readAnswer(response).then(resolve, reject))
      outgoing.on('timeout', () => outgoing.destroy(new Error('the API did not answer in time')))
      outgoing.on('error', (error) =>
        reject(outgoing.reusedSocket ? new StaleConnection(error.message) : error),
      )
      outgoing.end(text)
    })
  }
}

class StaleConnection extends Error {}

async function readAnswer(response: IncomingMessage): Promise<ApiAnswer> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of response as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size > MAX_ANSWER_BYTES) throw new Error('the API answered with too much')
    chunks.push(chunk)
  }
  return { status: response.statusCode ?? 0, body: parse(Buffer.concat(chunks).toString('utf8')) }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}
