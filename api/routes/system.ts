import { z } from 'zod'
import { countStates, readPressure } from '../../core/fleet/countStates.ts'
import { usedToday } from '../../core/llm/callLedger.ts'
import { readHealth } from '../../core/llm/readHealth.ts'
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

const state = z
  .enum(['ok', 'failing', 'resting', 'unknown'])
  .describe('`resting`: not asked for now while another is well; `unknown`: not asked in the last hour.')
const ModelHealth = z.object({
  model: z.string(),
  health: state,
  fault: z.string().nullable().describe('What went wrong last, since it last answered.'),
  resting_until: z.iso.datetime().nullable(),
  success: z.number().describe('Moving share of requests that were answered, 0 to 1.'),
  first_word_ms: z
    .number()
    .nullable()
    .describe('Time to the first text, at the median of the answers of the last 24 hours, as in /usage.'),
  answered: z.int().describe('Of the last hour.'),
  failed: z.int(),
})
const ProviderHealth = z.object({
  name: z.string(),
  models: z.array(z.string()).describe('The first is asked first.'),
  planner: z.boolean().describe('Whether this one is asked first.'),
  health: state.describe('That of its best model.'),
  model_health: z.array(ModelHealth),
})
const Left = z.object({ used: z.number(), limit: z.number().nullable().describe('Null: no limit.') })
const Budget = z
  .object({ tokens: Left, usd: Left })
  .describe("What counts today, from 00:00 UTC; models on one's own machine do not.")

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
    summary:
      'The language models that are set up, in the order they are asked, how they do, and the budget of today.',
    answers: { 200: z.object({ providers: z.array(ProviderHealth), budget: Budget }) },
    async handler({ db, model, providers = model ? [{ name: model.provider, models: [model.model] }] : [] }) {
      const [health, used] = await Promise.all([readHealth(db, providers, Date.now()), usedToday(db)])
      const { dailyTokens = null, dailyUsd = null } = model?.budgets ?? {}
      return ok({
        providers: health.map(({ name, models, state, each }) => ({
          ...{ name, models: [...models], planner: model?.provider === name, health: state },
          model_health: each.map((one) => ({
            ...{ model: one.model, health: one.state, fault: one.fault, success: one.success },
            ...{ answered: one.answered, failed: one.failed, first_word_ms: one.firstMs },
            resting_until: one.restingUntil === null ? null : new Date(one.restingUntil).toISOString(),
          })),
        })),
        budget: {
          tokens: { used: used.tokens, limit: dailyTokens },
          usd: { used: used.usd, limit: dailyUsd },
        },
      })
    },
  }),
]
