import { randomUUID } from 'node:crypto'
import { ownedFiles } from '../actions/catalogue.ts'
import type { TaskStatus } from '../events/states.ts'
import { tellEvent } from '../events/tellEvent.ts'
import type { Judged } from '../planning/judgePlan.ts'
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

/**
 * Writes a judged plan as the run's newest version: plan, milestones, tasks in `status`, dependencies, events.
 * The caller has checked that the run is in `planning`.
 */
export async function storePlan(
  tx: Tx,
  runId: string,
  plan: PlanSpec,
  about: {
    planHash: string
    policyVersion: string
    source: object
    judged: readonly Judged[]
    status: TaskStatus
    terms?: ReadonlyMap<string, TaskTerms>
  },
): Promise<StoredPlan> {
  const planId = randomUUID()
  await tx.query(
    'INSERT INTO plan (id, run_id, version, plan_hash, policy_version, spec, source) VALUES ($1, $2, $3, $4, $5, $6, $7)',
    [
      planId,
      runId,
      plan.version,
      about.planHash,
      about.policyVersion,
      jsonText(plan),
      jsonText(about.source),
    ],
  )
  await tx.query('UPDATE run SET plan_version = $2, summary = $3 WHERE id = $1', [
    runId,
    plan.version,
    plan.summary,
  ])
  await tellEvent(
    tx,
    'plan.made',
    { runId },
    { version: plan.version, plan_hash: about.planHash, source: about.source },
  )
  for (const [position, milestone] of plan.milestones.entries()) {
    await tx.query('INSERT INTO milestone (plan_id, key, position, title) VALUES ($1, $2, $3, $4)', [
      planId,
      milestone.key,
      position,
      milestone.title,
    ])
  }
  const taskIds = new Map(
    plan.tasks.map((task) => [task.key, about.terms?.get(task.key)?.id ?? randomUUID()]),
  )
  const verdicts = new Map(about.judged.map((j) => [j.key, j]))
  const machines = await readMachines(
    tx,
    plan.tasks.map((task) => task.spec.agent_id),
  )
  for (const [position, task] of plan.tasks.entries()) {
    const judged = verdicts.get(task.key)
    if (!judged) throw new Error(`task ${task.key} was not judged`)
    await insertTask(tx, {
      runId,
      planId,
      id: taskIds.get(task.key) ?? '',
      position,
      task,
      judged,
      status: about.status,
      terms: about.terms?.get(task.key),
      machine: machines.get(task.spec.agent_id) ?? unknownMachine,
    })
  }
  for (const task of plan.tasks) {
    const inside = task.depends_on.map((key) => taskIds.get(key) ?? '')
    const before = [...inside, ...(about.terms?.get(task.key)?.dependencies ?? [])]
    if (before.length > 0)
      await tx.query('INSERT INTO task_dependency (task_id, depends_on_id) SELECT $1, unnest($2::uuid[])', [
        taskIds.get(task.key),
        before,
      ])
  }
  return { planId, taskIds }
}

type NewTask = {
  runId: string
  planId: string
  id: string
  position: number
  task: PlanTask
  judged: Judged
  status: TaskStatus
  terms: TaskTerms | undefined
  machine: MachineOfPaths
}

type MachineOfPaths = Pick<AgentFacts, 'platform' | 'home' | 'links'>
const unknownMachine: MachineOfPaths = { platform: 'linux', home: '/nowhere' }

/** What tells apart the paths of the agents' machines; nothing of agents that are not enrolled. */
async function readMachines(tx: Tx, agentIds: string[]): Promise<Map<string, MachineOfPaths>> {
  const rows = await tx.query<{ id: string; facts: MachineOfPaths }>(
    'SELECT id, facts FROM agent WHERE id = ANY($1::uuid[]) AND facts IS NOT NULL',
    [[...new Set(agentIds)]],
  )
  return new Map(rows.map((row) => [row.id, row.facts]))
}

async function insertTask(
  tx: Tx,
  { runId, planId, id, position, task, judged, status, terms, machine }: NewTask,
): Promise<void> {
  const { spec } = task
  await tx.query(
    `INSERT INTO task (id, run_id, plan_id, key, position, title, milestone, status, action, effect, spec, spec_hash, agent_id, machine_id, cwd, owns, verdict, dispatch, capabilities, priority, max_attempts, lane)
     SELECT $1, r.id, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, ${laneOf('$18')} FROM run r WHERE r.id = $2`,
    [
      id,
      runId,
      planId,
      task.key,
      position,
      task.title,
      task.milestone ?? null,
      status,
      spec.action,
      judged.effect,
      jsonText(spec),
      specHash(spec),
      spec.agent_id,
      spec.machine_id,
      spec.cwd,
      ownedFiles(spec, judged.effect, machine),
      jsonText(judged.verdict),
      terms?.dispatch ?? 'push',
      terms?.capabilities ?? [],
      terms?.priority ?? 0,
      terms?.maxAttempts ?? MAX_ATTEMPTS,
    ],
  )
  await tellEvent(
    tx,
    'task.created',
    { runId, taskId: id, agentId: spec.agent_id },
    {
      key: task.key,
      status,
      action: spec.action,
      verdict: judged.verdict.verdict,
      rule: judged.verdict.rule,
    },
  )
}
