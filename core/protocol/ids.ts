import { z } from 'zod'

/** Ids are UUIDs made by the control plane; an execution id is the attempt's id. */
export const RunId = z.uuid()
export const TaskId = z.uuid()
export const AttemptId = z.uuid()
export const AgentId = z.uuid()
/** The fencing token of one claim: 22 to 43 characters of base64url. A stale one is refused everywhere. */
export const ClaimToken = z.string().regex(/^[A-Za-z0-9_-]{22,43}$/)
/** Lower-case hexadecimal SHA-256. */
export const Sha256 = z.string().regex(/^[0-9a-f]{64}$/)
