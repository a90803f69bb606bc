import { UnrecoverableError } from 'bullmq'
import type { Outcome } from '../core/queue/jobs.ts'
import { isDatabaseAway } from '../core/storage/databaseAway.ts'

/**
 * The one place that knows BullMQ's errors: what a handler returned, in BullMQ's terms. `snooze` and `done` both end
 * the job, since the ledger remembers what is left and the tick asks again; `cancel` fails it for good.
 */
export function settle(outcome: Outcome): void {
  if (outcome.kind === 'cancel') throw new UnrecoverableError(outcome.reason)
}

/** What ioredis says of a connection that broke or is not there yet. */
const gone = /^(?:Connection is closed|Socket timeout|LOADING )/

/** Whether an error of a worker says that its queue does not answer at present. */
export const isQueueAway = (error: Error): boolean => isDatabaseAway(error) || gone.test(error.message)
