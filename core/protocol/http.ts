import { z } from 'zod'
import { AgentFacts, AgentSession, AttemptFrame, HeldAttempt, InspectedFile } from './frames.ts'
import { Grant } from './grants.ts'
import { AgentId, AttemptId, ClaimToken, TaskId } from './ids.ts'
import { ExecutionSpec } from './specs.ts'

/** `POST /action` on a gateway. Idempotent by (task_id, claim_token). */
export const ActionRequest = z.strictObject({
  task_id: TaskId,
  claim_token: ClaimToken,
  execution_id: AttemptId,
  spec: ExecutionSpec,
  grant: Grant,
})
export type ActionRequest = z.infer<typeof ActionRequest>

/** `POST /cancel/{execution_id}`: the agent is named, since the gateway may never have seen the dispatch. */
export const CancelRequest = z.strictObject({ agent_id: AgentId })

/** `POST /v1/report`: frames in any mix of attempts, in order of `seq` within one. Frames repeated change nothing. */
export const ReportRequest = z.strictObject({
  gateway_id: z.uuid(),
  agent_id: AgentId,
  frames: z.array(AttemptFrame).min(1).max(500),
})
export type ReportRequest = z.infer<typeof ReportRequest>

/**
 * For each attempt of the report: the last `seq` the ledger has, and whether its result is in. `unknown` names
 * attempts the ledger never had; the agent may forget them.
 */
export const ReportResponse = z.object({
  acks: z.array(z.object({ execution_id: AttemptId, seq: z.int(), result: z.boolean() })),
  unknown: z.array(AttemptId),
})
export type ReportResponse = z.infer<typeof ReportResponse>

/** `POST /v1/register-gateway`; heartbeat is the same call again. `agents`: those connected to it now. */
export const RegisterGateway = z.strictObject({
  gateway_id: z.uuid(),
  name: z.string().min(1).max(64),
  url: z.url(),
  agents: z.array(AgentId).max(1000),
})
export type RegisterGateway = z.infer<typeof RegisterGateway>
export const RegisterGatewayResponse = z.object({ gateway_id: z.uuid(), heartbeat_s: z.number() })

/**
 * `POST /v1/register-worker`, by a gateway when an agent says hello and again every heartbeat. 401 when the
 * credential is wrong or revoked. `cancel`: attempts to be killed; `forget`: attempts nobody waits for.
 */
export const RegisterWorker = z.strictObject({
  gateway_id: z.uuid(),
  agent_id: AgentId,
  credential: z.string().min(16).max(256),
  /** True for the call that answers a hello: only then does `attempts` tell what was lost. */
  hello: z.boolean(),
  /** As in the hello. */
  session: AgentSession.optional(),
  facts: AgentFacts,
  attempts: z.array(HeldAttempt).max(10_000),
})
export type RegisterWorker = z.infer<typeof RegisterWorker>
export const RegisterWorkerResponse = z.object({
  agent_id: AgentId,
  cancel: z.array(AttemptId),
  forget: z.array(AttemptId),
})

/** `POST /inspect` on the gateway: what files of an agent hold. */
export const InspectRequest = z.strictObject({
  agent_id: AgentId,
  paths: z.array(z.string().min(1).max(4096)).min(1).max(64),
})
export const InspectResponse = z.object({ files: z.array(InspectedFile) })

/**
 * `POST /enroll` on the gateway and `POST /v1/agents/enroll` on the API. The code works once. `known`: who the sender
 * was so far, proved by the SHA-256 (hex) of its credential, so that it stays that agent.
 */
export const EnrollRequest = z.strictObject({
  code: z.string().min(8).max(64),
  name: z.string().min(1).max(64),
  machine_id: z.string().min(1).max(128),
  known: z
    .strictObject({ agent_id: AgentId, credential_hash: z.string().regex(/^[0-9a-f]{64}$/) })
    .optional(),
})
/** `name`: what the agent is called from now on, which another's may have changed (`vm-2`). */
export const EnrollResponse = z.object({
  agent_id: AgentId,
  name: z.string().optional(),
  credential: z.string(),
  control_key: z.string(),
})

export const ErrorBody = z.object({
  error: z.object({ code: z.string(), message: z.string(), details: z.unknown().optional() }),
})
