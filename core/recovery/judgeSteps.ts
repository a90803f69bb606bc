import type { Machine } from '../fleet/machineFacts.ts'
import { type Judged, judgePlan, settleSpec } from '../planning/judgePlan.ts'
import { askForOrigins } from '../planning/untrusted.ts'
import { specHash } from '../protocol/hash.ts'
import type { PlanSpec, PlanTask } from '../protocol/specs.ts'
import type { RecoverDeps } from './deps.ts'
import type { Way } from './findWay.ts'
import { freshKeys } from './graft.ts'
import type { Case, CaseTask } from './readCase.ts'

export type Steps = Extract<Way, { kind: 'steps' }>

/**
 * The steps of a way as tasks of the plan, under keys of their own, and what policy says of them: with the log in view of
 * whoever proposed them, all that does more than look asks. The machines of all of them must be known. Pure.
 */
export function judgeSteps(
  deps: Pick<RecoverDeps, 'policy' | 'settings'>,
  facts: Case,
  machines: readonly Machine[],
  way: Steps,
): { plan: PlanSpec; judged: Judged[] } {
  const byId = new Map(machines.map(({ agentId, facts: own }) => [agentId, own]))
  const judge = (plan: PlanSpec): Judged[] =>
    judgePlan(plan, (id) => byId.get(id), deps.policy, deps.settings.denyPaths)
  const steps = { ...facts.plan, tasks: rekeyed(way.tasks, facts) }
  const first = judge(steps)
  const settled = steps.tasks.map((task, i) => {
    const { rests_on: _, ...spec } = task.spec
    const verdict = first[i]?.verdict
    const platform = byId.get(spec.agent_id)?.platform ?? ''
    return { ...task, spec: verdict ? settleSpec(spec, verdict, platform) : spec }
  })
  const plan = { ...steps, tasks: settled }
  const repeats = askToRepeat(judge(plan), plan, facts)
  return { plan, judged: way.source ? askForOrigins(repeats, way.source) : repeats }
}

/** The steps under keys of their own, `2a`, `2b` for `2`. */
function rekeyed(steps: readonly PlanTask[], { root, usedKeys }: Case): PlanTask[] {
  const keys = freshKeys(root.key, usedKeys, steps.length)
  const named = new Map(steps.map(({ key }, i) => [key, keys[i] ?? key]))
  return steps.map(({ milestone: _, ...task }) => ({
    ...task,
    key: named.get(task.key) ?? task.key,
    depends_on: task.depends_on.map((key) => named.get(key) ?? key),
  }))
}

const REPEAT_RULE = 'recovery.repeat'

/** A step that changed things, or may have, is not begun a second time without a person. */
function askToRepeat(judged: readonly Judged[], plan: PlanSpec, { tasks }: Case): Judged[] {
  const done = new Set(tasks.filter(({ effect }) => effect === 'write').map((task) => sameWork(task.spec)))
  return judged.map((one, i) => {
    const spec = plan.tasks[i]?.spec
    if (one.verdict.verdict !== 'allow' || one.effect === 'read' || !spec || !done.has(sameWork(spec)))
      return one
    const reason = 'it would be done a second time, and the first may have changed something'
    return { ...one, verdict: { ...one.verdict, verdict: 'ask', rule: REPEAT_RULE, reason } }
  })
}

/** The same but for its time limit and what it rests on. */
const sameWork = ({ rests_on: _, ...spec }: CaseTask['spec']): string => specHash({ ...spec, timeout_s: 1 })
