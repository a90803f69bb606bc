import { z } from 'zod'
import { countStates, readPressure } from '../../core/fleet/countStates.ts'
import manifest from '../../package.json' with { type: 'json' }
import { ok, type Route, route } from '../route.ts'

const Counts = z.record(z.string(), z.int())
const There = z.object({ known: z.int(), connected: z.int() })

const SystemState = z.object({
  lockdown: z.boolean().describe('Nothing starts while it is on.'),
  runs: Counts.describe('How many are in each status.'),
  tasks: Counts,
  attempts: Counts,
  approvals: Counts,
  queue: z.object({ queued: z.int(), oldest_s: z.number().describe('How long the oldest of them waits.') }),
  deliveries: z.object({ pending: z.int(), failed: z.int() }),
  agents: There,
  gateways: There,
  versions: z.object({ skynet: z.string(), node: z.string(), postgres: z.string(), policy: z.string() }),
})

const ProviderHealth = z.object({
  name: z.string(),
  models: z.array(z.string()).describe('The first is asked first.'),
  planner: z.boolean().describe('Whether this one plans.'),
  health: z.enum(['ok', 'failing', 'unknown']).describe('`unknown`: nothing was measured yet.'),
})

/** How the whole of it stands. */
export const systemRoutes: readonly Route[] = [
  route({
    method: 'GET',
    url: '/v1/system-state',
    scope: 'read',
    summary: 'Counts of everything by status, what waits, who is there, and the versions.',
    answers: { 200: SystemState },
    async handler({ db, policy }) {
      const [counts, now] = await Promise.all([countStates(db), readPressure(db)])
      return ok({
        lockdown: now.lockdown,
        runs: counts.run,
        tasks: counts.task,
        attempts: counts.attempt,
        approvals: counts.approval,
        queue: { queued: now.queued, oldest_s: now.oldestQueuedS },
        deliveries: { pending: now.deliveriesPending, failed: now.deliveriesFailed },
        agents: { known: now.agents, connected: now.agentsConnected },
        gateways: { known: now.gateways, connected: now.gatewaysConnected },
        versions: {
          skynet: manifest.version,
          node: process.versions.node,
          postgres: now.postgres,
          policy: policy.version,
        },
      })
    },
  }),
  route({
    method: 'GET',
    url: '/v1/providers/health',
    scope: 'read',
    summary: 'The language models that are set up, in the order they are asked.',
    answers: { 200: z.object({ providers: z.array(ProviderHealth) }) },
    async handler({ model, providers = model ? [{ name: model.provider, models: [model.model] }] : [] }) {
      return ok({
        providers: providers.map(({ name, models }) => ({
          name,
          models: [...models],
          planner: model?.provider === name,
          health: 'unknown' as const,
        })),
      })
    },
  }),
]
