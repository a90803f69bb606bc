/** Half of a memory's recency is gone after seven days. */
const HALF_LIFE_MS = 7 * 86_400_000
/** As often as counts. */
const OFTEN = 10

/**
 * How much a memory is worth for a question, 0 to 1: 25% recency (half-life seven days), 30% success (1.0, or 0.3 for
 * what failed), 35% relevance, 10% frequency, where ten times is as much as a hundred. Pure.
 */
export function importance(of: {
  ageMs: number
  succeeded: boolean | null
  /** 0 to 1. */
  relevance: number
  times: number
}): number {
  const recency = 0.5 ** (Math.max(0, of.ageMs) / HALF_LIFE_MS)
  const success = of.succeeded === false ? 0.3 : 1
  const relevance = Math.min(1, Math.max(0, of.relevance))
  const frequency = Math.min(1, of.times / OFTEN)
  return Math.min(1, 0.25 * recency + 0.3 * success + 0.35 * relevance + 0.1 * frequency)
}
