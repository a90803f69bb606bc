import type { Deps } from '../../core/deps.ts'
import { planRun } from '../../core/planning/planRun.ts'
import type { JobPayload, Outcome } from '../../core/queue/jobs.ts'

/** `run.plan`: plans the run, unless another planner has it. */
export async function plan(
  deps: Deps,
  payload: JobPayload<'run.plan'>,
  signal: AbortSignal,
): Promise<Outcome> {
  await planRun(deps, payload.runId, signal)
  return { kind: 'done' }
}
