import type { PlanSpec, PlanTask } from '../protocol/specs.ts'

/** A plan in the form in which a model proposes one, so that it can be shown one and change it. Pure. */
export const draftOf = (plan: PlanSpec): object => ({
  cannot: null,
  summary: plan.summary,
  milestones: plan.milestones,
  tasks: plan.tasks.map(draftTask),
})

const draftTask = ({ key, title, milestone, depends_on, about = {}, spec }: PlanTask): object => {
  const { argv: _, ...params } = spec.params
  return {
    key,
    title,
    reason: about.why ?? '',
    call: { action: spec.action, ...params },
    directory: spec.cwd,
    depends_on,
    milestone: milestone ?? null,
    writes: spec.required_files,
    network: spec.network,
    timeout_s: spec.timeout_s,
    expects: about.expects ?? null,
    check: about.check ?? null,
    undo: about.undo ?? null,
  }
}
