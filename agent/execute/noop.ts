import { setTimeout as sleep } from 'node:timers/promises'
import { type Action, succeeded } from './run.ts'

/** Waits and does nothing: for tests and measurements. */
export const noop: Action<'noop'> = async (run, { ms = 0 }) => {
  run.started(null)
  if (ms > 0) await sleep(ms, undefined, { signal: run.stop }).catch(() => {}) // a stop ends the wait
  return succeeded({ summary: '' })
}
