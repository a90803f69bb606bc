import { z } from 'zod'
import { failpoint } from '../core/config/failpoint.ts'
import { MAX_FRAME_BYTES } from '../core/protocol/frames.ts'
import { specHash } from '../core/protocol/hash.ts'
import {
  ActionRequest,
  CancelRequest,
  EnrollRequest,
  EnrollResponse,
  InspectRequest,
} from '../core/protocol/http.ts'
import { AgentId, AttemptId } from '../core/protocol/ids.ts'
import type { AgentLink } from './agentLink.ts'
import type { Agents } from './agents.ts'
import type { Api } from './api.ts'
import type { ApiState } from './heartbeat.ts'
import { type Answer, type Call, HttpError, type RouteHandler } from './http.ts'
import type { Limiter } from './limiter.ts'
import type { Route, Routes } from './routing.ts'

export type RouteDeps = {
  agents: Agents
  routes: Routes
  api: Api
  enrolling: Limiter
  apiState(): ApiState
  health(): unknown
}

const SMALL = 64 * 1024

/** Everything the gateway answers over HTTP. */
export function gatewayRoutes(deps: RouteDeps): RouteHandler[] {
  const action = {
    method: 'POST',
    guarded: true,
    limit: MAX_FRAME_BYTES,
    handle: (call: Call) => act(deps, call),
  } as const
  return [
    { ...action, path: '/action' },
    { ...action, path: '/execute' },
    { method: 'GET', path: '/status/:id', guarded: true, limit: 0, handle: (call) => status(deps, call) },
    {
      method: 'POST',
      path: '/cancel/:id',
      guarded: true,
      limit: SMALL,
      handle: (call) => cancel(deps, call),
    },
    {
      method: 'POST',
      path: '/revoke/:id',
      guarded: true,
      limit: SMALL,
      handle: (call) => revoke(deps, call),
    },
    {
      method: 'POST',
      path: '/inspect',
      guarded: true,
      limit: 512 * 1024,
      handle: (call) => inspect(deps, call),
    },
    { method: 'GET', path: '/agents', guarded: true, limit: 0, handle: () => listAgents(deps) },
    {
      method: 'GET',
      path: '/health',
      guarded: false,
      limit: 0,
      handle: () => ({ status: 200, body: deps.health() }),
    },
    { method: 'POST', path: '/enroll', guarded: false, limit: SMALL, handle: (call) => enrol(deps, call) },
  ]
}

/**
 * Delivers an attempt to the agent its spec names. The same task and token again gets the same answer; it is sent
 * again only when the agent has reconnected since and has not said that it has it.
 */
function act({ agents, routes }: RouteDeps, { body }: Call): Answer {
  const request = readAction(body)
  const { task_id, claim_token, execution_id, spec, grant } = request
  const key = `${task_id}:${claim_token}`
  const hash = specHash(spec)
  const known = routes.byKey(key) ?? routes.byId(execution_id)
  if (known?.key) assertSame(known, key, execution_id, hash)
  const link = agents.get(spec.agent_id)
  const answer = { status: 202, body: { execution_id, agent_id: spec.agent_id } }
  if (known && (known.state !== 'delivered' || known.link === link || !link)) return answer
  failpoint('action:before')
  deliver(link, { type: 'dispatch', execution_id, spec, grant })
  failpoint('action:after')
  routes.add({
    executionId: execution_id,
    agentId: spec.agent_id,
    key,
    specHash: hash,
    state: 'delivered',
    link: link ?? null,
  })
  return answer
}

function readAction(body: unknown): ActionRequest {
  const request = read(ActionRequest, withExecutionId(body))
  if (request.task_id !== request.spec.task_id || request.claim_token !== request.spec.claim_token) {
    throw new HttpError(400, 'INVALID', 'The spec belongs to another task or claim.')
  }
  return request
}

