import type { ModelFault, Reach } from './model.ts'

/*
 * How a model has been doing, as a fold over what was recorded of its calls: each process adds its own calls at once
 * and those of others from the ledger, and one that starts begins with the last hour's. The policy of the breaker is
 * the table below and nothing else (docs/adr/0018).
 */

/** How a call ended, for this model's health. `cancelled` and faults of the question say nothing of it. */
export type Seen = {
  provider: string
  model: string
  outcome: string
  reach: Reach
  /** Milliseconds since the epoch. */
  at: number
  /** Until when the provider asked to be left alone. */
  retryAt: number | null
  firstMs: number | null
}

export type Health = {
  /** Failures in a row. */
  failures: number
  /** Not asked before then, while there is another. */
  openUntil: number
  /** The provider itself named that time. */
  asked: boolean
  fault: ModelFault | null
  okAt: number | null
  faultAt: number | null
  /** Moving average of the time to the first text. */
  firstMs: number | null
  /** Moving share of calls that were answered. */
  success: number
}

const fresh: Health = {
  failures: 0,
  openUntil: 0,
  asked: false,
  fault: null,
  okAt: null,
  faultAt: null,
  firstMs: null,
  success: 1,
}

/** After how many failures in a row it opens, for how long at first, and at most; each further one doubles. */
type Cooling = { after: number; firstMs: number; mostMs: number }
const minute = 60_000
const cooling: Partial<Record<ModelFault, Cooling>> = {
  rate: { after: 1, firstMs: 30_000, mostMs: 10 * minute },
  quota: { after: 1, firstMs: 15 * minute, mostMs: 6 * 60 * minute },
  key: { after: 1, firstMs: 10 * minute, mostMs: 60 * minute },
  unknown_model: { after: 1, firstMs: 10 * minute, mostMs: 60 * minute },
  timeout: { after: 1, firstMs: 30_000, mostMs: 5 * minute },
  slow: { after: 2, firstMs: 30_000, mostMs: 5 * minute },
  unreachable: { after: 2, firstMs: 15_000, mostMs: 5 * minute },
  server: { after: 2, firstMs: 15_000, mostMs: 5 * minute },
  answer: { after: 3, firstMs: 30_000, mostMs: 5 * minute },
}
/** Weight of the newest call in a moving average. */
const NEWEST = 0.3

const isFailure = (outcome: string): outcome is ModelFault => Object.hasOwn(cooling, outcome)

/** The health after one more call. Pure. */
export function judge(before: Health | undefined, seen: Seen): Health {
  const now = before ?? fresh
  if (seen.outcome === 'answered')
    return {
      ...now,
      ...{ failures: 0, openUntil: 0, asked: false, fault: null, okAt: seen.at },
      success: now.success + NEWEST * (1 - now.success),
      firstMs: average(now.firstMs, seen.firstMs),
    }
  if (!isFailure(seen.outcome)) return now
  const failures = now.failures + 1
  return {
    ...now,
    failures,
    ...closing(seen, seen.outcome, failures, now),
    fault: seen.outcome,
    faultAt: seen.at,
    success: now.success * (1 - NEWEST),
  }
}

function closing(
  seen: Seen,
  fault: ModelFault,
  failures: number,
  now: Health,
): Pick<Health, 'openUntil' | 'asked'> {
  const rule = cooling[fault]
  if (!rule || failures < rule.after) return { openUntil: now.openUntil, asked: now.asked }
  const own = Math.min(rule.firstMs * 2 ** (failures - rule.after), rule.mostMs)
  // A daily quota does not come back in the seconds that some name with it.
  const until = seen.retryAt !== null && fault !== 'quota' ? seen.retryAt : seen.at + own
  return { openUntil: Math.max(now.openUntil, until, seen.retryAt ?? 0), asked: seen.retryAt !== null }
}

const average = (before: number | null, newest: number | null): number | null =>
  newest === null ? before : before === null ? newest : before + NEWEST * (newest - before)

type Named = { provider: string; model: string }
const isFree = ({ provider, model }: Named): boolean => provider === 'openrouter' && model.endsWith(':free')
const own = ({ provider, model }: Named): string => `${provider}:${model}`
const all = ({ provider }: Named): string => `${provider}:*`
const allFree = ({ provider }: Named): string => `${provider}:*:free`

/** What is known of every model, in this process. */
export class HealthBook {
  readonly #health = new Map<string, Health>()
  /** Until when somebody is trying an open one out. */
  readonly #trials = new Map<string, number>()

  note(seen: Seen): void {
    const { reach } = seen
    this.#add(own(seen), seen)
    this.#trials.delete(own(seen))
    const wider = reach === 'provider' ? all(seen) : reach === 'free models' ? allFree(seen) : null
    if (wider) this.#add(wider, seen)
    if (seen.outcome !== 'answered') return
    for (const key of [all(seen), ...(isFree(seen) ? [allFree(seen)] : [])])
      if (this.#health.has(key)) this.#add(key, seen)
  }

  #add(key: string, seen: Seen): void {
    this.#health.set(key, judge(this.#health.get(key), seen))
  }

  /** The model's own health, with what concerns all of its provider. */
  of(model: Named): Health {
    const keys = [own(model), all(model), ...(isFree(model) ? [allFree(model)] : [])]
    const known = keys.flatMap((key) => this.#health.get(key) ?? [])
    const worst = known.reduce((a, b) => (b.openUntil > a.openUntil ? b : a), known[0] ?? fresh)
    const mine = this.#health.get(own(model)) ?? fresh
    return {
      ...mine,
      ...{ openUntil: worst.openUntil, asked: worst.asked, fault: worst.fault ?? mine.fault },
    }
  }

  /** Whether it may be asked now: closed, or open for long enough and nobody else is trying it out. */
  ready(model: Named, now: number): boolean {
    const { openUntil } = this.of(model)
    return openUntil <= now && (this.#trials.get(own(model)) ?? 0) <= now
  }

  /** Takes note that an ailing one is being tried: until it is known how that went, others leave it alone. */
  tryOut(model: Named, now: number, forMs: number): void {
    if (this.of(model).failures > 1) this.#trials.set(own(model), now + forMs)
  }
}
