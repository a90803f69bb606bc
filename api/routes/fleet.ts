import { enrolAgent } from '../../core/fleet/enrolAgent.ts'
import { HEARTBEAT_S, registerGateway } from '../../core/fleet/registerGateway.ts'
import { registerWorker } from '../../core/fleet/registerWorker.ts'
import {
  EnrollRequest,
  EnrollResponse,
  RegisterGateway,
  RegisterGatewayResponse,
  RegisterWorker,
  RegisterWorkerResponse,
  ReportRequest,
  ReportResponse,
} from '../../core/protocol/http.ts'
import { recordFrames } from '../../core/runs/recordFrames.ts'
import { ApiError } from '../errors.ts'
import { ok, type Route, route } from '../route.ts'

/** What gateways call: registration, enrolment, reports. */
export const fleetRoutes: readonly Route[] = [
  route({
    method: 'POST',
    url: '/v1/register-gateway',
    scope: 'gateway',
    summary: 'A gateway says where it is and which agents it holds; its heartbeat is the same call.',
    body: RegisterGateway,
    answers: { 200: RegisterGatewayResponse },
    async handler(deps, { body }) {
      await registerGateway(deps, body)
      return ok({ gateway_id: body.gateway_id, heartbeat_s: HEARTBEAT_S })
    },
  }),
  route({
    method: 'POST',
    url: '/v1/register-worker',
    scope: 'gateway',
    summary: 'An agent said hello to a gateway: its credential is checked, its facts are kept.',
    body: RegisterWorker,
    answers: { 200: RegisterWorkerResponse },
    errors: { 401: 'AGENT_REFUSED: the credential is wrong, or the agent was revoked.' },
    async handler(deps, { body }) {
      const done = await registerWorker(deps, body)
      if (done.kind === 'refused') throw new ApiError(401, 'AGENT_REFUSED', done.reason)
      return ok({ agent_id: done.agentId, cancel: done.cancel, forget: done.forget })
    },
  }),
  route({
    method: 'POST',
    url: '/v1/agents/enroll',
    scope: 'gateway',
    summary: 'Uses a one-time code up, and makes the sender an agent.',
    body: EnrollRequest,
    answers: { 200: EnrollResponse },
    errors: { 403: 'BAD_CODE: the code is unknown, used or expired.' },
    async handler(deps, { body }) {
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
      const { agentId, name, credential } = done
      return ok({ agent_id: agentId, name, credential, control_key: deps.controlKey })
    },
  }),
  route({
    method: 'POST',
    url: '/v1/report',
    scope: 'gateway',
    summary: 'Frames of attempts, in order of `seq` within each. Repeated frames change nothing.',
    body: ReportRequest,
    answers: { 200: ReportResponse },
    async handler(deps, { body }) {
      return ok(await recordFrames(deps, body))
    },
  }),
]
