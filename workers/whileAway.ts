import type { Deps } from '../core/deps.ts'
import type { JobName, JobPayload } from '../core/queue/jobs.ts'
import type { OpenQueue } from '../core/queue/openQueue.ts'
import { tellFault } from '../core/storage/tellFault.ts'

type Perform = (deps: Deps, name: JobName, payload: JobPayload<JobName>) => Promise<unknown>

/**
 * What the background services wake by: the queue, and while that is away this process itself, so that work goes on
 * at the pace of the tick. Nothing is done twice by it: a job only says "look", and what it finds is claimed in the
 * ledger.
 */
export function wakeWithoutQueue(
  deps: Deps,
  queue: Pick<OpenQueue, 'outage'>,
  perform: Perform,
): Deps['wake'] {
  const underWay = new Set<string>()
  return (name, payload) => {
    deps.wake(name, payload)
    const key = `${name} ${JSON.stringify(payload)}`
    if (!queue.outage.isOn || underWay.has(key)) return
    underWay.add(key)
    perform(deps, name, payload)
      .catch((error) => tellFault(deps.log, name, error))
      .finally(() => underWay.delete(key))
  }
}
