import { randomUUID } from 'node:crypto'
import { ownedFiles } from '../actions/catalogue.ts'
import type { TaskStatus } from '../events/states.ts'
import { type Told, tellEvents } from '../events/tellEvent.ts'
import type { Judged } from '../planning/judgePlan.ts'
import type { PlanFile } from '../planning/planFiles.ts'
import type { AgentFacts } from '../protocol/frames.ts'
import { specHash } from '../protocol/hash.ts'
import type { PlanSpec, PlanTask } from '../protocol/specs.ts'
import { laneOf } from '../scheduling/lanes.ts'
import { jsonText } from '../storage/jsonText.ts'
import type { Tx } from '../storage/sql.ts'

/** Attempts of a task at most, of those that end by themselves without a word of what came out. */
const MAX_ATTEMPTS = 3

export type StoredPlan = { planId: string; taskIds: Map<string, string> }

/** What a program may fix of a task, by its key in the plan; what is left out is as for plans of people. */
export type TaskTerms = {
  id: string
  dispatch: 'push' | 'pull'
  capabilities: readonly string[]
  priority: number
  maxAttempts: number
  /** Tasks outside the plan that have to succeed before. */
  dependencies: readonly string[]
}

/** What is known of a plan besides what it says. */
export type AboutPlan = {
  planHash: string
  policyVersion: string
  source: object
  judged: readonly Judged[]
  terms?: ReadonlyMap<string, TaskTerms>
  /** What its tasks rest on, for people. */
  files?: readonly PlanFile[]
}

/**
 * Writes a judged plan as the run's newest version: plan, milestones, tasks in `status`, dependencies, events.
 * The caller has checked that the run is in `planning`.
 */
export async function storePlan(
  tx: Tx,
  runId: string,
  plan: PlanSpec,
  about: AboutPlan & {
    status: TaskStatus
    /** Who made this version by changing the one before. */
    revisedBy?: string | null
    /** The machines of the plan's agents, where the caller knows them. */
    machines?: ReadonlyMap<string, MachineOfPaths>
  },
): Promise<StoredPlan> {
  const planId = randomUUID()
  const machines =
    about.machines ??
    (await readMachines(
      tx,
      plan.tasks.map((task) => task.spec.agent_id),
    ))
  const { taskIds, tasks } = tasksOf(plan, about, machines, about.status)
  await Promise.all([
    insertPlan(tx, planId, runId, plan, about),
    insertMilestones(tx, planId, plan.milestones),
    insertTasks(tx, runId, planId, tasks),
    insertDependencies(tx, tasks, taskIds),
    tellEvents(tx, [planMade(runId, plan, about), ...tasks.map((task) => toldOf(runId, task))]),
  ])
  return { planId, taskIds }
}

/** A plan's tasks as they are written, with their ids by key. */
export function tasksOf(
  plan: PlanSpec,
  about: Pick<AboutPlan, 'judged' | 'terms'>,
  machines: ReadonlyMap<string, MachineOfPaths>,
  status: TaskStatus,
): { taskIds: Map<string, string>; tasks: NewTask[] } {
  const taskIds = new Map(
    plan.tasks.map((task) => [task.key, about.terms?.get(task.key)?.id ?? randomUUID()]),
  )
  const verdicts = new Map(about.judged.map((j) => [j.key, j]))
  const tasks = plan.tasks.map((task, position): NewTask => {
    const judged = verdicts.get(task.key)
    if (!judged) throw new Error(`task ${task.key} was not judged`)
    const terms = about.terms?.get(task.key)
    const machine = machines.get(task.spec.agent_id) ?? unknownMachine
    return { id: taskIds.get(task.key) ?? '', position, task, judged, status, terms, machine }
  })
  return { taskIds, tasks }
}

/** That a run has a plan. */
export const planMade = (
  runId: string,
  plan: PlanSpec,
  { planHash, source }: Pick<AboutPlan, 'planHash' | 'source'>,
): Told => ({
  type: 'plan.made',
  subject: { runId },
  data: { version: plan.version, plan_hash: planHash, source },
})

export const insertPlan = (
  tx: Tx,
  planId: string,
  runId: string,
  plan: PlanSpec,
  about: {
    planHash: string
    policyVersion: string
    source: object
    revisedBy?: string | null
    files?: readonly PlanFile[]
  },
): Promise<object[]> =>
  tx.query(
    `WITH made AS (INSERT INTO plan (id, run_id, version, plan_hash, policy_version, spec, source, revised_by, files) VALUES ($1, $2, $3, $4, $5, $6, $7, $9, $10))
     UPDATE run SET plan_version = $3, summary = $8 WHERE id = $2`,
    [
      planId,
      runId,
      plan.version,
      about.planHash,
      about.policyVersion,
      jsonText(plan),
      jsonText(about.source),
      plan.summary,
      about.revisedBy ?? null,
      about.files?.length ? jsonText(about.files) : null,
    ],
  )

