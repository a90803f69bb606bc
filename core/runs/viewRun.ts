import type { ApprovalStatus, RecoveryStatus, RunStatus, TaskStatus } from '../events/states.ts'
import type { PlanSource } from '../planning/planRequest.ts'
import type { RunFault } from '../planning/planRun.ts'
import type { Verdict } from '../policy/judge.ts'
import type { ActionName } from '../protocol/actions.ts'
import type { ExecutionResult } from '../protocol/frames.ts'
import type { TaskAbout, TaskSpec } from '../protocol/specs.ts'
import type { FailureClass } from '../recovery/classify.ts'
import type { CameOf, Reason, Rung } from '../recovery/ladder.ts'
import { type Waiting, waitingFor } from '../scheduling/waitingFor.ts'
import type { Sql } from '../storage/sql.ts'

export type TaskView = {
  id: string
  key: string
  title: string
  milestone: string | null
  status: TaskStatus
  action: ActionName
  spec: TaskSpec
  verdict: Verdict
  agentId: string
  agentName: string
  connected: boolean
  disconnectedAt: Date | null
  home: string
  cwd: string
  /** What it waits for; null when it is at work or has ended. */
  waiting: Waiting | null
  /** The recovery that brought it into the plan. */
  recoveryId: string | null
  /** The standing approval that let it through. */
  standing: { by: string; until: Date } | null
  dependsOn: string[]
  /** What the planner says of it; null where nobody said anything. */
  about: TaskAbout | null
  startedAt: Date | null
  endedAt: Date | null
  attempts: number
  containment: string | null
  /** Whether its machine confines what it starts; null where SKYNET does not know. */
  confined: boolean | null
  leaseUntil: Date | null
  result: ExecutionResult | null
  error: { code: string; message: string } | null
}
export type ApprovalView = {
  id: string
  code: string
  planHash: string
  /** Version of the plan it asks about. */
  planVersion: number
  status: ApprovalStatus
  risk: Verdict['risk']
  /** How many different people must approve. */
  quorum: number
  expiresAt: Date
  decidedAt: Date | null
  remindedAt: Date | null
  decisions: { name: string; decision: string; at: Date }[]
}
export type MilestoneView = {
  key: string
  title: string
  startedAt: Date | null
  endedAt: Date | null
  outcome: string | null
}
/** A step of recovery, as people see it. */
export type RecoveryView = {
  id: string
  /** Key of the task that failed. */
  key: string
  rung: Rung
  by: 'rule' | 'model' | 'person'
  status: RecoveryStatus
  failure: FailureClass
  cameOf: CameOf | Reason | null
  note: string | null
  /** The version of the plan that it made. */
  planVersion: number | null
}
export type RunView = {
  id: string
  number: number
  /** `look`: taken by the planner before it asks a model. */
  kind: 'command' | 'request' | 'api' | 'look'
  status: RunStatus
  request: string
  /** Its words are somebody else's, sent on. */
  forwarded?: boolean
  summary: string | null
  personId: string | null
  personName: string | null
  cancelledByName: string | null
  chatId: number | null
  topicId: number
  messageId: number | null
  agentName: string | null
  agentHome: string
  cwd: string | null
  connected: boolean
  planVersion: number
  error: RunFault | null
  source: PlanSource | null
  /** What language models came to for all of it; null when none was asked. `unpriced`: tokens of unknown price. */
  used?: { tokens: number; usd: number; unpriced: number } | null
  planHash: string | null
  /** What a revision changed against the version before; null for a first version. */
  change: string | null
  /** Why exactly a change in words came to nothing; null where it did not. */
  changeFault: string | null
  /** The tasks of that version. */
  replaced: { key: string; spec: TaskSpec }[] | null
  createdAt: Date
  startedAt: Date | null
  endedAt: Date | null
  cancelAt: Date | null
  tasks: TaskView[]
  milestones: MilestoneView[]
  approvals: ApprovalView[]
  /** What was tried after failures, oldest first. */
  recoveries: RecoveryView[]
}

