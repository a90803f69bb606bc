import type { ActionCall } from '../protocol/actions.ts'
import type { Policy } from './loadPolicy.ts'
import { combineParts, notUnderstood, type PolicyContext, type Verdict } from './verdict.ts'

export type { Decision, Part, PolicyContext, Risk, Verdict } from './verdict.ts'
export type { Policy } from './loadPolicy.ts'

export function judge(call: ActionCall, _context: PolicyContext, _policy: Policy): Verdict {
  return combineParts([notUnderstood(call.action)])
}
