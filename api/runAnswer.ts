import { z } from 'zod'
import { type ApprovalLine, approvalsOf } from '../core/approvals/listApprovals.ts'
import { rungs } from '../core/recovery/ladder.ts'
import { type AttemptLine, listAttempts } from '../core/runs/listAttempts.ts'
import { findRun, type RunView, type TaskView, viewRun } from '../core/runs/viewRun.ts'
import { waitingWords } from '../core/scheduling/waitingFor.ts'
import type { Sql } from '../core/storage/sql.ts'
import { ApprovalAnswer, At, approvalAnswer, iso, isoOrNull, statusOf, VerdictAnswer } from './answers.ts'
import { ApiError } from './errors.ts'

const AttemptAnswer = z.object({
  id: z.uuid(),
  number: z.int(),
  status: statusOf('attempt'),
  agent_id: z.uuid(),
  gateway_id: z.uuid().nullable(),
  claimed_at: At,
  accepted_at: At.nullable(),
  started_at: At.nullable(),
  ended_at: At.nullable(),
  exit_code: z.int().nullable(),
  signal: z.string().nullable(),
})

const TaskAnswer = z.object({
  id: z.uuid(),
  key: z.string(),
  title: z.string(),
  milestone: z.string().nullable(),
  status: statusOf('task'),
  action: z.string(),
  spec: z.record(z.string(), z.unknown()).describe('What the agent gets; its hash is part of the plan hash.'),
  verdict: VerdictAnswer,
  agent_id: z.uuid().nullable(),
  agent_name: z.string().nullable(),
  cwd: z.string(),
  depends_on: z.array(z.string()),
  waiting_for: z.string().nullable(),
  started_at: At.nullable(),
  ended_at: At.nullable(),
  attempts: z.array(AttemptAnswer),
  result: z.unknown(),
  error: z.object({ code: z.string(), message: z.string() }).nullable(),
})

/** What every answer about runs says of one. */
export const runFields = {
  id: z.uuid(),
  number: z.int(),
  status: statusOf('run'),
  summary: z.string().nullable(),
  asked_by: z.string().nullable(),
  agent_name: z.string().nullable(),
  created_at: At,
  ended_at: At.nullable(),
}

export const RunAnswer = z.object({
  ...runFields,
  kind: z.enum(['command', 'request', 'api', 'look']),
  request: z.string(),
  chat_id: z.int().nullable(),
  cwd: z.string().nullable(),
  started_at: At.nullable(),
  cancel_asked_at: At.nullable(),
  error: z
    .looseObject({ code: z.string(), message: z.string(), hint: z.string().optional() })
    .nullable()
    .describe('Why it was refused or failed before anything ran, and what to do next.'),
  plan: z
    .object({
      version: z.int(),
      plan_hash: z.string(),
      source: z.looseObject({ kind: z.string() }),
      milestones: z.array(
        z.object({
          key: z.string(),
          title: z.string(),
          started_at: At.nullable(),
          ended_at: At.nullable(),
          outcome: z.string().nullable(),
        }),
      ),
    })
    .nullable(),
  tasks: z.array(TaskAnswer),
  approval: ApprovalAnswer.nullable().describe('What waits for an answer now.'),
  approvals: z.array(ApprovalAnswer),
  recoveries: z
    .array(
      z.object({
        task: z.string().describe('Key of the task that failed.'),
        rung: z.enum(rungs),
        by: z.enum(['rule', 'model', 'person']),
        status: statusOf('recovery'),
        failure: z.string(),
        came_of: z.string().nullable(),
        note: z.string().nullable(),
        plan_version: z.int().nullable(),
      }),
    )
    .describe('What was tried after failures, oldest first, and whether it helped.'),
})
export type RunAnswer = z.input<typeof RunAnswer>

/** `12` or a run's id, as it stands in an address. */
export const RunParams = z.strictObject({ id: z.string().describe('Id of a run, or its number.') })

