import { randomUUID } from 'node:crypto'
import { z } from 'zod'
import { type Logger, messageOf } from '../config/logger.ts'
import { Outgoing } from './outgoing.ts'
import { Addressed, type Message, type Topic } from './topics.ts'

export type { Message, Topic } from './topics.ts'

/**
 * Carries live messages between processes. Nothing waits for it and nothing depends on it: publishing costs bounded
 * memory however slow or absent the others are, and what did not get through is told as `lost`.
 */
export type Bus = {
  publish<T extends Topic>(topic: T, message: Message<T>): void
  /** Returns what ends the subscription. Own messages arrive as well. */
  subscribe<T extends Topic>(topic: T, listener: (message: Message<T>) => void): () => void
  /** Whether other processes are heard, and hear this one. */
  connected(): boolean
  /** Messages that others were not sent: too many at once, or nobody there to carry them. */
  dropped(): number
  close(): Promise<void>
}

/** What carries a text to other processes. `connected`: it is heard, and hears. */
export type Wire = { send(text: string): Promise<unknown>; connected(): boolean; close(): Promise<void> }
/** `receive`: a text came. `missed`: some may not have come, since the wire was cut. */
export type Ears = { receive(text: string): void; missed(): void }

const Envelope = z.object({ from: z.string(), messages: z.array(Addressed) })

/** A bus whose own messages arrive at once, and those of other processes over `connect`'s wire. */
export function busOver(connect: (ears: Ears) => Wire, log: Pick<Logger, 'error'>): Bus {
  const me = randomUUID()
  const listeners = new Map<Topic, Set<(message: never) => void>>()
  const hear = ({ topic, message }: Addressed): void => {
    for (const listener of [...(listeners.get(topic) ?? [])]) {
      try {
        listener(message as never)
      } catch (error) {
        log.error(`a listener for ${topic} failed: ${messageOf(error)}`)
      }
    }
  }
  const wire = connect({
    receive: (text) => {
      const parsed = Envelope.safeParse(safeJson(text))
      if (parsed.success && parsed.data.from !== me) parsed.data.messages.forEach(hear)
    },
    missed: () => hear({ topic: 'lost', message: {} }),
  })
  const outgoing = new Outgoing((messages) => wire.send(JSON.stringify({ from: me, messages })))
  return {
    publish: (topic, message) => {
      const one = { topic, message } as Addressed
      setImmediate(() => {
        hear(one)
        outgoing.put(one)
      })
    },
    subscribe: (topic, listener) => {
      const own = listeners.get(topic) ?? new Set()
      listeners.set(topic, own)
      const mine = (message: never): void => listener(message)
      own.add(mine)
      return () => own.delete(mine)
    },
    connected: wire.connected,
    dropped: () => outgoing.dropped,
    close: () => {
      outgoing.close()
      return wire.close()
    },
  }
}

const safeJson = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}
