import { z } from 'zod'
import { machines } from '../../core/events/states.ts'
import { ActionNameSchema } from '../../core/protocol/actions.ts'
import type { AttemptRow, TaskRow } from '../../core/tasks/listTasks.ts'

const names = <T extends object>(table: T): [keyof T & string, ...(keyof T & string)[]] =>
  Object.keys(table) as [keyof T & string, ...(keyof T & string)[]]

export const TaskStatusSchema = z.enum(names(machines.task))
export const DispatchSchema = z.enum(['push', 'pull'])
const Time = z.iso.datetime().nullable()
const Fault = z.looseObject({ code: z.string(), message: z.string() }).nullable()

export const VerdictSchema = z.object({
  verdict: z.enum(['allow', 'ask', 'deny']),
  risk: z.enum(['low', 'medium', 'high', 'critical']),
  rule: z.string(),
  reason: z.string(),
  network: z.boolean(),
  parts: z.array(
    z.object({
      text: z.string(),
      verdict: z.enum(['allow', 'ask', 'deny']),
      risk: z.enum(['low', 'medium', 'high', 'critical']),
      rule: z.string(),
      reason: z.string(),
      network: z.boolean(),
    }),
  ),
})

/** A task as programs see it. */
export const TaskSchema = z.object({
  task_id: z.uuid(),
  run_id: z.uuid(),
  run_number: z.int(),
  key: z.string(),
  title: z.string(),
  status: TaskStatusSchema,
  action: ActionNameSchema,
  effect: z.enum(['read', 'write']),
  params: z.record(z.string(), z.unknown()),
  spec_hash: z.string(),
  plan_hash: z.string(),
  agent_id: z.uuid(),
  agent_name: z.string(),
  machine_id: z.string(),
  cwd: z.string(),
  required_files: z.array(z.string()),
  owns: z.array(z.string()),
  timeout_s: z.int(),
  network: z.boolean(),
  /** Names of the secrets it is given. */
  secrets: z.array(z.string()),
  verdict: VerdictSchema,
  dispatch: DispatchSchema,
  capabilities: z.array(z.string()),
  priority: z.int(),
  attempts_made: z.int(),
  max_attempts: z.int(),
  dependencies: z.array(z.uuid()),
  approval_id: z.uuid().nullable(),
  waiting_for: z.string().nullable(),
  lease_until: Time,
  result: z.looseObject({ status: z.string(), summary: z.string() }).nullable(),
  error: Fault,
  created_at: z.iso.datetime(),
  queued_at: Time,
  started_at: Time,
  ended_at: Time,
})

export const AttemptSchema = z.object({
  execution_id: z.uuid(),
  number: z.int(),
  status: z.enum(names(machines.attempt)),
  agent_id: z.uuid(),
  agent_name: z.string().nullable(),
  containment: z.string().nullable(),
  exit_code: z.int().nullable(),
  signal: z.string().nullable(),
  error: Fault,
  claimed_at: z.iso.datetime(),
  accepted_at: Time,
  started_at: Time,
  ended_at: Time,
  cancel_at: Time,
  exited_at: Time,
})

const time = (date: Date | null): string | null => date?.toISOString() ?? null

/** A task of the ledger in the form of `TaskSchema`. */
export function taskBody({ id, spec, effect, ...task }: TaskRow): z.input<typeof TaskSchema> {
  return {
    ...task,
    task_id: id,
    effect: effect === 'read' ? 'read' : 'write',
    params: spec.params,
    required_files: spec.required_files,
    timeout_s: spec.timeout_s,
    network: spec.network,
    secrets: spec.secrets ?? [],
    lease_until: time(task.lease_until),
    created_at: task.created_at.toISOString(),
    queued_at: time(task.queued_at),
    started_at: time(task.started_at),
    ended_at: time(task.ended_at),
  }
}

/** An attempt of the ledger in the form of `AttemptSchema`. */
export function attemptBody({ id, ...attempt }: AttemptRow): z.input<typeof AttemptSchema> {
  return {
    ...attempt,
    execution_id: id,
    status: attempt.status as z.input<typeof AttemptSchema>['status'],
    claimed_at: attempt.claimed_at.toISOString(),
    accepted_at: time(attempt.accepted_at),
    started_at: time(attempt.started_at),
    ended_at: time(attempt.ended_at),
    cancel_at: time(attempt.cancel_at),
    exited_at: time(attempt.exited_at),
  }
}
