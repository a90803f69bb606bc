import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  sign,
  verify,
} from 'node:crypto'
import { z } from 'zod'
import { attemptHash, canonicalJson, specHash } from './hash.ts'
import { AgentId, AttemptId, ClaimToken, Sha256, TaskId } from './ids.ts'
import type { ExecutionSpec } from './specs.ts'

/** Minutes a grant lives: it binds starting only. */
export const GRANT_TTL_MINUTES = 30

export const GrantPayload = z.strictObject({
  v: z.literal(1),
  execution_id: AttemptId,
  task_id: TaskId,
  claim_token: ClaimToken,
  agent_id: AgentId,
  machine_id: z.string(),
  spec_hash: Sha256,
  plan_hash: Sha256,
  /** Of what the spec has of the attempt's own; grants of before it was signed as well lack it. */
  attempt_hash: Sha256.optional(),
  issued_at: z.iso.datetime(),
  expires_at: z.iso.datetime(),
})
export type GrantPayload = z.infer<typeof GrantPayload>

/**
 * The signed permission that travels with an attempt. `signature`: base64url Ed25519 over the canonical payload. `chain`:
 * how the key that signed follows from those before it, once there were any (keyChain.ts reads it).
 */
export const Grant = z.strictObject({
  payload: GrantPayload,
  signature: z.string().max(128),
  chain: z.array(z.unknown()).max(64).optional(),
})
export type Grant = z.infer<typeof Grant>

/** A new Ed25519 key pair: the private key as PKCS#8 PEM, the public one as base64url of its SPKI DER. */
export function newSigningKey(): { privatePem: string; publicKey: string } {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519')
  return {
    privatePem: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    publicKey: publicKey.export({ type: 'spki', format: 'der' }).toString('base64url'),
  }
}

export const publicKeyOf = (privatePem: string): string =>
  createPublicKey(createPrivateKey(privatePem)).export({ type: 'spki', format: 'der' }).toString('base64url')

export const readPublicKey = (publicKey: string): KeyObject =>
  createPublicKey({ key: Buffer.from(publicKey, 'base64url'), type: 'spki', format: 'der' })

export function signGrant(payload: GrantPayload, key: KeyObject): Grant {
  return { payload, signature: sign(null, Buffer.from(canonicalJson(payload)), key).toString('base64url') }
}

export type GrantFault =
  | 'malformed'
  | 'signature'
  | 'expired'
  | 'other_agent'
  | 'other_machine'
  | 'other_attempt'
  | 'other_spec'

/**
 * Whether `grant` lets this agent start exactly `spec` as attempt `executionId` now. Returns null when it does,
 * else the first thing wrong. Pure; the caller says what time it is.
 */
export function grantFault(
  grant: unknown,
  want: { spec: ExecutionSpec; executionId: string; agentId: string; machineId: string; now: Date },
  controlKeys: KeyObject | readonly KeyObject[],
): GrantFault | null {
  const parsed = Grant.safeParse(grant)
  if (!parsed.success) return 'malformed'
  const { payload, signature } = parsed.data
  const [text, bytes] = [Buffer.from(canonicalJson(payload)), Buffer.from(signature, 'base64url')]
  if (![controlKeys].flat().some((key) => verify(null, text, key, bytes))) return 'signature'
  if (Date.parse(payload.expires_at) <= want.now.getTime()) return 'expired'
  if (payload.agent_id !== want.agentId || want.spec.agent_id !== want.agentId) return 'other_agent'
  if (payload.machine_id !== want.machineId || want.spec.machine_id !== want.machineId) return 'other_machine'
  const sameAttempt =
    payload.execution_id === want.executionId &&
    payload.task_id === want.spec.task_id &&
    payload.claim_token === want.spec.claim_token
  if (!sameAttempt) return 'other_attempt'
  if (payload.attempt_hash !== undefined && payload.attempt_hash !== attemptHash(want.spec))
    return 'other_attempt'
  return payload.spec_hash === specHash(want.spec) ? null : 'other_spec'
}
