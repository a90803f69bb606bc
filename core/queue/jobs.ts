import { z } from 'zod'

/**
 * The catalogue of jobs. A job is a wake-up: it says "look", and what it means stands in the ledger. Losing every
 * one of them loses nothing, since the maintenance tick asks again.
 */
export const jobs = {
  /** Plan a run that is in `planning`. */
  'run.plan': { queue: 'planning', payload: z.strictObject({ runId: z.uuid() }) },
  /** Claim and dispatch whatever is claimable. */
  'tasks.dispatch': { queue: 'control', payload: z.strictObject({}) },
  /** See what of a run can go on: a task of another run has ended that one of its own waits for. */
  'run.settle': { queue: 'control', payload: z.strictObject({ runId: z.uuid() }) },
  /** Find a way for what failed in a run. */
  'run.recover': { queue: 'planning', payload: z.strictObject({ runId: z.uuid() }) },
  /** Deliver the cancels that are asked for and not yet confirmed. */
  'attempts.cancel': { queue: 'control', payload: z.strictObject({}) },
} as const

export type JobName = keyof typeof jobs
export type JobPayload<N extends JobName> = z.infer<(typeof jobs)[N]['payload']>
export const queueNames = ['control', 'planning'] as const
export type QueueName = (typeof queueNames)[number]

/** What a handler returns; workers/settle.ts is the one place that turns it into BullMQ's terms. */
export type Outcome = { kind: 'done' } | { kind: 'snooze'; ms: number } | { kind: 'cancel'; reason: string }

/**
 * `soon`: somebody waits for it. `together`: slots or files became free; that waits a little for others like it, and comes
 * to a job only when there is work to give them to.
 */
export type Pace = 'soon' | 'together'

/** How a committed change asks for attention. Losing a wake-up delays work until the next tick, no more. */
export type Wake = <N extends JobName>(name: N, payload: JobPayload<N>, pace?: Pace) => void
