import type { Queue } from 'bullmq'
import type { Outage } from '../config/outage.ts'
import { coalesce } from './coalesce.ts'
import { type JobName, type JobPayload, jobs, type QueueName, type Wake } from './jobs.ts'

/** The same wake-up is not asked for again sooner than this: what a burst wants is looked at once for all of it. */
const WAKE_GAP_MS = 25
/** The same, of what this process does itself: that costs no job. */
const HERE_GAP_MS = 4
/** Wake-ups on their way to the queue at most; more are left to the tick, which asks the ledger. */
const MAX_UNDER_WAY = 500

type Queues = Record<QueueName, Pick<Queue, 'add'>>

/**
 * What this process does itself when it is woken, without a job: it has workers, and a hop through the queue to itself
 * would only take time. Other processes are woken by their own; what is lost is found by the tick, as with jobs.
 */
export type Here = Map<JobName, (payload: object) => Promise<unknown>>

/**
 * Equal wake-ups in a short time become one job, or are done once here: the first at once, the rest together after the
 * gap, and never two at a time. While the queue does not answer, one of each waits for it, and of those no more than a
 * bounded number.
 */
export function coalescedWake(queues: Queues, outage: Outage, here: Here = new Map()): Wake {
  /** Keys whose job is on its way; true: asked for again meanwhile. */
  const underWay = new Map<string, boolean>()
  const act = (key: string, name: JobName, payload: JobPayload<JobName>): void => {
    if (underWay.has(key)) return void underWay.set(key, true)
    if (underWay.size >= MAX_UNDER_WAY) return
    underWay.set(key, false)
    const own = here.get(name)
    const done = own
      ? own(payload)
      : addJob(queues, name, payload).then(
          () => outage.over(),
          (error) => outage.failed(error),
        )
    done.finally(() => {
      const again = underWay.get(key)
      underWay.delete(key)
      if (again && (own || !outage.isOn)) wake(name, payload)
    })
  }
  const add = coalesce(WAKE_GAP_MS, act)
  const doHere = coalesce(HERE_GAP_MS, act)
  const wake: Wake = (name, payload) => {
    const key = `${name} ${JSON.stringify(payload)}`
    if (here.has(name)) doHere(key, key, name, payload)
    else add(key, key, name, payload)
  }
  return wake
}

const addJob = <N extends JobName>(queues: Queues, name: N, payload: JobPayload<N>) =>
  queues[jobs[name].queue].add(name, jobs[name].payload.parse(payload), {
    removeOnComplete: true,
    removeOnFail: 100,
  })
