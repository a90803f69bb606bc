import { setTimeout as delay } from 'node:timers/promises'
import type { Random } from '../random.ts'

/** An update, and when Telegram sends it for the first time. */
type Due = { at: number; body: string }

/** Sends updates to whichever bot takes them now, as Telegram does: until one says 200. */
export class Updates {
  /** Where updates were taken last. */
  serving = 0
  sent = 0
  twice = 0
  readonly #ports: readonly number[]
  readonly #secret: string
  readonly #random: Random
  readonly #again = new Set<Promise<void>>()

  constructor(ports: readonly number[], secret: string, random: Random) {
    this.#ports = ports
    this.#secret = secret
    this.#random = random
  }

  /**
   * Sends them all, `perSecond`; each up to a second early or late, so that they overtake each other, and of a hundred
   * `percentTwice` once more, up to five seconds later.
   */
  async send(updates: readonly object[], perSecond: number, percentTwice: number): Promise<void> {
    const due = updates.map(
      (update, i): Due => ({
        at: (i / perSecond) * 1000 + this.#random.between(-1000, 1000),
        body: JSON.stringify(update),
      }),
    )
    const twice = due.filter(() => this.#random.chance(percentTwice / 100))
    const all = [...due, ...twice.map(({ at, body }) => ({ at: at + this.#random.between(0, 5000), body }))]
    all.sort((a, b) => a.at - b.at)
    this.twice += twice.length
    const began = performance.now()
    for (const { at, body } of all) {
      await delay(Math.max(0, began + at - performance.now()))
      const sending = this.#untilTaken(body)
      this.#again.add(sending)
      void sending.finally(() => this.#again.delete(sending))
      // Telegram keeps 40 requests to one webhook open.
      while (this.#again.size >= 40) await Promise.race(this.#again)
    }
    await Promise.all(this.#again)
  }

  async #untilTaken(body: string): Promise<void> {
    for (let turn = this.serving; ; turn++) {
      if (await this.#post(turn % this.#ports.length, body)) break
      await delay(100)
    }
    this.sent++
  }

  async #post(to: number, body: string): Promise<boolean> {
    try {
      const response = await fetch(`http://127.0.0.1:${this.#ports[to]}/`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'x-telegram-bot-api-secret-token': this.#secret },
        body,
        signal: AbortSignal.timeout(10_000),
      })
      await response.arrayBuffer()
      if (response.ok) this.serving = to
      return response.ok
    } catch {
      return false
    }
  }
}
