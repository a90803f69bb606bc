import { PlanSpec, type PlanTask } from '../protocol/specs.ts'

/**
 * A plan in which some tasks are replaced by others: what these depended on comes before the new ones, what depended on
 * them comes after. `add` names dependencies among itself only. Everything else stays as it is. Pure; throws when the
 * result is no plan (too many tasks).
 */
export function graft(
  plan: PlanSpec,
  remove: ReadonlySet<string>,
  add: readonly PlanTask[],
  version: number,
): PlanSpec {
  const removed = plan.tasks.filter(({ key }) => remove.has(key))
  const before = unique(removed.flatMap(({ depends_on }) => depends_on).filter((key) => !remove.has(key)))
  const needed = new Set(add.flatMap(({ depends_on }) => depends_on))
  const last = add.filter(({ key }) => !needed.has(key)).map(({ key }) => key)
  const milestone = removed[0]?.milestone
  const added = add.map((task) => ({
    ...task,
    ...(milestone ? { milestone } : {}),
    depends_on: task.depends_on.length > 0 ? task.depends_on : before,
  }))
  const tasks = plan.tasks.flatMap((task) => {
    if (task === removed[0]) return added
    if (remove.has(task.key)) return []
    if (!task.depends_on.some((key) => remove.has(key))) return [task]
    const kept = task.depends_on.filter((key) => !remove.has(key))
    return [{ ...task, depends_on: unique([...kept, ...last]) }]
  })
  return PlanSpec.parse({ ...plan, version, tasks: inOrder(tasks) })
}

const unique = (keys: readonly string[]): string[] => [...new Set(keys)]

/** Removed tasks may have stood in several places: each task still comes after what it depends on. */
function inOrder(tasks: readonly PlanTask[]): PlanTask[] {
  const left = [...tasks]
  const done: PlanTask[] = []
  while (left.length > 0) {
    const next = left.findIndex(({ depends_on }) =>
      depends_on.every((key) => done.some((task) => task.key === key)),
    )
    done.push(...left.splice(Math.max(0, next), 1))
  }
  return done
}

/** Keys for steps that stand for the task of a key: `2a`, `2b` for `2`; those that were used before are not given again. Pure. */
export function freshKeys(root: string, used: ReadonlySet<string>, count: number): string[] {
  const base = (/^\d+$/.test(root) ? root : `${root.slice(0, 24)}-`).slice(0, 28)
  const keys: string[] = []
  for (let n = 0; keys.length < count; n++) {
    const key = base + letters(n)
    if (!used.has(key)) keys.push(key)
  }
  return keys
}

/** a, b, ..., z, aa, ab, ... */
const letters = (n: number): string =>
  (n >= 26 ? letters(Math.floor(n / 26) - 1) : '') + String.fromCharCode(97 + (n % 26))