const jsonArray = (select: string): string => `coalesce((SELECT json_agg(x) FROM (${select}) x), '[]')`

/** One statement for all that a card shows. Times inside arrays come as ISO text and are read back as dates. */
const query = `
  SELECT r.id, r.number, r.kind, r.status, r.request, r.forwarded, r.summary, r.person_id AS "personId", p.name AS "personName", c.name AS "cancelledByName",
    r.chat_id AS "chatId", r.topic_id AS "topicId", r.message_id AS "messageId", a.name AS "agentName", coalesce(a.facts->>'home', '') AS "agentHome", r.cwd,
    coalesce(a.connected, false) AS connected, r.plan_version AS "planVersion", r.error,
    pl.source, pl.source->>'change' AS change, pl.source->>'fault' AS "changeFault",
    (SELECT json_build_object('tokens', coalesce(sum(mc.tokens_in + mc.tokens_out), 0), 'usd', coalesce(sum(mc.cost_usd), 0),
      'unpriced', coalesce(sum(mc.tokens_in + mc.tokens_out) FILTER (WHERE mc.cost_usd IS NULL), 0))
      FROM model_call mc WHERE mc.run_id = r.id HAVING count(*) > 0) AS used,
    CASE WHEN pl.source ? 'change' THEN (SELECT v.spec->'tasks' FROM plan v WHERE v.run_id = r.id AND v.version = r.plan_version - 1) END AS replaced, pl.plan_hash AS "planHash",
    (SELECT jsonb_object_agg(s->>'key', s->'about') FROM jsonb_array_elements(pl.spec->'tasks') s WHERE s ? 'about') AS abouts, r.created_at AS "createdAt", r.started_at AS "startedAt", r.ended_at AS "endedAt", r.cancel_at AS "cancelAt",
    ${jsonArray(`SELECT t.id, t.key, t.title, t.milestone, t.status, t.action, t.spec, t.verdict, t.agent_id AS "agentId", ta.name AS "agentName", ta.connected,
      ta.disconnected_at AS "disconnectedAt", coalesce(ta.facts->>'home', '') AS home, t.cwd, t.started_at AS "startedAt", t.ended_at AS "endedAt",
      t.recovery_id AS "recoveryId", t.attempts_made AS attempts, t.lease_until AS "leaseUntil", t.result, t.error,
      CASE WHEN t.standing_id IS NOT NULL THEN (SELECT json_build_object('by', g.name, 'until', s.expires_at) FROM standing_approval s JOIN person g ON g.id = s.given_by WHERE s.id = t.standing_id) END AS standing,
      CASE WHEN ta.facts->>'containment' IS NOT NULL THEN ta.facts->'confined' IS NOT NULL END AS confined,
      (SELECT at.containment FROM attempt at WHERE at.task_id = t.id ORDER BY at.number DESC LIMIT 1) AS containment,
      coalesce((SELECT json_agg(dt.key ORDER BY dt.position) FROM task_dependency d JOIN task dt ON dt.id = d.depends_on_id WHERE d.task_id = t.id), '[]') AS "dependsOn"
      FROM task t JOIN agent ta ON ta.id = t.agent_id WHERE t.run_id = r.id AND (t.plan_id = pl.id OR r.kind = 'api') ORDER BY CASE WHEN r.kind = 'api' THEN t.created_at END, t.position`)} AS tasks,
    ${jsonArray(`SELECT m.key, m.title, m.started_at AS "startedAt", m.ended_at AS "endedAt", m.outcome FROM milestone m WHERE m.plan_id = pl.id ORDER BY m.position`)} AS milestones,
    ${jsonArray(`SELECT ap.id, ap.code, ap.plan_hash AS "planHash", (SELECT v.version FROM plan v WHERE v.id = ap.plan_id) AS "planVersion", ap.status, ap.risk, ap.quorum, ap.expires_at AS "expiresAt", ap.decided_at AS "decidedAt", ap.reminded_at AS "remindedAt",
      coalesce((SELECT json_agg(json_build_object('name', dp.name, 'decision', ad.decision, 'at', ad.at) ORDER BY ad.at) FROM approval_decision ad JOIN person dp ON dp.id = ad.person_id WHERE ad.approval_id = ap.id), '[]') AS decisions
      FROM approval ap WHERE ap.run_id = r.id ORDER BY ap.created_at`)} AS approvals,
    ${jsonArray(`SELECT rv.id, (SELECT rt.key FROM task rt WHERE rt.id = rv.task_id) AS key, rv.rung, rv.by, rv.status, rv.failure, rv.came_of AS "cameOf", rv.note, rv.plan_version AS "planVersion"
      FROM recovery rv WHERE rv.run_id = r.id ORDER BY rv.created_at, rv.id`)} AS recoveries
  FROM run r LEFT JOIN person p ON p.id = r.person_id LEFT JOIN person c ON c.id = r.cancelled_by
  LEFT JOIN plan pl ON pl.run_id = r.id AND pl.version = r.plan_version
  LEFT JOIN agent a ON a.id = coalesce(r.agent_id, (SELECT t.agent_id FROM task t WHERE t.plan_id = pl.id ORDER BY t.position LIMIT 1))
  WHERE r.id = ANY($1::uuid[])`

