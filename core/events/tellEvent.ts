import { jsonText } from '../storage/jsonText.ts'
import type { Sql } from '../storage/sql.ts'
import { machines } from './states.ts'

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
  'recovery.begun',
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
  'gateway.breaker_opened',
  'gateway.breaker_closed',
  'person.role',
  'person.entitled',
  'approval.asked_again',
  'standing.given',
  'standing.used',
  'standing.revoked',
  'keys.rotated',
  'token.made',
  'token.revoked',
  'code.made',
  'page.opened',
  'settings.changed',
  'policy.changed',
  'chat.paired',
  'chat.blocked',
  'guide.found',
  'guide.brought',
  'guide.reviewed',
  'guide.renamed',
  'guide.removed',
  'lockdown',
  'memory.stored',
  'memory.corrected',
  'memory.forgotten',
] as const
export type OtherEvent = (typeof otherEvents)[number]

/** Every type an event can have. */
export const eventTypes: readonly string[] = [
  ...otherEvents,
  ...Object.entries(machines).flatMap(([machine, table]) =>
    Object.keys(table).map((status) => `${machine}.${status}`),
  ),
]

export type EventSubject = {
  runId?: string | null
  taskId?: string
  attemptId?: string
  approvalId?: string
  agentId?: string | null
}

export type Told = { type: OtherEvent; subject: EventSubject; data: Record<string, unknown> }

/** Writes an event; call it in the transaction of the change it tells of. */
export const tellEvent = (
  tx: Sql,
  type: OtherEvent,
  subject: EventSubject,
  data: Record<string, unknown> = {},
): Promise<void> => tellEvents(tx, [{ type, subject, data }])

/** Writes events in this order, in one statement. */
export async function tellEvents(tx: Sql, events: readonly Told[]): Promise<void> {
  const ids = (pick: (subject: EventSubject) => string | null | undefined) =>
    events.map(({ subject }) => pick(subject) ?? null)
  await tx.query(
    `INSERT INTO event (type, run_id, task_id, attempt_id, approval_id, agent_id, data)
     SELECT * FROM unnest($1::text[], $2::uuid[], $3::uuid[], $4::uuid[], $5::uuid[], $6::uuid[], $7::jsonb[])`,
    [
      events.map(({ type }) => type),
      ids((s) => s.runId),
      ids((s) => s.taskId),
      ids((s) => s.attemptId),
      ids((s) => s.approvalId),
      ids((s) => s.agentId),
      events.map(({ data }) => jsonText(data)),
    ],
  )
}
