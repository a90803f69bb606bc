import type { Deps } from '../../core/deps.ts'
import { dispatchTasks } from '../../core/dispatch/dispatchTasks.ts'
import type { Outcome } from '../../core/queue/jobs.ts'

/** `tasks.dispatch`: claims and dispatches whatever can run. */
export async function dispatch(deps: Deps): Promise<Outcome> {
  await dispatchTasks(deps)
  return { kind: 'done' }
}
