import { setTimeout as delay } from 'node:timers/promises'
import { z } from 'zod'
import { listMachines } from '../../core/fleet/machineFacts.ts'
import type { RouteDeps } from '../deps.ts'
import { answer, type Route, route } from '../route.ts'

/** Milliseconds the database may take. */
const PATIENCE_MS = 3000

const Health = z.object({
  status: z.enum(['ok', 'degraded']),
  /** `ok`, or what is wrong, for each part. */
  parts: z.object({
    database: z.string(),
    queue: z.string(),
    bot: z.string(),
    gateway: z.string(),
    agent: z.string(),
  }),
})
type Parts = z.infer<typeof Health>['parts']

/** `/v1/health`: 200 once all parts of this installation answer, else 503, with each part's state. */
export const healthRoutes: readonly Route[] = [
  route({
    method: 'GET',
    url: '/v1/health',
    scope: null,
    summary: 'Whether all parts of this installation answer: 200, else 503, with the state of each.',
    answers: { 200: Health, 503: Health },
    deadlineMs: 2 * PATIENCE_MS,
    async handler(deps) {
      const parts = await partsOf(deps)
      const well = Object.values(parts).every((state) => state === 'ok')
      return well ? answer(200, { status: 'ok', parts }) : answer(503, { status: 'degraded', parts })
    },
  }),
]

async function partsOf(deps: Pick<RouteDeps, 'db' | 'bus' | 'botReady'>): Promise<Parts> {
  const queue = deps.bus.connected() ? 'ok' : 'does not answer'
  const bot = deps.botReady() ? 'ok' : 'starting'
  const fleet = await Promise.race([fleetParts(deps), delay(PATIENCE_MS, null, { ref: false })]).catch(
    () => null,
  )
  return fleet
    ? { database: 'ok', queue, bot, ...fleet }
    : { database: 'does not answer', queue, bot, gateway: 'unknown', agent: 'unknown' }
}

async function fleetParts(deps: Pick<RouteDeps, 'db'>): Promise<Pick<Parts, 'gateway' | 'agent'>> {
  const machines = await listMachines(deps.db)
  const gateways = await deps.db.query(
    "SELECT 1 FROM gateway WHERE last_seen_at > clock_timestamp() - interval '20 s'",
  )
  return {
    gateway: gateways.length > 0 ? 'ok' : 'none is connected',
    agent: machines.some((m) => m.connected) ? 'ok' : 'none is connected',
  }
}
