import { jsonText } from '../storage/jsonText.ts'
import type { Sql } from '../storage/sql.ts'

/**
 * Events that no transition writes by itself. Those are named `<machine>.<status>`; all others stand here.
 */
export const otherEvents = [
  'run.created',
  'run.cancel_asked',
  'plan.made',
  'task.created',
  'approval.asked',
  'approval.decision',
  'approval.reminder',
  'milestone.started',
  'milestone.done',
  'attempt.claimed',
  'attempt.cancel_asked',
  'attempt.tree_exited',
  'attempt.progress',
  'agent.enrolled',
  'agent.connected',
  'agent.disconnected',
  'agent.revoked',
  'gateway.registered',
  'person.role',
  'chat.paired',
  'chat.blocked',
  'lockdown',
] as const
export type OtherEvent = (typeof otherEvents)[number]

export type EventSubject = {
  runId?: string | null
  taskId?: string
  attemptId?: string
  approvalId?: string
  agentId?: string | null
}

/** Writes an event; call it in the transaction of the change it tells of. */
export async function tellEvent(
  tx: Sql,
  type: OtherEvent,
  subject: EventSubject,
  data: Record<string, unknown> = {},
): Promise<void> {
  await tx.query(
    'INSERT INTO event (type, run_id, task_id, attempt_id, approval_id, agent_id, data) VALUES ($1, $2, $3, $4, $5, $6, $7)',
    [
      type,
      subject.runId ?? null,
      subject.taskId ?? null,
      subject.attemptId ?? null,
      subject.approvalId ?? null,
      subject.agentId ?? null,
      jsonText(data),
    ],
  )
}
