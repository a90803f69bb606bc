import { z } from 'zod'
import {
  type AgentLine,
  type GatewayLine,
  listAgents,
  listGateways,
  listOwnedFiles,
} from '../../core/fleet/listFleet.ts'
import { revokeAgent } from '../../core/fleet/revokeAgent.ts'
import { AgentFacts } from '../../core/protocol/frames.ts'
import { actAs } from '../actor.ts'
import { At, iso, isoOrNull } from '../answers.ts'
import { ApiError } from '../errors.ts'
import { cut, NextCursor, pageQuery, placeOf } from '../page.ts'
import { ok, type Route, route } from '../route.ts'

const AgentAnswer = z.object({
  id: z.uuid(),
  name: z.string(),
  machine_id: z.string(),
  connected: z.boolean(),
  outside: z.boolean().describe('A program that fetches its tasks by this API.'),
  gateway_id: z.uuid().nullable(),
  last_seen_at: At.nullable(),
  disconnected_at: At.nullable(),
  running: z.int().describe('Attempts it was given that have not ended.'),
  facts: AgentFacts.nullable().describe(
    'What it told of itself last: roots, repositories, capabilities, load.',
  ),
})

const agentAnswer = (agent: AgentLine): z.input<typeof AgentAnswer> => ({
  id: agent.id,
  name: agent.name,
  machine_id: agent.machineId,
  connected: agent.connected,
  outside: agent.outside,
  gateway_id: agent.gatewayId,
  last_seen_at: isoOrNull(agent.lastSeenAt),
  disconnected_at: isoOrNull(agent.disconnectedAt),
  running: agent.running,
  facts: AgentFacts.safeParse(agent.facts).data ?? null,
})

const GatewayAnswer = z.object({
  id: z.uuid(),
  name: z.string(),
  url: z.string(),
  connected: z.boolean(),
  last_seen_at: At,
  agents: z.int().describe('Agents connected to it.'),
  success_rate: z.number().describe('Moving share of recent calls that were answered, 0 to 1.'),
  latency_ms: z.number().nullable(),
  failures: z.int().describe('Calls in a row that were not answered.'),
  open_until: At.nullable().describe('It is not called before then.'),
  probed_at: At.nullable(),
})

const gatewayAnswer = (gateway: GatewayLine): z.input<typeof GatewayAnswer> => ({
  id: gateway.id,
  name: gateway.name,
  url: gateway.url,
  connected: gateway.connected,
  last_seen_at: iso(gateway.lastSeenAt),
  agents: gateway.agents,
  success_rate: gateway.successRate,
  latency_ms: gateway.latencyMs,
  failures: gateway.failures,
  open_until: isoOrNull(gateway.openUntil),
  probed_at: isoOrNull(gateway.probedAt),
})

const OwnedAnswer = z.object({
  machine_id: z.string(),
  path: z.string().describe('A directory owns what is below it.'),
  task_id: z.uuid(),
  task: z.string(),
  run_id: z.uuid(),
  run_number: z.int(),
  taken_at: At,
})

/** Who is there to do the work, and who holds which files. */
export const machineRoutes: readonly Route[] = [
  route({
    method: 'GET',
    url: '/v1/agents',
    scope: 'read',
    summary: 'Agents, by name.',
    query: z.strictObject(pageQuery),
    answers: { 200: z.object({ agents: z.array(AgentAnswer), next_cursor: NextCursor }) },
    async handler({ db }, { query: { limit, cursor } }) {
      const rows = await listAgents(db, placeOf(z.string(), cursor), limit + 1)
      const [page, next_cursor] = cut(rows, limit, ({ name }) => name)
      return ok({ agents: page.map(agentAnswer), next_cursor })
    },
  }),
  route({
    method: 'POST',
    url: '/v1/agents/:id/revoke',
    scope: 'admin',
    summary:
      'A machine is not trusted any more: it is cut off, what it reports is refused, its tasks end or go to review.',
    description:
      'Work that runs there cannot be stopped from here. Asking again changes nothing and answers 200.',
    params: z.strictObject({ id: z.uuid() }),
    answers: {
      200: z.object({
        id: z.uuid(),
        revoked: z.literal(true),
        working: z.int().describe('Tasks of it that may go on running there.'),
      }),
    },
    errors: { 404: 'There is no such agent.' },
    async handler(deps, { params, caller }) {
      const done = await actAs(deps, caller, (tx, personId) => revokeAgent(deps, tx, params.id, personId))
      if (done.kind === 'unknown') throw new ApiError(404, 'NOT_FOUND', 'There is no such agent.')
      return ok({
        id: params.id,
        revoked: true as const,
        working: done.kind === 'revoked' ? done.working : 0,
      })
    },
  }),
  route({
    method: 'GET',
    url: '/v1/gateways',
    scope: 'read',
    summary: 'Gateways, with how well they answer.',
    query: z.strictObject(pageQuery),
    answers: { 200: z.object({ gateways: z.array(GatewayAnswer), next_cursor: NextCursor }) },
    async handler({ db }, { query: { limit, cursor } }) {
      const rows = await listGateways(db, placeOf(z.uuid(), cursor), limit + 1)
      const [page, next_cursor] = cut(rows, limit, ({ id }) => id)
      return ok({ gateways: page.map(gatewayAnswer), next_cursor })
    },
  }),
  route({
    method: 'GET',
    url: '/v1/files/ownership',
    scope: 'read',
    summary: 'Which files and directories belong to which task at present.',
    query: z.strictObject({ machine_id: z.string().max(128).optional(), ...pageQuery }),
    answers: { 200: z.object({ files: z.array(OwnedAnswer), next_cursor: NextCursor }) },
    async handler({ db }, { query: { machine_id = null, limit, cursor } }) {
      const after = placeOf(z.tuple([z.string(), z.string()]), cursor)
      const rows = await listOwnedFiles(db, machine_id, after, limit + 1)
      const [page, next_cursor] = cut(rows, limit, ({ machineId, path }) => [machineId, path])
      const files = page.map((file) => ({
        machine_id: file.machineId,
        path: file.path,
        task_id: file.taskId,
        task: file.taskKey,
        run_id: file.runId,
        run_number: file.runNumber,
        taken_at: iso(file.takenAt),
      }))
      return ok({ files, next_cursor })
    },
  }),
]
