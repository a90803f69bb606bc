import type { Queue } from 'bullmq'
import type { Outage } from '../config/outage.ts'
import { coalesce } from './coalesce.ts'
import { type JobName, type JobPayload, jobs, type QueueName, type Wake } from './jobs.ts'

/** The same wake-up is not asked for again sooner than this: what a burst wants is looked at once for all of it. */
const WAKE_GAP_MS = 25
/** Wake-ups on their way to the queue at most; more are left to the tick, which asks the ledger. */
const MAX_UNDER_WAY = 500

type Queues = Record<QueueName, Pick<Queue, 'add'>>

/**
 * Equal wake-ups in a short time become one job: the first at once, the rest together after the gap. While the queue
 * does not answer, one of each waits for it, and of those no more than a bounded number.
 */
export function coalescedWake(queues: Queues, outage: Outage): Wake {
  /** Keys whose job is on its way; true: asked for again meanwhile. */
  const underWay = new Map<string, boolean>()
  const add = coalesce(WAKE_GAP_MS, (key: string, name: JobName, payload: JobPayload<JobName>) => {
    if (underWay.has(key)) return void underWay.set(key, true)
    if (underWay.size >= MAX_UNDER_WAY) return
    underWay.set(key, false)
    addJob(queues, name, payload)
      .then(
        () => outage.over(),
        (error) => outage.failed(error),
      )
      .finally(() => {
        const again = underWay.get(key)
        underWay.delete(key)
        if (again && !outage.isOn) add(key, key, name, payload)
      })
  })
  return (name, payload) => {
    const key = `${name} ${JSON.stringify(payload)}`
    add(key, key, name, payload)
  }
}

const addJob = <N extends JobName>(queues: Queues, name: N, payload: JobPayload<N>) =>
  queues[jobs[name].queue].add(name, jobs[name].payload.parse(payload), {
    removeOnComplete: true,
    removeOnFail: 100,
  })
