import type { Sql, Tx } from '../storage/sql.ts'
import type { Seen } from './health.ts'
import type { Budgets, Reach } from './model.ts'

/** One request, as it is sent. */
export type NewCall = {
  id: string
  questionId: string
  provider: string
  model: string
  purpose: string
  need: string
  runId: string | null
  personId: string | null
  hedge: boolean
  /** The most it may come to. */
  reservedTokens: number
  reservedUsd: number | null
}

/** How it ended. */
export type EndedCall = {
  outcome: string
  tokensIn: number
  tokensOut: number
  tokensCached: number
  estimated: boolean
  costUsd: number | null
  ms: number
  firstMs: number | null
  /** Milliseconds from now for which the provider asked to be left alone. */
  retryAfterMs: number | null
}

/** A budget that does not cover a call: which, how much of it is used, and what the call may need; tokens or US dollars. */
export type Overrun = {
  of: 'day' | 'run'
  unit: 'tokens' | 'usd'
  used: number
  limit: number
  needed: number
}

type Database = Sql & { tx<T>(work: (tx: Tx) => Promise<T>): Promise<T> }

/** Models on one's own machine cost nothing and are not counted. */
export const isCounted = (provider: string): boolean => provider !== 'ollama'

/** Any constant: those who write under a budget take turns. */
const BUDGET_LOCK = 5_201_113

const insert = `INSERT INTO model_call (id, question_id, provider, model, purpose, need, run_id, person_id, hedge, reserved_tokens, reserved_usd)
  VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`
const values = (call: NewCall) => [
  call.id,
  call.questionId,
  call.provider,
  call.model,
  call.purpose,
  call.need,
  call.runId,
  call.personId,
  call.hedge,
  call.reservedTokens,
  call.reservedUsd,
]

/** Day: from midnight UTC. A call whose end is not known counts with all that was reserved for it. */
const sums = (where: string): string => `
  SELECT coalesce(sum(coalesce(tokens_in + tokens_out, reserved_tokens)), 0)::float8 AS tokens,
    coalesce(sum(CASE WHEN ended_at IS NULL OR outcome = 'lost' THEN reserved_usd ELSE cost_usd END), 0)::float8 AS usd
  FROM model_call WHERE ${where} AND provider <> 'ollama'`
const today = "at >= date_trunc('day', clock_timestamp() AT TIME ZONE 'UTC') AT TIME ZONE 'UTC'"

export type Used = { tokens: number; usd: number }

/** What was used today. */
export async function usedToday(sql: Sql): Promise<Used> {
  const [row] = await sql.query<Used>(sums(today))
  return row ?? { tokens: 0, usd: 0 }
}

async function usedByRun(sql: Sql, runId: string): Promise<Used> {
  const [row] = await sql.query<Used>(sums('run_id = $1'), [runId])
  return row ?? { tokens: 0, usd: 0 }
}

const over = (
  of: Overrun['of'],
  used: Used,
  call: NewCall,
  limit: { tokens: number | null; usd: number | null },
) => {
  if (limit.tokens !== null && used.tokens + call.reservedTokens > limit.tokens)
    return {
      ...{ of, unit: 'tokens' as const },
      ...{ used: used.tokens, limit: limit.tokens, needed: call.reservedTokens },
    }
  if (limit.usd !== null && used.usd + (call.reservedUsd ?? 0) > limit.usd)
    return {
      ...{ of, unit: 'usd' as const },
      ...{ used: used.usd, limit: limit.usd, needed: call.reservedUsd ?? 0 },
    }
  return null
}

const hasLimit = ({ dailyTokens, dailyUsd, runTokens, runUsd }: Budgets, call: NewCall): boolean =>
  isCounted(call.provider) &&
  (dailyTokens !== null ||
    dailyUsd !== null ||
    (call.runId !== null && (runTokens !== null || runUsd !== null)))

/**
 * Writes down a request before it is sent. Under a budget it is not written, and must not be sent, when with all that
 * is reserved for it the budget would be passed; several processes take turns for that.
 */
