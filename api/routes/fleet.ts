import type { FastifyInstance } from 'fastify'
import type { Deps } from '../../core/deps.ts'
import { enrolAgent } from '../../core/fleet/enrolAgent.ts'
import { HEARTBEAT_S, registerGateway } from '../../core/fleet/registerGateway.ts'
import { registerWorker } from '../../core/fleet/registerWorker.ts'
import { EnrollRequest, RegisterGateway, RegisterWorker, ReportRequest } from '../../core/protocol/http.ts'
import { recordFrames } from '../../core/runs/recordFrames.ts'
import type { requireScope } from '../auth.ts'
import { ApiError, parseBody } from '../errors.ts'

type FleetDeps = Pick<Deps, 'db' | 'bus' | 'wake' | 'redact'> & { controlKey: string }

/** What gateways call: registration, enrolment, reports. */
export function fleetRoutes(
  app: FastifyInstance,
  deps: FleetDeps,
  scope: ReturnType<typeof requireScope>,
): void {
  const gatewayOnly = { preHandler: scope('gateway') }

  app.post('/v1/register-gateway', gatewayOnly, async (request) => {
    const gateway = parseBody(RegisterGateway, request.body)
    await registerGateway(deps, gateway)
    return { gateway_id: gateway.gateway_id, heartbeat_s: HEARTBEAT_S }
  })

  app.post('/v1/register-worker', gatewayOnly, async (request) => {
    const done = await registerWorker(deps, parseBody(RegisterWorker, request.body))
    if (done.kind === 'refused') throw new ApiError(401, 'AGENT_REFUSED', done.reason)
    return { agent_id: done.agentId, cancel: done.cancel, forget: done.forget }
  })

  app.post('/v1/agents/enroll', gatewayOnly, async (request) => {
    const body = parseBody(EnrollRequest, request.body)
    const { known } = body
    const done = await enrolAgent(deps, {
      code: body.code,
      name: body.name,
      machineId: body.machine_id,
      ...(known ? { known: { agentId: known.agent_id, credentialHash: known.credential_hash } } : {}),
    })
    if (done.kind === 'bad_code')
      throw new ApiError(
        403,
        'BAD_CODE',
        'This code is unknown, used or expired. Ask for a new one with /agents in the chat.',
      )
    return {
      agent_id: done.agentId,
      name: done.name,
      credential: done.credential,
      control_key: deps.controlKey,
    }
  })

  app.post('/v1/report', gatewayOnly, async (request) =>
    recordFrames(deps, parseBody(ReportRequest, request.body)),
  )
}
