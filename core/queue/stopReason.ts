/**
 * Why a job's signal is aborted when its worker stops. Any other reason, such as a lock that was lost, may be the job's own
 * doing and counts as one of its tries.
 */
const STOPS = new Error('the worker stops')

/** Tells every job that listens to it that the worker stops. */
export const stopJobs = (stopping: AbortController): void => stopping.abort(STOPS)

/** Whether a job's signal was aborted because its worker stops. Pure. */
export const isWorkerStopping = (signal: AbortSignal): boolean => signal.aborted && signal.reason === STOPS
