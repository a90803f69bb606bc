import { once } from 'node:events'
import type { ServerResponse } from 'node:http'

/** Milliseconds a reader may take nothing before it is cut off; it goes on with Last-Event-ID. */
const STALLED_MS = 60_000

/** What is written to: it waits for the reader, so that at most one piece is held for it. */
export type Reader = {
  /** Resolves once there is room for more; false when the reader is gone. */
  write(text: string): Promise<boolean>
  /** Aborted when the reader is gone or the server stops. */
  gone: AbortSignal
}

/** The body of an answer that goes on: writes until it is done or the reader is gone. */
export type Streamed = (reader: Reader) => Promise<void>

/** The answers that go on at present. */
export class Streams {
  readonly #open = new Map<AbortController, Promise<void>>()

  get size(): number {
    return this.#open.size
  }

  /** Lets `body` write to a response whose head is sent, then ends it. */
  async serve(response: ServerResponse, body: Streamed): Promise<void> {
    const ending = new AbortController()
    response.once('close', () => ending.abort())
    response.on('error', () => ending.abort())
    // The reader may have left before the answer began.
    if (response.closed || response.destroyed) ending.abort()
    const serving = body(readerOf(response, ending)).finally(() => response.end())
    this.#open.set(ending, serving)
    await serving.finally(() => this.#open.delete(ending))
  }

  /** Ends all of them; resolves when none reads the ledger any more. */
  async stop(): Promise<void> {
    const open = [...this.#open]
    for (const [ending] of open) ending.abort()
    await Promise.allSettled(open.map(([, serving]) => serving))
  }
}

function readerOf(response: ServerResponse, ending: AbortController): Reader {
  const { signal } = ending
  return {
    gone: signal,
    write: async (text) => {
      if (signal.aborted) return false
      if (response.write(text)) return true
      const stalled = setTimeout(() => {
        response.destroy()
        ending.abort()
      }, STALLED_MS)
      await once(response, 'drain', { signal }).catch(() => {})
      clearTimeout(stalled)
      return !signal.aborted
    },
  }
}
