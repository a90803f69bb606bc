import type { ApprovalView, RunView } from '../../core/runs/viewRun.ts'
import type { Buttons } from './buttons.ts'

/** What a pending question can be answered with. `armed`: the first of the two taps that a dangerous one takes is done. */
export function approvalButtons(run: RunView, approval: ApprovalView, armed: boolean): Buttons {
  const bound = { approvalId: approval.id, planHash: approval.planHash }
  const dangerous = approval.risk === 'high' || approval.risk === 'critical'
  const machine = run.tasks[0]?.agentName ?? 'it'
  const deny = {
    text: 'Deny',
    style: 'danger' as const,
    action: { do: 'decide' as const, ...bound, decision: 'denied' as const },
  }
  const details = { text: 'Details', action: { do: 'details' as const, approvalId: approval.id } }
  const revise = { text: 'Revise', action: { do: 'revise' as const, approvalId: approval.id } }
  if (dangerous && armed) {
    return [
      [
        {
          text: `Yes, on ${machine}`,
          style: 'danger',
          action: { do: 'decide', ...bound, decision: 'approved' },
        },
      ],
      [{ text: 'Back', action: { do: 'arm', ...bound, armed: false } }],
    ]
  }
  const approve = dangerous
    ? { text: 'Approve', style: 'success' as const, action: { do: 'arm' as const, ...bound, armed: true } }
    : {
        text: 'Approve',
        style: 'success' as const,
        action: { do: 'decide' as const, ...bound, decision: 'approved' as const },
      }
  const more = { text: 'More…', action: { do: 'more' as const, ...bound } }
  // Steps that join a plan which goes on are taken or left as they are.
  const changes = run.status === 'awaiting_approval' ? [revise] : []
  const ahead = approval.risk === 'critical' ? [] : [more]
  return [[approve], [deny, details], [...changes, ...ahead]].filter((row) => row.length > 0)
}

/** What nobody answered in time can be asked once more, as long as nothing else became of its run. */
export const againButton = (run: RunView, approval: ApprovalView): Buttons =>
  approval.status === 'expired' && run.status === 'expired'
    ? [[{ text: 'Ask again', action: { do: 'ask_again', approvalId: approval.id } }]]
    : []
