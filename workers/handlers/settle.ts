import type { Deps } from '../../core/deps.ts'
import type { Outcome } from '../../core/queue/jobs.ts'
import { settleRun } from '../../core/runs/settleRun.ts'

/** `run.settle`: a run goes on after a task of another one that it waited for. Idempotent. */
export async function settleDependent(deps: Deps, { runId }: { runId: string }): Promise<Outcome> {
  await deps.db.tx((tx) => settleRun(deps, tx, runId))
  return { kind: 'done' }
}
