import type { Model } from '../llm/model.ts'
import type { RunView, TaskView } from '../runs/viewRun.ts'
import { lastTests } from './lastTests.ts'
import { meetsFailing } from './meetConditions.ts'
import type { Playbook } from './playbook.ts'
import { nameOf } from './resolvePath.ts'

type Run = {
  status: RunView['status']
  cwd: string | null
  tasks: readonly Pick<TaskView, 'action' | 'status' | 'result' | 'spec' | 'endedAt'>[]
}

/** Whether "Plan a fix" can come to anything for a run: a model is set, or a playbook mends just this failure. Pure. */
export function canPlanFix(playbooks: readonly Playbook[], model: Model | null, run: Run): boolean {
  if (run.status !== 'failed' || !run.tasks.some((task) => task.result !== null)) return false
  if (model) return true
  const tests = lastTests(endedTasks(run))
  return playbooks.some(
    ({ only, requires }) =>
      requires.failing !== undefined &&
      meetsFailing(requires.failing, tests) &&
      (typeof only.repository !== 'string' || only.repository === nameOf(run.cwd ?? '')),
  )
}

const endedTasks = ({ tasks }: Run) =>
  tasks
    .flatMap(({ result, endedAt, ...task }) => (result && endedAt ? [{ ...task, result, endedAt }] : []))
    .sort((a, b) => b.endedAt.getTime() - a.endedAt.getTime())
    .map(({ action, status, spec, result }) => ({
      action,
      status,
      command: typeof spec.params.command === 'string' ? spec.params.command : null,
      summary: result.summary,
    }))
