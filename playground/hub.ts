import type { BotCommand } from 'grammy/types'
import type { FormattedText } from './parseHtml.ts'
import type { Answer, StoredMessage } from './types.ts'

/** What the page is told, in order. */
type PageEvent =
  | { type: 'message'; message: StoredMessage }
  | { type: 'answer'; answer: Answer }
  | { type: 'action'; action: string }
  | { type: 'draft'; draft: Draft | null }
  | { type: 'commands'; commands: BotCommand[] }
  /** The panel's rows changed; the page asks for them. */
  | { type: 'panel' }

export type Draft = FormattedText & { draft_id: number; can_stop: boolean }
export type NumberedEvent = { id: number; event: PageEvent }

/** Tells pages and waiting tests about changes; keeps the last events for pages that come back. */
export type Hub = {
  /** Marks this run of the server, so that ids of an earlier run are not mistaken for its own. */
  readonly epoch: string
  lastId(): number
  /** Says that something changed, to whoever waits. */
  touch(): void
  publish(event: PageEvent): void
  /** Events after an id, or null when some of them are gone. */
  since(id: number): NumberedEvent[] | null
  onEvent(listener: (event: NumberedEvent) => void): () => void
  onChange(listener: () => void): () => void
}

/** `kept` events can be caught up with after a lost connection. */
export function createHub(kept = 500): Hub {
  const events: NumberedEvent[] = []
  const eventListeners = new Set<(event: NumberedEvent) => void>()
  const changeListeners = new Set<() => void>()
  let lastId = 0
  const touch = () => {
    for (const listener of [...changeListeners]) listener()
  }
  return {
    epoch: Date.now().toString(36),
    lastId: () => lastId,
    touch,
    publish(event) {
      lastId += 1
      const numbered = { id: lastId, event }
      events.push(numbered)
      if (events.length > kept) events.shift()
      for (const listener of eventListeners) listener(numbered)
      touch()
    },
    since(id) {
      const complete =
        id <= lastId && (id === lastId || (events[0]?.id ?? Number.POSITIVE_INFINITY) <= id + 1)
      return complete ? events.filter((event) => event.id > id) : null
    },
    onEvent: (listener) => listen(eventListeners, listener),
    onChange: (listener) => listen(changeListeners, listener),
  }
}

function listen<L>(listeners: Set<L>, listener: L): () => void {
  listeners.add(listener)
  return () => listeners.delete(listener)
}

/** Resolves with the first truthy value of `probe`, asked again on each change; rejects after `timeoutMs`. */
export function waitFor<T>(
  hub: Hub,
  probe: () => T | undefined | false | null,
  timeoutMs: number,
): Promise<T> {
  return new Promise((resolve, reject) => {
    const settle = (act: () => void) => {
      clearTimeout(timer)
      stop()
      act()
    }
    const look = () => {
      try {
        const value = probe()
        if (value) settle(() => resolve(value))
      } catch (error) {
        settle(() => reject(error))
      }
    }
    const timer = setTimeout(
      () => settle(() => reject(new Error(`waitFor: nothing within ${timeoutMs} ms: ${probe}`))),
      timeoutMs,
    )
    const stop = hub.onChange(look)
    look()
  })
}
