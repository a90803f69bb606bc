import { z } from 'zod'
import { ActionCallSchema, ActionNameSchema } from './actions.ts'
import { AgentId, ClaimToken, RunId, Sha256, TaskId } from './ids.ts'
import { SecretNames } from './secretName.ts'

/** Key of a task inside its plan: short, stable, shown as the `3` of `12.3`. */
export const TaskKey = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9_-]{0,31}$/)

/** The parameters must fit the action; each fault is told with its field. */
function paramsFit(value: { action: string; params: unknown }, ctx: z.core.$RefinementCtx): void {
  const call = ActionCallSchema.safeParse({ action: value.action, params: value.params })
  for (const issue of call.error?.issues ?? [])
    ctx.addIssue({ code: 'custom', path: issue.path, message: issue.message })
}

/** A file that an approval rested on, and what it held then: the agent starts nothing once it holds something else. */
export const RestsOn = z.strictObject({ path: z.string().min(1).max(4096), sha256: Sha256 })
export type RestsOn = z.infer<typeof RestsOn>

/** The part of an ExecutionSpec that is hashed and approved: everything but the attempt's own fields. */
const specFields = {
  action: ActionNameSchema,
  params: z.record(z.string(), z.unknown()),
  agent_id: AgentId,
  /** Stable id of the machine; ownership of files goes by it. */
  machine_id: z.string().min(1).max(128),
  /** Absolute directory on that machine. */
  cwd: z.string().min(1).max(4096),
  /** Files or directories (a directory owns what is below it) the task owns while it runs; absolute paths. */
  required_files: z.array(z.string().min(1).max(4096)).max(256),
  timeout_s: z.int().min(1).max(86_400),
  /** Whether the action may reach the network. */
  network: z.boolean(),
  /** Secrets of the agent's own store that its process finds as variables; none: it is given none. */
  secrets: SecretNames.optional(),
  /** The scripts and manifests it runs, as far as its text tells; absolute paths. */
  rests_on: z.array(RestsOn).min(1).max(32).optional(),
}

/** What people approve of one task: hashed to its specHash. */
export const TaskSpec = z.strictObject(specFields).superRefine(paramsFit)
export type TaskSpec = z.infer<typeof TaskSpec>

/** What a task before this one left behind, for this one to read: data, never part of a command. */
export const TaskInput = z.strictObject({
  /** Key of that task in its plan. */
  key: TaskKey,
  task_id: TaskId,
  exit_code: z.int().nullable(),
  summary: z.string().max(4000),
  changed: z.array(z.string().max(4096)).max(200),
})
export type TaskInput = z.infer<typeof TaskInput>

/** What one attempt sends to a gateway. `specHash` leaves out what is the attempt's own: the ids, `owns`, `inputs`. */
export const ExecutionSpec = z
  .strictObject({
    ...specFields,
    run_id: RunId,
    task_id: TaskId,
    claim_token: ClaimToken,
    /** The files that are taken for it, under the names the ledger knows them by: the agent checks that they are real. */
    owns: z.array(z.string().min(1).max(4096)).max(256).optional(),
    /** Of the tasks it depends on, in the order of their keys; none: it depends on nothing. */
    inputs: z.array(TaskInput).max(50).optional(),
  })
  .superRefine(paramsFit)
export type ExecutionSpec = z.infer<typeof ExecutionSpec>

export const PlanMilestone = z.strictObject({ key: TaskKey, title: z.string().min(1).max(120) })

const Words = z.string().min(1).max(400).optional()
/**
 * What the planner says of a task, for people: why it is there, what its success brings, how to see that it worked, and
 * how to take it back. It is no part of any hash, and nothing acts on it.
 */
export const TaskAbout = z.strictObject({ why: Words, expects: Words, check: Words, undo: Words })
export type TaskAbout = z.infer<typeof TaskAbout>

export const PlanTask = z.strictObject({
  key: TaskKey,
  title: z.string().min(1).max(120),
  /** Key of the milestone the task belongs to. */
  milestone: TaskKey.optional(),
  depends_on: z.array(TaskKey).max(50),
  about: TaskAbout.optional(),
  spec: TaskSpec,
})
export type PlanTask = z.infer<typeof PlanTask>

/** What the planner produces and people approve: a DAG of at most 50 tasks. */
export const PlanSpec = z
  .strictObject({
    version: z.int().min(1),
    summary: z.string().min(1).max(200),
    milestones: z.array(PlanMilestone).max(12),
    tasks: z.array(PlanTask).min(1).max(50),
  })
  .superRefine((plan, ctx) => {
    for (const message of planFaults(plan)) ctx.addIssue({ code: 'custom', message })
  })
export type PlanSpec = z.infer<typeof PlanSpec>

type Graph = {
  milestones: { key: string }[]
  tasks: { key: string; milestone?: string | undefined; depends_on: string[] }[]
}

/** What is wrong with a plan's graph, in words; empty when nothing is: double keys, unknown references, a cycle. */
export function planFaults(plan: Graph): string[] {
  const faults: string[] = []
  const keys = new Set(plan.tasks.map((t) => t.key))
  const milestones = new Set(plan.milestones.map((m) => m.key))
  if (keys.size !== plan.tasks.length) faults.push('two tasks have the same key')
  for (const task of plan.tasks) {
    for (const dep of task.depends_on)
      if (!keys.has(dep)) faults.push(`task ${task.key} depends on ${dep}, which is not in the plan`)
    if (task.milestone && !milestones.has(task.milestone))
      faults.push(`task ${task.key} names milestone ${task.milestone}, which is not in the plan`)
  }
  if (faults.length === 0 && !isAcyclic(plan.tasks)) faults.push('the tasks depend on each other in a circle')
  return faults
}

/** Kahn's algorithm (1962): true when every task can be ordered after its dependencies. */
export function isAcyclic(tasks: readonly { key: string; depends_on: readonly string[] }[]): boolean {
  const left = new Map(tasks.map((t) => [t.key, new Set(t.depends_on)]))
  for (;;) {
    const free = [...left].filter(([, deps]) => deps.size === 0).map(([key]) => key)
    if (free.length === 0) return left.size === 0
    for (const key of free) left.delete(key)
    for (const deps of left.values()) for (const key of free) deps.delete(key)
  }
}