/** A caller may leave the attempt's id out: the grant has it. */
function withExecutionId(body: unknown): unknown {
  const Named = z.looseObject({
    execution_id: z.undefined().optional(),
    grant: z.looseObject({ payload: z.looseObject({ execution_id: AttemptId }) }),
  })
  const parsed = Named.safeParse(body)
  return parsed.success ? { ...parsed.data, execution_id: parsed.data.grant.payload.execution_id } : body
}

function assertSame(known: Route, key: string, executionId: string, hash: string): void {
  if (known.key === key && known.executionId === executionId && known.specHash === hash) return
  throw new HttpError(
    409,
    'OTHER_SPEC',
    'This claim was delivered before with another spec or as another attempt.',
  )
}

type Sendable = Parameters<AgentLink['send']>[0]

function deliver(link: AgentLink | undefined, frame: Sendable): void {
  if (!link?.send(frame)) {
    throw new HttpError(
      503,
      'AGENT_OFFLINE',
      'The agent is not connected to this gateway. Start it with `skynet agent`.',
    )
  }
}

function status({ agents, routes }: RouteDeps, { id }: Call): Answer {
  const route = routes.byId(read(AttemptId, id))
  if (!route)
    throw new HttpError(404, 'NOT_FOUND', 'This gateway has not heard of the attempt; the ledger knows more.')
  const { executionId: execution_id, agentId: agent_id, state } = route
  return {
    status: 200,
    body: { execution_id, agent_id, state, agent_connected: agents.get(agent_id) !== undefined },
  }
}

function cancel({ agents }: RouteDeps, { id, body }: Call): Answer {
  const execution_id = read(AttemptId, id)
  const { agent_id } = read(CancelRequest, body)
  failpoint('cancel:before')
  deliver(agents.get(agent_id), { type: 'cancel', execution_id })
  failpoint('cancel:after')
  return { status: 202, body: { execution_id, agent_id } }
}

/** What files of an agent hold: asked before people are. */
async function inspect({ agents }: RouteDeps, { body }: Call): Promise<Answer> {
  const { agent_id, paths } = read(InspectRequest, body)
  const files = await agents.get(agent_id)?.inspect(paths)
  if (!files)
    throw new HttpError(503, 'AGENT_OFFLINE', 'The agent is not connected to this gateway, or cannot say.')
  return { status: 200, body: { files } }
}

/** Closes the connection of an agent that the control plane does not trust any more; it would be refused at the next heartbeat. */
function revoke({ agents }: RouteDeps, { id }: Call): Answer {
  const agent_id = read(AgentId, id)
  const link = agents.get(agent_id)
  link?.revoked()
  return { status: 200, body: { agent_id, was_connected: link !== undefined } }
}

function listAgents({ agents }: RouteDeps): Answer {
  const list = agents.all().map((link) => ({
    agent_id: link.agentId,
    connected_since: link.since?.toISOString() ?? null,
    ...link.facts,
  }))
  return { status: 200, body: { agents: list } }
}

/** Forwards a one-time code to the API; guessing is slowed per address and in all. */
async function enrol({ api, enrolling, apiState }: RouteDeps, { body, address }: Call): Promise<Answer> {
  if (!enrolling.take(address)) throw new HttpError(429, 'TOO_MANY', 'Too many tries. Wait a minute.')
  const request = read(EnrollRequest, body)
  const answer = await api.post('/v1/agents/enroll', request).catch(() => null)
  if (!answer || answer.status >= 500 || (answer.status === 401 && apiState() === 'refused'))
    throw new HttpError(
      503,
      'API_UNREACHABLE',
      'The control plane cannot be reached from this gateway. Try again.',
    )
  if (answer.status < 200 || answer.status > 299) return answer
  return { status: answer.status, body: read(EnrollResponse, answer.body) }
}

function read<T>(schema: z.ZodType<T>, value: unknown): T {
  const parsed = schema.safeParse(value)
  if (parsed.success) return parsed.data
  const issue = parsed.error.issues[0]
  throw new HttpError(400, 'INVALID', `${issue?.path.join('.') || 'body'}: ${issue?.message ?? 'invalid'}`)
}
