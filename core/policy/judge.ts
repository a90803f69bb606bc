import type { ActionCall } from '../protocol/actions.ts'
import { judgeAction } from './judgeAction.ts'
import type { Policy } from './policySchema.ts'
import { combineParts, notUnderstood, type PolicyContext, type Verdict } from './verdict.ts'

export type { Policy } from './policySchema.ts'
export type { Part, PolicyContext, Risk, Verdict } from './verdict.ts'

/**
 * Judges one call for one machine: allow, ask or deny, with the risk, the rule and the reason, and the same for every
 * part found in it. Pure: the same input gives the same answer, nothing is looked up. Never throws; what breaks the
 * judge is denied, since it was made to.
 */
export function judge(call: ActionCall, context: PolicyContext, policy: Policy): Verdict {
  try {
    return combineParts(judgeAction(call, context, policy))
  } catch {
    return combineParts([
      {
        ...notUnderstood(String(call?.action), 'the policy cannot read this at all'),
        verdict: 'deny',
        risk: 'critical',
      },
    ])
  }
}
