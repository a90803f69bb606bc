import type { FastifyInstance } from 'fastify'
import type { Deps } from '../../core/deps.ts'
import { listMachines } from '../../core/fleet/machineFacts.ts'

/** `/v1/health`: 200 once all parts of this installation answer, else 503, with each part's state. */
export function healthRoutes(
  app: FastifyInstance,
  deps: Pick<Deps, 'db'> & { botReady: () => boolean },
): void {
  app.get('/v1/health', async (_request, reply) => {
    const parts = await partsOf(deps)
    const ok = Object.values(parts).every((state) => state === 'ok')
    return reply.status(ok ? 200 : 503).send({ status: ok ? 'ok' : 'degraded', parts })
  })
}

async function partsOf(
  deps: Pick<Deps, 'db'> & { botReady: () => boolean },
): Promise<Record<string, string>> {
  const bot = deps.botReady() ? 'ok' : 'starting'
  try {
    const machines = await listMachines(deps.db)
    const gateways = await deps.db.query(
      "SELECT 1 FROM gateway WHERE last_seen_at > clock_timestamp() - interval '20 s'",
    )
    return {
      database: 'ok',
      bot,
      gateway: gateways.length > 0 ? 'ok' : 'none is connected',
      agent: machines.some((m) => m.connected) ? 'ok' : 'none is connected',
    }
  } catch {
    return { database: 'does not answer', bot, gateway: 'unknown', agent: 'unknown' }
  }
}
