import { UnrecoverableError } from 'bullmq'
import type { Outcome } from '../core/queue/jobs.ts'

/**
 * The one place that knows BullMQ's errors: what a handler returned, in BullMQ's terms. `snooze` and `done` both end
 * the job, since the ledger remembers what is left and the tick asks again; `cancel` fails it for good.
 */
export function settle(outcome: Outcome): void {
  if (outcome.kind === 'cancel') throw new UnrecoverableError(outcome.reason)
}
