import type { RecoveryStatus } from '../events/states.ts'
import type { Sql } from '../storage/sql.ts'
import { type Rung, rungs } from './ladder.ts'

export type StepCount = { rung: Rung; by: 'rule' | 'model' | 'person'; status: RecoveryStatus; n: number }

/** How many steps of recovery there were, by what they were and what came of them; of all runs in the ledger. */
export const countSteps = (sql: Sql): Promise<StepCount[]> =>
  sql.query<StepCount>(
    'SELECT v.rung, v.by, v.status, count(*)::int AS n FROM recovery v GROUP BY 1, 2, 3 ORDER BY 1, 2, 3',
  )

export type Helped = { rung: Rung; helped: number; ended: number }

/** Of each kind of step, how many helped of those whose outcome is known; in the order in which they are taken. Pure. */
export function helpedOf(counts: readonly StepCount[]): Helped[] {
  const sum = (rung: Rung, ...some: RecoveryStatus[]): number =>
    counts.reduce((total, one) => total + (one.rung === rung && some.includes(one.status) ? one.n : 0), 0)
  return rungs
    .map((rung) => ({ rung, helped: sum(rung, 'helped'), ended: sum(rung, 'helped', 'not_helped') }))
    .filter(({ ended }) => ended > 0)
}
