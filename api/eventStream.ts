import { once } from 'node:events'
import type { FastifyRequest } from 'fastify'
import type { EventPage, LedgerEvent } from '../core/events/readEvents.ts'
import { tellFault } from '../core/storage/tellFault.ts'
import { iso } from './answers.ts'
import type { RouteDeps } from './deps.ts'
import type { Reader, Streamed } from './stream.ts'

/** Looked at this often besides, in case a notice was lost or another transaction held an event back. */
const POLL_MS = 500
/** Under many changes the ledger is read no more often than this. */
const GAP_MS = 25
/** A reader hears something this often. */
const HEARTBEAT_MS = 15_000

/** Where events come from, and, for a stream that ends, with what. */
export type Source = {
  read(after: string): Promise<EventPage>
  /** The last words, once there is nothing more to come after this cursor. */
  end?(after: string): Promise<object | null>
}

/** One event as programs see it. */
export const eventAnswer = ({ cursor, seq, type, data, at, ...event }: LedgerEvent) => ({
  cursor,
  seq,
  type,
  run_id: event.run_id,
  task_id: event.task_id,
  attempt_id: event.attempt_id,
  approval_id: event.approval_id,
  agent_id: event.agent_id,
  data,
  at: iso(at),
})

const messageFor = (event: LedgerEvent): string =>
  `id: ${event.cursor}\ndata: ${JSON.stringify(eventAnswer(event))}\n\n`

/**
 * Follows the ledger for one reader from `after` on: each event once, in order, as server-sent events whose id is the
 * cursor. The next page is read once the reader has taken the last. Ends with the source, with the reader, or when
 * the token of the request is revoked; while the database is away it waits.
 */
export function follow(deps: RouteDeps, request: FastifyRequest, after: string, source: Source): Streamed {
  return async (reader) => {
    const state = { cursor: after, heardAt: performance.now() }
    const write = async (text: string) => {
      state.heardAt = performance.now()
      return reader.write(text)
    }
    await write('retry: 1000\n\n')
    while (!reader.gone.aborted) {
      const change = nextChange(deps, reader)
      try {
        if ((await step(state, source, write)) === 'ended') return
        if (!(await deps.guard.holds(request))) return
      } catch (error) {
        tellFault(deps.log, `${request.url} [${request.id}]`, error)
      }
      if (performance.now() - state.heardAt > HEARTBEAT_MS)
        await write(`: still here\nid: ${state.cursor}\n\n`)
      await change
    }
  }
}

/** Writes what there is now. */
async function step(
  state: { cursor: string },
  source: Source,
  write: (text: string) => Promise<boolean>,
): Promise<'ended' | 'open'> {
  for (;;) {
    const { events, cursor, more } = await source.read(state.cursor)
    if (events.length > 0 && !(await write(events.map(messageFor).join('')))) return 'ended'
    state.cursor = cursor
    if (more) continue
    const end = await source.end?.(cursor)
    if (!end) return 'open'
    await write(`event: end\ndata: ${JSON.stringify(end)}\n\n`)
    return 'ended'
  }
}

/** Resolves a little after the next notice that something changed, after a while, or when the reader is gone. */
async function nextChange({ bus }: Pick<RouteDeps, 'bus'>, { gone }: Reader): Promise<void> {
  if (gone.aborted) return
  const heard = new AbortController()
  const both = AbortSignal.any([gone, heard.signal])
  let timer = setTimeout(() => heard.abort(), POLL_MS)
  const hear = () => {
    for (const stop of stops) stop()
    clearTimeout(timer)
    timer = setTimeout(() => heard.abort(), GAP_MS)
  }
  const stops = [bus.subscribe('run.changed', hear), bus.subscribe('agents', hear)]
  if (!both.aborted) await once(both, 'abort')
  clearTimeout(timer)
  for (const stop of stops) stop()
}
