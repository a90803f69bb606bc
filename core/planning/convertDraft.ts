import type { z } from 'zod'
import { type ActionName, actionNames } from '../protocol/actions.ts'
import { PlanSpec, type TaskAbout } from '../protocol/specs.ts'
import { clip } from './clip.ts'
import type { PlaceFacts } from './placeFacts.ts'
import { type DraftTask, PlanDraft } from './planDraft.ts'
import { isInside, resolvePath } from './resolvePath.ts'
import { writtenFiles } from './writtenFiles.ts'

const MAX_TASKS = 20
/** Seconds: a task is given at least and at most so many, whatever the model says. */
const MIN_TIMEOUT_S = 10
const MAX_TIMEOUT_S = 7200
/** Characters of one sentence about a task, and of all that the tasks of a plan carry. */
const MAX_NOTE = 200
const MAX_TEXT = 400_000

/** `fault`: what the model is to mend; `noPlan`: it has not even the form of a plan. */
export type Converted = { plan: PlanSpec } | { cannot: string } | { fault: string; noPlan?: true }

const issueText = (error: z.ZodError): string =>
  error.issues
    .slice(0, 5)
    .map((issue) => `${issue.path.join('.') || 'the answer'}: ${issue.message}`)
    .join('; ')

/** What is wrong with a draft as far as it goes beyond its form; the first few, in words for the model. */
function draftFaults(draft: PlanDraft, place: PlaceFacts): string[] {
  if (draft.tasks.length === 0) return ['tasks is empty and cannot is null: give one or the other']
  if (draft.tasks.length > MAX_TASKS)
    return [`there are ${draft.tasks.length} tasks; at most ${MAX_TASKS} are taken`]
  const size = JSON.stringify(draft.tasks).length
  if (size > MAX_TEXT) return [`the tasks are ${size} characters long; at most ${MAX_TEXT} are taken`]
  return [...keyFaults(draft), ...draft.tasks.flatMap((task) => taskFaults(task, place))].slice(0, 5)
}

/** References are checked here by the draft's own keys, so that the model finds them again. */
function keyFaults({ tasks, milestones }: PlanDraft): string[] {
  const keys = tasks.map((t) => t.key)
  const faults = keys.length === new Set(keys).size ? [] : ['two tasks have the same key']
  for (const task of tasks) {
    for (const dep of task.depends_on)
      if (!keys.includes(dep)) faults.push(`task ${task.key} depends on ${dep}, which is not in the plan`)
    if (task.milestone !== null && !milestones.some((m) => m.key === task.milestone))
      faults.push(`task ${task.key} names milestone ${task.milestone}, which is not in the plan`)
  }
  return faults
}

function taskFaults(task: DraftTask, place: PlaceFacts): string[] {
  const faults: string[] = []
  const cwd = resolvePath(place, task.directory ?? '.')
  const action: ActionName = task.call.action
  if (!actionNames.includes(action) || !place.capabilities.includes(action))
    faults.push(`task ${task.key}: the agent cannot do ${action}`)
  if (!isInside(cwd, place.roots))
    faults.push(`task ${task.key}: directory ${cwd} is outside ${place.roots.join(', ')}`)
  for (const file of task.writes) {
    const path = resolvePath({ cwd, home: place.home }, file)
    if (!isInside(path, place.roots))
      faults.push(`task ${task.key}: writes ${path}, which is outside ${place.roots.join(', ')}`)
  }
  return faults
}

/** The action's own parameters; null stands for what the model left open. */
function paramsOf({ action: _, ...given }: DraftTask['call']): Record<string, unknown> {
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== null))
}

function specOf(task: DraftTask, place: PlaceFacts) {
  const cwd = resolvePath(place, task.directory ?? '.')
  const at = { cwd, home: place.home }
  const call = { action: task.call.action, params: paramsOf(task.call) }
  const declared = task.writes.map((file) => resolvePath(at, file))
  // A command is believed when it says that it only reads: policy finds out, and then it owns its directory.
  const files = call.action === 'shell' ? declared : [...new Set([...writtenFiles(call, at), ...declared])]
  return {
    ...call,
    agent_id: place.agentId,
    machine_id: place.machineId,
    cwd,
    required_files: files,
    timeout_s: Math.min(MAX_TIMEOUT_S, Math.max(MIN_TIMEOUT_S, Math.round(task.timeout_s) || MIN_TIMEOUT_S)),
    network: task.network,
  }
}

/** What the model says of a task, for people: never started, never judged. */
function aboutOf({ reason, expects, check, undo }: DraftTask): TaskAbout {
  const said = { why: reason, expects, check, undo }
  return Object.fromEntries(
    Object.entries(said).flatMap(([field, text]) => {
      const line = clip(text ?? '', MAX_NOTE)
      return line === '' ? [] : [[field, line]]
    }),
  )
}

function planOf(draft: PlanDraft, place: PlaceFacts, version: number): unknown {
  const number = new Map(draft.tasks.map((t, i) => [t.key, String(i + 1)]))
  const used = draft.milestones.filter((m) => draft.tasks.some((t) => t.milestone === m.key))
  const milestone = new Map(used.map((m, i) => [m.key, `m${i + 1}`]))
  return {
    version,
    summary: clip(draft.summary, 60) || 'What was asked',
    milestones: used.map((m) => ({ key: milestone.get(m.key), title: clip(m.title, 60) || m.key })),
    tasks: draft.tasks.map((task) => ({
      key: number.get(task.key),
      title: clip(task.title, 30) || task.call.action,
      ...(task.milestone === null ? {} : { milestone: milestone.get(task.milestone) }),
      depends_on: [...new Set(task.depends_on.map((key) => number.get(key) ?? key))],
      about: aboutOf(task),
      spec: specOf(task, place),
    })),
  }
}

/**
 * A model's answer as a plan for the place. Nothing in the answer is trusted: it is parsed, its directories must be
 * inside the roots, its actions among the agent's, its graph sound. Returns what is wrong in words the model can
 * mend, or why it cannot be planned. Pure; throws for no answer whatever.
 */
export function convertDraft(answer: unknown, place: PlaceFacts, version: number): Converted {
  if (answer === undefined) return { fault: 'the answer is not JSON', noPlan: true }
  const draft = PlanDraft.safeParse(answer)
  if (!draft.success) return { fault: issueText(draft.error), noPlan: true }
  const cannot = clip(draft.data.cannot ?? '', 300)
  if (cannot && draft.data.tasks.length === 0) return { cannot }
  const faults = draftFaults(draft.data, place)
  if (faults.length > 0) return { fault: faults.join('; ') }
  const plan = PlanSpec.safeParse(planOf(draft.data, place, version))
  return plan.success ? { plan: plan.data } : { fault: issueText(plan.error) }
}
