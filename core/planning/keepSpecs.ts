import { canonicalJson } from '../protocol/hash.ts'
import type { PlanSpec, PlanTask, TaskSpec } from '../protocol/specs.ts'

/**
 * A revised plan in which every step that does the same as one of the old plan is that step: same spec, and so the same
 * hash, with its title and what was said of it. What a model only words anew is no change. Pure.
 */
export function keepSpecs(revised: PlanSpec, old: PlanSpec): PlanSpec {
  const left = [...old.tasks]
  const tasks = revised.tasks.map((task): PlanTask => {
    const at = left.findIndex((other) => deedOf(other.spec) === deedOf(task.spec))
    const [same] = at < 0 ? [] : left.splice(at, 1)
    if (!same) return task
    const { about: _, ...rest } = task
    return { ...rest, title: same.title, spec: same.spec, ...(same.about ? { about: same.about } : {}) }
  })
  return { ...revised, tasks }
}

/** What a spec does and where: without what is worked out of it (`argv`, files), and what a model is not told (secrets). */
function deedOf({ action, params, agent_id, cwd, timeout_s, network }: TaskSpec): string {
  const { argv: _, ...own } = params
  return canonicalJson({ action, own, agent_id, cwd, timeout_s, network })
}
