import type { JournalledAttempt } from './journal/attempt.ts'
import type { Journal } from './journal/journal.ts'

/** Frames on their way that the ledger has not acknowledged: enough to fill a slow line, little enough to hold. */
const WINDOW_BYTES = 1024 * 1024
const WINDOW_FRAMES = 1000

type Line = { send(text: string): boolean }

/**
 * Sends journalled frames, in order within an attempt and in turn between attempts, and again over each new
 * connection until they are acknowledged.
 */
export class Delivery {
  readonly #journal: Journal
  #line: Line | null = null
  #epoch = 0
  #bytes = 0
  #frames = 0
  /** When the ledger last took something, or the oldest frame on its way was sent. */
  #movedAt = 0
  /** Attempts that may have frames not sent over this connection. */
  readonly #ready = new Set<JournalledAttempt>()

  constructor(journal: Journal) {
    this.#journal = journal
  }

  /** The agent was welcomed on a new connection: everything unacknowledged goes out again. */
  connected(line: Line): void {
    this.#line = line
    this.#epoch++
    this.#movedAt = performance.now()
    this.#bytes = 0
    this.#frames = 0
    for (const attempt of this.#journal.attempts.values())
      if (attempt.pending.length > 0) this.#ready.add(attempt)
    this.#pump()
  }

  disconnected(): void {
    this.#line = null
  }

  /** The attempt has new frames in the journal. */
  wake(attempt: JournalledAttempt): void {
    this.#ready.add(attempt)
    this.#pump()
  }

  /** Answers a repeated dispatch or cancel with how the attempt was taken and how it ended. */
  again(attempt: JournalledAttempt): void {
    this.#pump()
    for (const ref of attempt.answers) this.#line?.send(this.#journal.read(ref))
  }

  /** A frame that is not of the journal; lost when nobody is there. */
  sendLoose(text: string): void {
    this.#pump()
    this.#line?.send(text)
  }

  acked(attempt: JournalledAttempt, seq: number): void {
    const sent = attempt.sentOver === this.#epoch ? attempt.sent : 0
    const gone = this.#journal.ack(attempt, seq)
    if (gone.length > 0) this.#movedAt = performance.now()
    for (const ref of gone.slice(0, sent)) {
      this.#bytes -= ref.length
      this.#frames--
    }
    this.#pump()
  }

  /** Milliseconds for which frames have been on their way without any being acknowledged. */
  get stalledMs(): number {
    return this.#line && this.#frames > 0 ? performance.now() - this.#movedAt : 0
  }

  /** Whether every frame of every attempt is acknowledged. */
  get idle(): boolean {
    return [...this.#journal.attempts.values()].every((attempt) => attempt.pending.length === 0)
  }

  #pump(): void {
    while (this.#line && this.#ready.size > 0 && this.#bytes < WINDOW_BYTES && this.#frames < WINDOW_FRAMES) {
      for (const attempt of this.#ready) {
        this.#ready.delete(attempt)
        if (this.#sendNext(attempt)) this.#ready.add(attempt)
        break
      }
    }
  }

  /** Sends the attempt's next frame; whether it may have more. */
  #sendNext(attempt: JournalledAttempt): boolean {
    if (attempt.sentOver !== this.#epoch) {
      attempt.sentOver = this.#epoch
      attempt.sent = 0
    }
    const ref = attempt.pending[attempt.sent]
    if (!ref || !this.#line?.send(this.#journal.read(ref))) return false
    if (this.#frames === 0) this.#movedAt = performance.now()
    attempt.sent++
    this.#bytes += ref.length
    this.#frames++
    return true
  }
}
