import { setTimeout as sleep } from 'node:timers/promises'

const FIRST_MS = 100
const MAX_MS = 5000

/** Waits after the nth failure in a row: 100 ms and then double, at most 5 s, jittered by half. */
export function backoff(failures: number): Promise<void> {
  const limit = Math.min(MAX_MS, FIRST_MS * 2 ** Math.min(failures - 1, 10))
  return sleep(limit * (0.5 + Math.random() / 2))
}