async function insertMilestones(tx: Tx, planId: string, milestones: PlanSpec['milestones']): Promise<void> {
  if (milestones.length === 0) return
  await tx.query(
    `INSERT INTO milestone (plan_id, key, position, title)
     SELECT $1, m.key, m.n - 1, m.title FROM unnest($2::text[], $3::text[]) WITH ORDINALITY AS m(key, title, n)`,
    [planId, milestones.map(({ key }) => key), milestones.map(({ title }) => title)],
  )
}

export async function insertDependencies(
  tx: Tx,
  tasks: readonly NewTask[],
  taskIds: ReadonlyMap<string, string>,
): Promise<void> {
  const edges = tasks.flatMap(({ id, task, terms }) => {
    const inside = task.depends_on.map((key) => taskIds.get(key) ?? '')
    return [...inside, ...(terms?.dependencies ?? [])].map((before) => [id, before] as const)
  })
  if (edges.length === 0) return
  await tx.query(
    'INSERT INTO task_dependency (task_id, depends_on_id) SELECT * FROM unnest($1::uuid[], $2::uuid[])',
    [edges.map(([id]) => id), edges.map(([, before]) => before)],
  )
}

export type NewTask = {
  id: string
  position: number
  task: PlanTask
  judged: Judged
  status: TaskStatus
  terms: TaskTerms | undefined
  machine: MachineOfPaths
}

export type MachineOfPaths = Pick<AgentFacts, 'platform' | 'home' | 'links'>
const unknownMachine: MachineOfPaths = { platform: 'linux', home: '/nowhere' }

/** What tells apart the paths of the agents' machines; nothing of agents that are not enrolled. */
export async function readMachines(tx: Tx, agentIds: string[]): Promise<Map<string, MachineOfPaths>> {
  const rows = await tx.query<{ id: string; facts: MachineOfPaths }>(
    'SELECT id, facts FROM agent WHERE id = ANY($1::uuid[]) AND facts IS NOT NULL',
    [[...new Set(agentIds)]],
  )
  return new Map(rows.map((row) => [row.id, row.facts]))
}

/** In SQL: inserts tasks, given as JSON, of the runs `r` of a table. What is queued is so from now on. */
export const insertRows = (
  runs: string,
  planId: string,
  rows: string,
): string => `INSERT INTO task (id, run_id, plan_id, key, position, title, milestone, status, queued_at, action, effect, spec, spec_hash, agent_id, machine_id, cwd, owns, verdict, dispatch, capabilities, priority, max_attempts, lane)
     SELECT n.id, r.id, ${planId}::uuid, n.key, n.position, n.title, n.milestone, n.status, CASE WHEN n.status = 'queued' THEN statement_timestamp() END, n.action, n.effect, n.spec, n.spec_hash, n.agent_id, n.machine_id, n.cwd, n.owns, n.verdict, n.dispatch, n.capabilities, n.priority, n.max_attempts, ${laneOf('n.dispatch')}
     FROM ${runs} r, jsonb_to_recordset(${rows}::jsonb) AS n(id uuid, key text, position int, title text, milestone text, status text, action text, effect text, spec jsonb, spec_hash text,
       agent_id uuid, machine_id text, cwd text, owns text[], verdict jsonb, dispatch text, capabilities text[], priority int, max_attempts int)`

/** All tasks of a plan in one statement, as rows of a JSON text. */
export async function insertTasks(
  tx: Tx,
  runId: string,
  planId: string,
  tasks: readonly NewTask[],
): Promise<void> {
  await tx.query(`${insertRows('run', '$2', '$3')} WHERE r.id = $1`, [
    runId,
    planId,
    jsonText(tasks.map(rowOf)),
  ])
}

export const rowOf = ({ id, position, task, judged, status, terms, machine }: NewTask): object => ({
  id,
  key: task.key,
  position,
  title: task.title,
  milestone: task.milestone ?? null,
  status,
  action: task.spec.action,
  effect: judged.effect,
  spec: task.spec,
  spec_hash: specHash(task.spec),
  agent_id: task.spec.agent_id,
  machine_id: task.spec.machine_id,
  cwd: task.spec.cwd,
  owns: ownedFiles(task.spec, judged.effect, machine),
  verdict: judged.verdict,
  dispatch: terms?.dispatch ?? 'push',
  capabilities: terms?.capabilities ?? [],
  priority: terms?.priority ?? 0,
  max_attempts: terms?.maxAttempts ?? MAX_ATTEMPTS,
})

export const toldOf = (runId: string, { id, task, judged, status }: NewTask): Told => ({
  type: 'task.created',
  subject: { runId, taskId: id, agentId: task.spec.agent_id },
  data: {
    key: task.key,
    status,
    action: task.spec.action,
    verdict: judged.verdict.verdict,
    rule: judged.verdict.rule,
  },
})
