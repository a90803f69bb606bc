import { randomUUID } from 'node:crypto'
import { failpoint } from '../config/failpoint.ts'
import type { Told } from '../events/tellEvent.ts'
import { toldColumns } from '../events/transition.ts'
import type { PlanSpec } from '../protocol/specs.ts'
import { jsonText } from '../storage/jsonText.ts'
import type { Tx } from '../storage/sql.ts'
import { type NewRun, toldCreated } from './createRun.ts'
import {
  type AboutPlan,
  insertDependencies,
  insertRows,
  type MachineOfPaths,
  planMade,
  rowOf,
  type StoredPlan,
  tasksOf,
  toldOf,
} from './storePlan.ts'

const text = `
  WITH r AS (
    INSERT INTO run (id, kind, status, request, person_id, agent_id, cwd, plan_version, summary, started_at)
    VALUES ($1, $2, 'running', $3, $4, $5, $6, $7, $8, clock_timestamp()) RETURNING id, number, status, chat_id, person_id
  ), p AS (
    INSERT INTO plan (id, run_id, version, plan_hash, policy_version, spec, source, files) VALUES ($9, $1, $7, $10, $11, $12, $13, $14)
  ), t AS (${insertRows('r', '$9', '$15')})
  INSERT INTO event (${toldColumns})
  SELECT e.type, $1, e.task_id, NULL, NULL, e.agent_id, CASE e.n WHEN 0 THEN jsonb_build_object('number', r.number) || e.data ELSE e.data END
  FROM r, jsonb_to_recordset($16::jsonb) AS e(n int, type text, task_id uuid, agent_id uuid, data jsonb) ORDER BY e.n`

/** What moves as such a run begins. */
const moves = ['run.running', 'task.queued']

/**
 * A run that nobody has to plan or approve, with its plan and its tasks, in the caller's transaction: written once, as it
 * is when it has begun, and told as if it had come there step by step: `planning` and then `running`, the tasks that
 * depend on none `blocked` and then `queued`. No task may depend on one of another run, and there are no milestones.
 */
export async function beginRun(
  tx: Tx,
  id: string,
  run: NewRun,
  plan: PlanSpec,
  about: AboutPlan & { machines: ReadonlyMap<string, MachineOfPaths> },
): Promise<StoredPlan> {
  const planId = randomUUID()
  const { taskIds, tasks } = tasksOf(plan, about, about.machines, 'blocked')
  const begun = tasks.filter(({ task }) => task.depends_on.length === 0)
  const subject = { runId: id, agentId: run.place?.agentId ?? null }
  const told: Told[] = [
    { type: 'run.created', subject, data: toldCreated(run) },
    planMade(id, plan, about),
    ...tasks.map((task) => toldOf(id, task)),
  ]
  const moved = [
    { type: 'run.running', subject, data: { from: 'planning', to: 'running' } },
    ...begun.map(({ id: taskId, task }) => ({
      type: 'task.queued',
      subject: { taskId, agentId: task.spec.agent_id },
      data: { from: 'blocked', to: 'queued' },
    })),
  ]
  const rows = tasks.map((task) => rowOf(begun.includes(task) ? { ...task, status: 'queued' } : task))
  for (const move of moves) failpoint(`${move}:before`)
  await Promise.all([
    tx.query(text, [
      id,
      run.kind,
      run.request,
      run.personId,
      run.place?.agentId ?? null,
      run.place?.cwd ?? null,
      plan.version,
      plan.summary,
      planId,
      about.planHash,
      about.policyVersion,
      jsonText(plan),
      jsonText(about.source),
      about.files?.length ? jsonText(about.files) : null,
      jsonText(rows),
      jsonText([...told, ...moved].map(eventRow)),
    ]),
    insertDependencies(tx, tasks, taskIds),
  ])
  for (const move of moves) {
    failpoint(`${move}:after`)
    tx.afterCommit(() => failpoint(`${move}:committed`))
  }
  return { planId, taskIds }
}

const eventRow = (
  { type, subject, data }: { type: string; subject: Told['subject']; data: object },
  n: number,
): object => ({ n, type, task_id: subject.taskId ?? null, agent_id: subject.agentId ?? null, data })