/** The id of a run that is named by id or number. Throws 404. */
export async function runIdOf(sql: Sql, named: string): Promise<string> {
  const id = /^\d{1,9}$/.test(named)
    ? await findRun(sql, Number(named))
    : z.uuid().safeParse(named).success
      ? ((await sql.query<{ id: string }>('SELECT id FROM run WHERE id = $1', [named]))[0]?.id ?? null)
      : null
  if (id) return id
  throw new ApiError(404, 'NOT_FOUND', `There is no run ${named.slice(0, 40)}.`)
}

/** All of a run. Throws 404 when it is not there. */
export async function runAnswer(sql: Sql, runId: string): Promise<RunAnswer> {
  const run = await viewRun(sql, runId)
  if (!run) throw new ApiError(404, 'NOT_FOUND', 'There is no such run.')
  const [attempts, approvals] = await Promise.all([listAttempts(sql, runId), approvalsOf(sql, runId)])
  return { ...headOf(run), ...partsOf(run, attempts, approvals) }
}

const headOf = (run: RunView) => ({
  id: run.id,
  number: run.number,
  status: run.status,
  summary: run.summary,
  asked_by: run.personName,
  agent_name: run.agentName,
  created_at: iso(run.createdAt),
  ended_at: isoOrNull(run.endedAt),
  kind: run.kind,
  request: run.request,
  chat_id: run.chatId,
  cwd: run.cwd,
  started_at: isoOrNull(run.startedAt),
  cancel_asked_at: isoOrNull(run.cancelAt),
  error: run.error,
})

function partsOf(run: RunView, attempts: readonly AttemptLine[], approvals: readonly ApprovalLine[]) {
  const asked = approvals.map(approvalAnswer)
  const own = Map.groupBy(attempts, (attempt) => attempt.taskId)
  return {
    plan: planOf(run),
    tasks: run.tasks.map((task) => taskAnswer(task, own.get(task.id) ?? [])),
    approval: asked.findLast(({ status }) => status === 'pending') ?? null,
    approvals: asked,
    recoveries: run.recoveries.map(({ key, cameOf, planVersion, rung, by, status, failure, note }) => ({
      ...{ task: key, rung, by, status, failure, note },
      ...{ came_of: cameOf, plan_version: planVersion },
    })),
  }
}

const planOf = ({ planHash, planVersion, source, milestones }: RunView): RunAnswer['plan'] =>
  planHash === null || source === null
    ? null
    : {
        version: planVersion,
        plan_hash: planHash,
        source,
        milestones: milestones.map((milestone) => ({
          key: milestone.key,
          title: milestone.title,
          started_at: isoOrNull(milestone.startedAt),
          ended_at: isoOrNull(milestone.endedAt),
          outcome: milestone.outcome,
        })),
      }

const taskAnswer = (task: TaskView, attempts: readonly AttemptLine[]): z.input<typeof TaskAnswer> => ({
  id: task.id,
  key: task.key,
  title: task.title,
  milestone: task.milestone,
  status: task.status,
  action: task.action,
  spec: task.spec,
  verdict: task.verdict,
  agent_id: task.agentId,
  agent_name: task.agentName,
  cwd: task.cwd,
  depends_on: task.dependsOn,
  waiting_for: task.waiting && waitingWords(task.waiting),
  started_at: isoOrNull(task.startedAt),
  ended_at: isoOrNull(task.endedAt),
  attempts: attempts.map(attemptAnswer),
  result: task.result,
  error: task.error,
})

const attemptAnswer = (attempt: AttemptLine): z.input<typeof AttemptAnswer> => ({
  id: attempt.id,
  number: attempt.number,
  status: attempt.status,
  agent_id: attempt.agentId,
  gateway_id: attempt.gatewayId,
  claimed_at: iso(attempt.claimedAt),
  accepted_at: isoOrNull(attempt.acceptedAt),
  started_at: isoOrNull(attempt.startedAt),
  ended_at: isoOrNull(attempt.endedAt),
  exit_code: attempt.exitCode,
  signal: attempt.signal,
})
