import type { Logger } from '../config/logger.ts'
import { messageOf } from '../config/logger.ts'
import type { Database } from '../storage/openDatabase.ts'
import { beginCall, endCall, isCounted, type NewCall, noteCached, type Overrun } from './callLedger.ts'
import type { Budgets } from './model.ts'
import { ModelError } from './model.ts'
import type { Records } from './routerDeps.ts'

type Deps = { db: Pick<Database, 'query' | 'tx'>; log: Pick<Logger, 'warn'> }

const amount = (value: number, unit: Overrun['unit']): string =>
  unit === 'usd' ? `$${value.toFixed(2)}` : `${(value / 1000).toFixed(value < 10_000 ? 1 : 0)}k tokens`

/** A budget that is used up, in words. Pure. */
export function overBudget({ of, unit, used, limit, needed }: Overrun): ModelError {
  const setting = `AI_${of === 'day' ? 'DAILY' : 'RUN'}_${unit.toUpperCase()}`
  const whose =
    of === 'day' ? "Today's budget for language models" : 'The budget of this run for language models'
  const until = of === 'day' ? 'It begins anew at 00:00 UTC; ' : ''
  return new ModelError(
    'budget',
    `${whose} does not cover this any more: ${amount(used, unit)} of ${amount(limit, unit)} are used, and a question may need ${amount(needed, unit)}.`,
    `Playbooks and /run go on as before. ${until}${setting} in .env sets it.`,
  )
}

const unwritten = new ModelError(
  'budget',
  'The record of calls to language models cannot be written, so that their budget cannot be kept.',
  'Ask again once the database answers; /run goes on as before.',
)

/** Records in the ledger. While that is away calls go on unrecorded where no budget is set, and not at all where one is. */
export function ledgerRecords({ db, log }: Deps, budgets: Budgets): Records {
  const limited = Object.values(budgets).some((limit) => limit !== null)
  const told = (what: string) => (error: unknown) => void log.warn(`${what}: ${messageOf(error)}`)
  const waits = (call: NewCall): boolean => limited && isCounted(call.provider)
  return {
    waits,
    async begin(call) {
      try {
        const overrun = await beginCall(db, budgets, call)
        return overrun && overBudget(overrun)
      } catch (error) {
        told('a call to a language model could not be recorded')(error)
        return waits(call) ? unwritten : null
      }
    },
    end: (call, end) => endCall(db, call.id, end).catch(told('the end of a call could not be recorded')),
    cached: (call) => noteCached(db, call).catch(told('an answer from memory could not be recorded')),
  }
}

/** Keeps no record and no budget: for programs without a ledger. */
export const noRecords: Records = {
  waits: () => false,
  begin: async () => null,
  end: async () => {},
  cached: async () => {},
}