export async function beginCall(db: Database, budgets: Budgets, call: NewCall): Promise<Overrun | null> {
  if (!hasLimit(budgets, call)) {
    await db.query(insert, values(call))
    return null
  }
  return db.tx(async (tx) => {
    const [, day, run] = await Promise.all([
      // What is reserved is forgotten with the server, if that dies within the second: nobody waits for the disk.
      tx.query("SELECT pg_advisory_xact_lock($1), set_config('synchronous_commit', 'off', true)", [
        BUDGET_LOCK,
      ]),
      usedToday(tx),
      call.runId === null ? null : usedByRun(tx, call.runId),
    ])
    const overrun =
      (run && over('run', run, call, { tokens: budgets.runTokens, usd: budgets.runUsd })) ??
      over('day', day, call, { tokens: budgets.dailyTokens, usd: budgets.dailyUsd })
    if (overrun) return overrun
    await tx.query(insert, values(call))
    return null
  })
}

/** Writes down how it ended. Idempotent: the first end counts. */
export async function endCall(sql: Sql, id: string, end: EndedCall): Promise<void> {
  await sql.query(
    `UPDATE model_call SET ended_at = clock_timestamp(), outcome = $2, tokens_in = $3, tokens_out = $4, tokens_cached = $5, estimated = $6,
       cost_usd = $7, ms = $8, first_ms = $9, retry_at = clock_timestamp() + $10::float8 * interval '1 ms' WHERE id = $1 AND ended_at IS NULL`,
    [
      id,
      end.outcome,
      end.tokensIn,
      end.tokensOut,
      end.tokensCached,
      end.estimated,
      end.costUsd,
      end.ms,
      end.firstMs,
      end.retryAfterMs,
    ],
  )
}

/** A question that was answered from memory: nothing was sent. */
export async function noteCached(sql: Sql, call: NewCall): Promise<void> {
  await sql.query(
    `INSERT INTO model_call (id, question_id, provider, model, purpose, need, run_id, person_id, ended_at, outcome, tokens_in, tokens_out, tokens_cached, cost_usd, ms)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, clock_timestamp(), 'cached', 0, 0, 0, 0, 0)`,
    values(call).slice(0, 8),
  )
}

type Row = {
  id: string
  provider: string
  model: string
  outcome: string
  age: number
  retry: number | null
  firstMs: number | null
}
export type Recent = Seen & { id: string }

/** Where a fault concerns more than its model it says so by itself; kept with the record it would say the same. */
const reachOfRow = ({ outcome, provider, model }: Row): Reach =>
  outcome === 'unreachable'
    ? 'provider'
    : outcome === 'quota'
      ? provider === 'openrouter' && model.endsWith(':free')
        ? 'free models'
        : 'provider'
      : 'model'

/**
 * The calls that ended in the last `ms` milliseconds, oldest first, by this machine's clock `now`. Wrong keys and
 * unknown models are left out: each process learns those itself, and a restart with other settings begins anew.
 */
export async function recentCalls(sql: Sql, ms: number, now: number): Promise<Recent[]> {
  return readRecent(sql, ms, now, ['key', 'unknown_model'])
}

/** The same with all faults, for people. */
export const recentFaults = (sql: Sql, ms: number, now: number): Promise<Recent[]> =>
  readRecent(sql, ms, now, [])

/** Calls that are read at once; of more, the newest tell how a model is doing. */
const MOST_RECENT = 2000

async function readRecent(sql: Sql, ms: number, now: number, without: string[]): Promise<Recent[]> {
  const rows = await sql.query<Row>(
    `SELECT id, provider, model, outcome, first_ms AS "firstMs",
       (extract(epoch FROM clock_timestamp() - ended_at) * 1000)::float8 AS age,
       (extract(epoch FROM retry_at - clock_timestamp()) * 1000)::float8 AS retry
     FROM model_call WHERE ended_at > clock_timestamp() - $1::float8 * interval '1 ms' AND purpose <> 'embed' AND outcome NOT IN ('cached', 'cancelled') AND outcome <> ALL($2::text[])
     ORDER BY ended_at DESC LIMIT ${MOST_RECENT}`,
    [ms, without],
  )
  return rows.reverse().map((row) => ({
    ...{ id: row.id, provider: row.provider, model: row.model, outcome: row.outcome, firstMs: row.firstMs },
    reach: reachOfRow(row),
    at: now - row.age,
    retryAt: row.retry === null ? null : now + row.retry,
  }))
}

/** Calls whose process died are closed; what was reserved for them stays counted. Returns how many. */
export async function closeLostCalls(sql: Sql): Promise<number> {
  const rows = await sql.query(
    `UPDATE model_call SET outcome = 'lost', ended_at = clock_timestamp() WHERE ended_at IS NULL AND at < clock_timestamp() - interval '10 min' RETURNING id`,
  )
  return rows.length
}
