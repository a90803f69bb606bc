import type { Deps } from '../../core/deps.ts'
import type { JobPayload, Outcome } from '../../core/queue/jobs.ts'
import { recoverRun } from '../../core/recovery/recoverRun.ts'

/** `run.recover`: looks for another way for what failed, unless another worker does. */
export async function recover(
  deps: Deps,
  payload: JobPayload<'run.recover'>,
  signal: AbortSignal,
): Promise<Outcome> {
  await recoverRun(deps, payload.runId, signal)
  return { kind: 'done' }
}
