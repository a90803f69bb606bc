import type { Deps } from '../core/deps.ts'
import type { JobName, JobPayload } from '../core/queue/jobs.ts'
import type { OpenQueue } from '../core/queue/openQueue.ts'
import { tellFault } from '../core/storage/tellFault.ts'

type Perform = (deps: Deps, name: JobName, payload: JobPayload<JobName>) => Promise<unknown>

/** A wake-up that the tick repeats for so long was heard by nobody, whatever the queue says of itself. */
const UNHEARD_MS = 5000
/** Two of them further apart are not repeats. */
const REPEAT_MS = 3000
/** Wake-ups remembered; beyond, remembering begins anew. */
const MAX_ASKED = 1000

/**
 * What the background services wake by: the queue, and while that is away or its workers stand still, this process
 * itself, so that work goes on at the pace of the tick. Nothing is done twice by it: a job only says "look", and what it
 * finds is claimed in the ledger.
 */
export function wakeWithoutQueue(
  deps: Deps,
  queue: Pick<OpenQueue, 'outage'>,
  perform: Perform,
): Deps['wake'] {
  const underWay = new Set<string>()
  const asked = new Map<string, { since: number; last: number }>()
  const isUnheard = (key: string): boolean => {
    const now = performance.now()
    const before = asked.get(key)
    const since = before && now - before.last < REPEAT_MS ? before.since : now
    const unheard = now - since >= UNHEARD_MS
    if (asked.size >= MAX_ASKED) asked.clear()
    asked.set(key, { since: unheard ? now : since, last: now })
    return unheard
  }
  return (name, payload) => {
    deps.wake(name, payload)
    const key = `${name} ${JSON.stringify(payload)}`
    const unheard = isUnheard(key)
    if (!(queue.outage.isOn || unheard) || underWay.has(key)) return
    underWay.add(key)
    perform(deps, name, payload)
      .catch((error) => tellFault(deps.log, name, error))
      .finally(() => underWay.delete(key))
  }
}
