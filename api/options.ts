import type { Door } from '../core/doors/judgeCall.ts'

export type ApiOptions = {
  /** Where it listens, and under which names it may be asked for. */
  door: Door
  /** Requests a second of one token, and how many at once after a rest. */
  rate: { perSecond: number; burst: number }
  /** Requests without a valid token from one address: as `rate`. */
  failures: { perSecond: number; burst: number }
  /** Milliseconds after which a request that still waits is answered with 503. */
  deadlineMs: number
}

export const defaultOptions: ApiOptions = {
  door: { host: '127.0.0.1', names: [] },
  rate: { perSecond: 1000, burst: 2000 },
  failures: { perSecond: 0.5, burst: 30 },
  deadlineMs: 10_000,
}
