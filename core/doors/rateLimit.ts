/** Buckets kept at most; full ones are forgotten first, since a new one is full as well. */
const MAX_BUCKETS = 10_000

type Bucket = { level: number; at: number }

/**
 * Token buckets by key: each holds `burst` and is filled with `perSecond`. `now` is in milliseconds. Of one process:
 * two instances allow twice as much.
 */
export class RateLimit {
  readonly #buckets = new Map<string, Bucket>()
  readonly #perSecond: number
  readonly #burst: number
  constructor({ perSecond, burst }: { perSecond: number; burst: number }) {
    this.#perSecond = perSecond
    this.#burst = burst
  }

  /** Takes one. Returns 0 when there was one, else the milliseconds until there is. */
  take(key: string, now = performance.now()): number {
    const bucket = this.#bucket(key, now)
    if (bucket.level < 1) return ((1 - bucket.level) / this.#perSecond) * 1000
    bucket.level -= 1
    return 0
  }

  /** As `take` would answer, taking nothing. */
  wait(key: string, now = performance.now()): number {
    if (!this.#buckets.has(key)) return 0
    const { level } = this.#bucket(key, now)
    return level < 1 ? ((1 - level) / this.#perSecond) * 1000 : 0
  }

  #bucket(key: string, now: number): Bucket {
    const known = this.#buckets.get(key)
    const level = known ? this.#levelOf(known, now) : this.#burst
    const bucket = { level, at: now }
    if (!known && this.#buckets.size >= MAX_BUCKETS) this.#forget(now)
    this.#buckets.set(key, bucket)
    return bucket
  }

  #levelOf(bucket: Bucket, now: number): number {
    return Math.min(this.#burst, bucket.level + ((now - bucket.at) / 1000) * this.#perSecond)
  }

  #forget(now: number): void {
    for (const [key, bucket] of this.#buckets)
      if (this.#levelOf(bucket, now) >= this.#burst) this.#buckets.delete(key)
    const [oldest] = this.#buckets.keys()
    if (this.#buckets.size >= MAX_BUCKETS && oldest !== undefined) this.#buckets.delete(oldest)
  }
}
