import type { Deps } from '../../core/deps.ts'
import { cancelAttempts } from '../../core/dispatch/cancelAttempts.ts'
import type { Outcome } from '../../core/queue/jobs.ts'

/** `attempts.cancel`: tells the agents of attempts that are to die. */
export async function cancel(deps: Deps): Promise<Outcome> {
  await cancelAttempts(deps)
  return { kind: 'done' }
}
