import { startsPrograms } from '../../core/planning/judgePlan.ts'
import type { RunView, TaskView } from '../../core/runs/viewRun.ts'
import { maskWarnings, unmask } from './unmask.ts'
import { exactAction } from './words.ts'

/** Said once where anything of the plan holds what only looks like something else. */
export const maskLine = (run: RunView): string[] =>
  maskWarnings(
    run.tasks.map((task) => `${exactAction(task)}${unmask(`${task.cwd} ${restNames(task)}`)}`).join('\n'),
  )

const restNames = ({ spec }: TaskView): string => (spec.rests_on ?? []).map(({ path }) => path).join(' ')

/** What it can reach: the network, the machine beside its roots, secrets. */
export function reachLines({ action, spec, confined }: TaskView): string[] {
  const walls = !startsPrograms(action) || confined === null ? [] : [confined ? 'confined' : '⚠️ not confined']
  return [
    [`network ${spec.network ? 'yes' : 'no'}`, ...walls].join(' · '),
    ...(spec.secrets ? [`🔑 is given ${spec.secrets.join(', ')}`] : []),
  ]
}
