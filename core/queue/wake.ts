import type { Queue } from 'bullmq'
import type { Outage } from '../config/outage.ts'
import { coalesce } from './coalesce.ts'
import { type JobName, type JobPayload, jobs, type Pace, type QueueName, type Wake } from './jobs.ts'

/** The same wake-up is not asked for again sooner than this: what a burst wants is looked at once for all of it. */
const GAP_MS: Record<Pace, number> = { soon: 3, together: 25 }
/** Wake-ups on their way to the queue at most; more are left to the tick, which asks the ledger. */
const MAX_UNDER_WAY = 500

type Queues = Record<QueueName, Pick<Queue, 'add'>>

/**
 * Equal wake-ups in a short time become one job: the first at once, the rest together after the gap. While the queue
 * does not answer, one of each waits for it, and of those no more than a bounded number. What is asked for `together`
 * becomes a job only when there is something to claim (`isAnyClaimable`, asked after the commit).
 */
export function coalescedWake(queues: Queues, outage: Outage, isAnyClaimable: () => Promise<boolean>): Wake {
  /** Keys whose job is on its way, with the most urgent pace at which it was asked for again meanwhile. */
  const underWay = new Map<string, Pace | null>()
  const ask = (pace: Pace, key: string, name: JobName, payload: JobPayload<JobName>): void => {
    const again = underWay.get(key)
    if (again !== undefined) return void underWay.set(key, again === 'soon' ? again : pace)
    if (underWay.size >= MAX_UNDER_WAY) return
    underWay.set(key, null)
    const add = async (): Promise<void> => {
      if (pace === 'together' && !(await isAnyClaimable().catch(() => true))) return
      await addJob(queues, name, payload)
    }
    add()
      .then(
        () => outage.over(),
        (error) => outage.failed(error),
      )
      .finally(() => {
        const again = underWay.get(key)
        underWay.delete(key)
        if (again && !outage.isOn) paced[again](key, again, key, name, payload)
      })
  }
  const paced = { soon: coalesce(GAP_MS.soon, ask), together: coalesce(GAP_MS.together, ask) }
  return (name, payload, pace = 'soon') => {
    const key = `${name} ${JSON.stringify(payload)}`
    paced[pace](key, pace, key, name, payload)
  }
}

const addJob = <N extends JobName>(queues: Queues, name: N, payload: JobPayload<N>) =>
  queues[jobs[name].queue].add(name, jobs[name].payload.parse(payload), {
    removeOnComplete: true,
    removeOnFail: 100,
  })
