import { z } from 'zod'

/**
 * Live traffic between processes: what is lost here is in the ledger. `run.changed`: something of the run changed.
 * `log`: the end of what the ledger has just recorded of an attempt, its pieces after number `after` up to `seq`; who
 * has not seen `after` has missed some, and finds them in the ledger. `plan.draft`: what a model has
 * written so far of a run's plan, in words; `over`: it has ended. `deliver`: the outbox has something. `agents`:
 * the fleet changed. `lost`: messages did not arrive; whoever goes by them looks at the ledger.
 */
export const topics = {
  'run.changed': z.object({ runId: z.string() }),
  log: z.object({
    runId: z.string(),
    taskId: z.string(),
    attemptId: z.string(),
    after: z.int(),
    seq: z.int(),
    text: z.string(),
  }),
  'plan.draft': z.object({ runId: z.string(), text: z.string(), over: z.boolean() }),
  deliver: z.object({}),
  agents: z.object({}),
  lost: z.object({}),
} as const

export type Topic = keyof typeof topics
export type Message<T extends Topic> = z.infer<(typeof topics)[T]>

const one = <T extends Topic>(topic: T) => z.object({ topic: z.literal(topic), message: topics[topic] })

/** A message with its topic. */
export const Addressed = z.discriminatedUnion('topic', [
  one('run.changed'),
  one('log'),
  one('plan.draft'),
  one('deliver'),
  one('agents'),
  one('lost'),
])
export type Addressed = { [T in Topic]: { topic: T; message: Message<T> } }[Topic]
