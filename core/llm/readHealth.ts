import type { Sql } from '../storage/sql.ts'
import { recentFaults } from './callLedger.ts'
import { readFirstWords } from './firstWords.ts'
import { HealthBook } from './health.ts'

export type HealthState = 'ok' | 'failing' | 'resting' | 'unknown'
export type ModelHealth = {
  model: string
  state: HealthState
  fault: string | null
  /** Milliseconds since the epoch. */
  restingUntil: number | null
  success: number
  /** At the median, within a day. */
  firstMs: number | null
  answered: number
  failed: number
}
export type ProviderHealth = {
  name: string
  models: readonly string[]
  state: HealthState
  each: ModelHealth[]
}

const HOUR_MS = 3_600_000
const best: readonly HealthState[] = ['ok', 'failing', 'resting', 'unknown']

/**
 * How the models that are set up have done in the last hour, by what all processes recorded: those of the settings, and
 * others of theirs that were asked.
 */
export async function readHealth(
  sql: Sql,
  providers: readonly { name: string; models: readonly string[] }[],
  now: number,
): Promise<ProviderHealth[]> {
  const [seen, firstWord] = await Promise.all([recentFaults(sql, HOUR_MS, now), readFirstWords(sql)])
  const book = new HealthBook()
  for (const one of seen) book.note(one)
  return providers.map(({ name, models }) => {
    const asked = seen.filter(({ provider }) => provider === name)
    const all = [...new Set([...models, ...asked.map(({ model }) => model)])]
    const each = all.map((model) => {
      const own = asked.filter((one) => one.model === model)
      const { fault, openUntil, success } = book.of({ provider: name, model })
      const firstMs = firstWord({ provider: name, model })
      const answered = own.filter(({ outcome }) => outcome === 'answered').length
      const resting = openUntil > now
      const known = own.length > 0 || resting
      return {
        ...{ model, fault, success, firstMs, answered, failed: own.length - answered },
        restingUntil: resting ? openUntil : null,
        state: resting
          ? ('resting' as const)
          : !known
            ? ('unknown' as const)
            : fault
              ? ('failing' as const)
              : ('ok' as const),
      }
    })
    return {
      name,
      models,
      each,
      state: best.find((state) => each.some((one) => one.state === state)) ?? 'unknown',
    }
  })
}
