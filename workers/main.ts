import type { Job, Worker } from 'bullmq'
import type { Deps } from '../core/deps.ts'
import { type JobName, jobs, type Outcome, type QueueName, queueNames } from '../core/queue/jobs.ts'
import type { OpenQueue } from '../core/queue/openQueue.ts'
import { stopJobs } from '../core/queue/stopReason.ts'
import { tellFault } from '../core/storage/tellFault.ts'
import { cancel } from './handlers/cancel.ts'
import { dispatch } from './handlers/dispatch.ts'
import { plan } from './handlers/plan.ts'
import { recover } from './handlers/recover.ts'
import { settleDependent } from './handlers/settle.ts'
import { startServices } from './maintenance/tick.ts'
import { isQueueAway, settle } from './settle.ts'
import { wakeWithoutQueue } from './whileAway.ts'

type Handler = (deps: Deps, payload: never, signal: AbortSignal) => Promise<Outcome>

const handlers: Record<JobName, Handler> = {
  'run.plan': plan,
  'tasks.dispatch': dispatch,
  'run.settle': settleDependent,
  'run.recover': recover,
  'attempts.cancel': cancel,
}

/** Jobs handled at once: dispatching drains by itself, planning mostly waits for a model. */
const concurrency: Record<QueueName, number> = { control: 2, planning: 8 }

/**
 * A worker that dies is noticed after this; the defaults of BullMQ take a minute (3-6 s with these, measured). A queue
 * that does not answer is asked again after a second.
 */
const recovery = { lockDuration: 5000, stalledInterval: 2500, maxStalledCount: 10, runRetryDelay: 1000 }

type WorkerQueue = Pick<OpenQueue, 'makeWorker' | 'outage'>

/** What may wait for a model for long: it is broken off when its worker stops, and done by the next one. */
const brokenOff: ReadonlySet<JobName> = new Set(['run.plan', 'run.recover'])

/**
 * Starts the queue's workers and the maintenance services. `stop` lets what is under way end, but for planning and looking
 * for another way: these are broken off, and done by the next worker.
 */
export function startWorkers(deps: Deps, queue: WorkerQueue): { stop(): Promise<void> } {
  const stopping = new AbortController()
  const workers = queueNames.map((name) => startWorker(deps, queue, name, stopping.signal))
  const perform = (own: Deps, name: JobName, payload: object) =>
    handlers[name](own, payload as never, stopping.signal)
  void deps.model?.warm?.()
  const stopServices = startServices({ ...deps, wake: wakeWithoutQueue(deps, queue, perform) })
  return {
    stop: async () => {
      stopJobs(stopping)
      await Promise.all([stopServices(), ...workers.map((worker) => worker.close())])
    },
  }
}

function startWorker(deps: Deps, queue: WorkerQueue, name: QueueName, stopping: AbortSignal): Worker {
  const worker = queue.makeWorker(name, (job, _token, signal) => handle(deps, job, stopping, signal), {
    concurrency: concurrency[name],
    ...recovery,
  })
  worker.on('error', (error) => {
    if (isQueueAway(error)) queue.outage.failed(error)
    else tellFault(deps.log, `worker ${name}`, error)
  })
  worker.on('failed', (job, error) => tellFault(deps.log, `job ${job?.name}`, error))
  return worker
}

/** A job whose name or payload is not in the catalogue ends with a line in the log; it never stops the worker. */
async function handle(deps: Deps, job: Job, stopping: AbortSignal, lost?: AbortSignal): Promise<void> {
  if (!(job.name in jobs)) return settle({ kind: 'cancel', reason: `unknown job ${job.name}` })
  const name = job.name as JobName
  const payload = jobs[name].payload.safeParse(job.data)
  if (!payload.success) return settle({ kind: 'cancel', reason: `malformed payload of ${name}` })
  const signals = [...(lost ? [lost] : []), ...(brokenOff.has(name) ? [stopping] : [])]
  settle(await handlers[name](deps, payload.data as never, AbortSignal.any(signals)))
}
