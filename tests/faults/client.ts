import type { Random } from './random.ts'

/** An API that does not answer within this is left for another. */
const TIMEOUT_MS = 3000

/** Calls the running APIs as a program does, each time one of them. */
export class Client {
  readonly #urls: readonly string[]
  readonly #token: string
  readonly #random: Random

  constructor(urls: readonly string[], token: string, random: Random) {
    this.#urls = urls
    this.#token = token
    this.#random = random
  }

  /** Whether it was taken: false when this cannot be done. Rejects when it may have been taken or not. */
  async post(path: string, body: object = {}): Promise<boolean> {
    const response = await fetch(`${this.#random.pick(this.#urls)}${path}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${this.#token}`, 'content-type': 'application/json' },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(TIMEOUT_MS),
    })
    const text = await response.text()
    if (response.status >= 500 || response.status === 429) throw new Error(`${path}: ${response.status}`)
    if (![200, 404, 409].includes(response.status)) throw new Error(`${path}: ${response.status} ${text}`)
    return response.status === 200
  }
}
