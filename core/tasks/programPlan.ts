import type { Deps } from '../deps.ts'
import { type Judged, settleSpec } from '../planning/judgePlan.ts'
import { PlanSpec, type TaskSpec } from '../protocol/specs.ts'
import type { TaskTerms } from '../runs/storePlan.ts'
import type { PlacedTask } from './placeTask.ts'
import type { IdentifiedTask, TaskRequest } from './taskRequest.ts'

/**
 * The plan that the tasks of a program make, version `version` of its run. `keys`, `placed` and `judged` go with the
 * tasks by position. A task that depends on one of another plan says so in its terms (see `termsOf`) alone.
 */
export function programPlan(
  deps: Pick<Deps, 'redact'>,
  tasks: readonly IdentifiedTask[],
  keys: readonly string[],
  placed: readonly PlacedTask[],
  judged: readonly Judged[],
  version: number,
): PlanSpec {
  const keyOf = new Map(tasks.map((task, i) => [task.task_id, keys[i] ?? '']))
  const titles = tasks.map((task) => deps.redact(task.title ?? titleOf(task)))
  return PlanSpec.parse({
    version,
    summary: titles.length === 1 ? titles[0] : `${titles.length} tasks: ${titles[0]}`.slice(0, 200),
    milestones: [],
    tasks: tasks.map((task, i) => ({
      key: keys[i],
      title: titles[i],
      depends_on: task.dependencies.flatMap((id) => keyOf.get(id) ?? []),
      spec: settled(placed[i], judged[i]),
    })),
  })
}

function titleOf({ action, params }: Pick<TaskRequest, 'action' | 'params'>): string {
  const what = params.command ?? params.path ?? params.message ?? params.tool
  const text = typeof what === 'string' ? (action === 'shell' ? what : `${action} ${what}`) : action
  const line = text.replace(/\s+/g, ' ').trim()
  return line.length > 100 ? `${line.slice(0, 99)}…` : line || action
}

/** What a task of a plan has besides its spec, by the key of the task. */
export const termsOf = (
  tasks: readonly IdentifiedTask[],
  keys: readonly string[],
): Map<string, TaskTerms> => {
  const own = new Set(tasks.map((task) => task.task_id))
  return new Map(
    tasks.map((task, i): [string, TaskTerms] => [
      keys[i] ?? '',
      {
        id: task.task_id,
        dispatch: task.dispatch,
        capabilities: task.capabilities,
        priority: task.priority,
        maxAttempts: task.max_attempts,
        dependencies: task.dependencies.filter((id) => !own.has(id)),
      },
    ]),
  )
}

/** Whether one of the tasks depends on a task that is not among them. */
export const hasOutside = (tasks: readonly IdentifiedTask[]): boolean => {
  const own = new Set(tasks.map((task) => task.task_id))
  return tasks.some((task) => task.dependencies.some((id) => !own.has(id)))
}

const settled = (placed: PlacedTask | undefined, judged: Judged | undefined): TaskSpec | undefined =>
  placed && judged && settleSpec(placed.spec, judged.verdict, placed.machine.platform)