const dateKeys = new Set([
  'startedAt',
  'endedAt',
  'decidedAt',
  'expiresAt',
  'remindedAt',
  'disconnectedAt',
  'leaseUntil',
  'until',
  'at',
])

const waits: ReadonlySet<TaskStatus> = new Set(['held', 'blocked', 'queued'])

function withDates<T extends object>(row: T): T {
  const entries = Object.entries(row).map(([key, value]) => [
    key,
    dateKeys.has(key) && typeof value === 'string' ? new Date(value) : value,
  ])
  return Object.fromEntries(entries) as T
}

/**
 * Everything there is to show of a run; null when there is no such run. A snapshot, one statement; what tasks wait for
 * is read just after it, where any does.
 */
export async function viewRun(sql: Sql, runId: string): Promise<RunView | null> {
  const [found] = await sql.query<RunView & { abouts: Record<string, TaskAbout> | null }>(query, [[runId]])
  if (!found) return null
  const { abouts, ...row } = found
  const waiting = await waitingFor(
    sql,
    row.tasks.filter((task) => waits.has(task.status)).map((task) => task.id),
  )
  const approvals = row.approvals.map((a) => withDates({ ...a, decisions: a.decisions.map(withDates) }))
  return {
    ...row,
    tasks: row.tasks.map((task) =>
      withDates({
        ...task,
        about: abouts?.[task.key] ?? null,
        waiting: waiting.get(task.id) ?? null,
        standing: task.standing && withDates(task.standing),
      }),
    ),
    milestones: row.milestones.map(withDates),
    approvals,
  }
}

/** The run of a number such as 12; null when there is none. */
export async function findRun(sql: Sql, number: number): Promise<string | null> {
  const [row] = await sql.query<{ id: string }>('SELECT id FROM run WHERE number = $1', [number])
  return row?.id ?? null
}

export type LogLine = { taskKey: string; stream: string; text: string; at: Date }

/** The newest log text of a run (or of one of its tasks), at most `chunks` pieces, oldest first. */
export async function readLogTail(
  sql: Sql,
  runId: string,
  chunks: number,
  taskKey?: string,
): Promise<LogLine[]> {
  const rows = await sql.query<LogLine>(
    `SELECT t.key AS "taskKey", l.stream, l.text, l.at FROM log_chunk l JOIN attempt a ON a.id = l.attempt_id JOIN task t ON t.id = a.task_id
     WHERE t.run_id = $1 AND ($3::text IS NULL OR t.key = $3) ORDER BY l.at DESC, l.seq DESC LIMIT $2`,
    [runId, chunks, taskKey ?? null],
  )
  return rows.reverse()
}
