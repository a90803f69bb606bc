import { z } from 'zod'
import type { ApprovalLine } from '../core/approvals/listApprovals.ts'
import { machines } from '../core/events/states.ts'
import { risks } from '../core/policy/verdict.ts'

/** What several endpoints answer. */

export const At = z.iso.datetime()
export const iso = (at: Date): string => at.toISOString()
export const isoOrNull = (at: Date | null): string | null => at?.toISOString() ?? null

export const statusOf = <M extends keyof typeof machines>(machine: M) =>
  z.enum(Object.keys(machines[machine]) as [Extract<keyof (typeof machines)[M], string>])

export const Risk = z.enum(risks)
const judged = {
  verdict: z.enum(['allow', 'ask', 'deny']),
  risk: Risk,
  rule: z.string(),
  reason: z.string(),
  network: z.boolean(),
}
/** What policy says; `parts`: the same for each simple command found. */
export const VerdictAnswer = z.object({
  ...judged,
  parts: z.array(z.object({ text: z.string(), ...judged })),
})

export const ApprovalAnswer = z.object({
  id: z.uuid(),
  code: z.string(),
  run_id: z.uuid(),
  run_number: z.int(),
  summary: z.string(),
  status: statusOf('approval'),
  risk: Risk,
  plan_hash: z.string().describe('Send this back with the decision.'),
  plan_version: z.int(),
  quorum: z.int(),
  created_at: At,
  expires_at: At,
  decided_at: At.nullable(),
  decisions: z.array(z.object({ by: z.string(), decision: z.string(), at: At })),
})

export const approvalAnswer = (line: ApprovalLine): z.input<typeof ApprovalAnswer> => ({
  id: line.id,
  code: line.code,
  run_id: line.runId,
  run_number: line.runNumber,
  summary: line.summary,
  status: line.status,
  risk: line.risk,
  plan_hash: line.planHash,
  plan_version: line.planVersion,
  quorum: line.quorum,
  created_at: iso(line.createdAt),
  expires_at: iso(line.expiresAt),
  decided_at: isoOrNull(line.decidedAt),
  decisions: line.decisions.map(({ name, decision, at }) => ({ by: name, decision, at })),
})
