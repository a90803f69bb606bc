import type { ServerResponse } from 'node:http'
import type { NumberedEvent } from './hub.ts'
import type { World } from './world.ts'

const heartbeatMs = 15_000

/**
 * Streams changes to a page as server-sent events, from the event after `after` (`epoch-number`) on.
 * When those are gone, or belong to another run of the server, it says `reset`: load the state anew.
 */
export function streamEvents(world: Pick<World, 'hub'>, res: ServerResponse, after: string): void {
  const { hub } = world
  res.writeHead(200, {
    'content-type': 'text/event-stream',
    'cache-control': 'no-store',
    'x-accel-buffering': 'no',
  })
  const write = ({ id, event }: NumberedEvent) =>
    res.write(`id: ${hub.epoch}-${id}\ndata: ${JSON.stringify(event)}\n\n`)
  const missed = missedEvents(hub, after)
  res.write(missed ? ': welcome\n\n' : 'event: reset\ndata: {}\n\n')
  for (const event of missed ?? []) write(event)
  const stop = hub.onEvent(write)
  const heartbeat = setInterval(() => res.write(': still here\n\n'), heartbeatMs)
  res.on('close', () => {
    stop()
    clearInterval(heartbeat)
  })
}

function missedEvents(hub: World['hub'], after: string): NumberedEvent[] | null {
  const [epoch, id] = after.split('-')
  return epoch === hub.epoch && id !== undefined && /^\d+$/.test(id) ? hub.since(Number(id)) : null
}
