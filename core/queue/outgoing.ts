import { setTimeout as sleep } from 'node:timers/promises'
import type { Addressed, Message } from './topics.ts'

/** Messages that wait for the wire at most; beyond, they become one that says so. */
const MAX_WAITING = 1000
/** The wire carries no more than this at a time: PostgreSQL refuses notifications of 8,000 bytes. */
const MAX_BYTES = 7500
/** Text of a log message on the wire; the ledger has it whole. */
const MAX_TEXT = 1100
/** Between two turns of the wire. */
const GAP_MS = 10
const FIRST_PAUSE_MS = 200
const MAX_PAUSE_MS = 5000

/**
 * What is to go to other processes: a bounded queue in front of a wire that may be slow or away. Equal messages
 * become one, log lines of one attempt the newest of them; one batch is on its way at a time. What cannot be kept or
 * sent is counted, and the next batch says `lost`, upon which readers look at the ledger.
 */
export class Outgoing {
  /** Messages that others were not sent, all in all. */
  dropped = 0
  readonly #send: (messages: Addressed[]) => Promise<unknown>
  readonly #waiting = new Map<string, Addressed>()
  #pumping = false
  #closed = false

  constructor(send: (messages: Addressed[]) => Promise<unknown>) {
    this.#send = send
  }

  put(one: Addressed): void {
    const key = keyOf(one)
    const before = this.#waiting.get(key)
    if (!before && this.#waiting.size >= MAX_WAITING) this.#lose([...this.#waiting.values()])
    this.#waiting.set(key, before ? merged(before, one) : one)
    this.#pump()
  }

  close(): void {
    this.#closed = true
  }

  /** Readers are told to look at the ledger: that covers whatever waits now. */
  #lose(messages: Addressed[]): void {
    this.dropped += messages.length
    this.#waiting.clear()
    this.#waiting.set('lost', { topic: 'lost', message: {} })
  }

  #pump(): void {
    if (this.#pumping) return
    this.#pumping = true
    setImmediate(() => void this.#drain())
  }

  async #drain(): Promise<void> {
    for (let failures = 0; this.#waiting.size > 0 && !this.#closed; ) {
      const batch = this.#take()
      try {
        await this.#send(batch)
        failures = 0
        await sleep(GAP_MS, undefined, { ref: false })
      } catch {
        this.#lose([...batch, ...this.#waiting.values()])
        await sleep(Math.min(MAX_PAUSE_MS, FIRST_PAUSE_MS * 2 ** failures++), undefined, { ref: false })
      }
    }
    this.#pumping = false
  }

  #take(): Addressed[] {
    const batch: Addressed[] = []
    let bytes = 200
    for (const [key, one] of this.#waiting) {
      const cut = shortened(one)
      bytes += Buffer.byteLength(JSON.stringify(cut)) + 1
      if (batch.length > 0 && bytes > MAX_BYTES) break
      batch.push(cut)
      this.#waiting.delete(key)
    }
    return batch
  }
}

function keyOf({ topic, message }: Addressed): string {
  switch (topic) {
    case 'log':
      return `log ${message.attemptId}`
    case 'run.changed':
      return `run.changed ${message.runId}`
    default:
      return topic
  }
}

/** Lines that follow each other become one message; where some are missing, the newer tells it by its `after`. */
function merged(before: Addressed, next: Addressed): Addressed {
  if (before.topic !== 'log' || next.topic !== 'log' || next.message.after !== before.message.seq) return next
  const { after, text } = before.message
  const message: Message<'log'> = { ...next.message, after, text: lastOf(text + next.message.text) }
  return { topic: 'log', message }
}

const shortened = (one: Addressed): Addressed =>
  one.topic === 'log' ? { topic: 'log', message: { ...one.message, text: lastOf(one.message.text) } } : one

const lastOf = (text: string): string => text.slice(-MAX_TEXT)
