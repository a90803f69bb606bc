import type { Sql } from '../storage/sql.ts'
import { type Used, usedToday } from './callLedger.ts'
import { readFirstWords } from './firstWords.ts'

/** What calls to language models came to. */
export type Totals = {
  /** Requests that were sent. */
  calls: number
  answered: number
  /** Questions answered from memory. */
  remembered: number
  tokensIn: number
  tokensOut: number
  tokensCached: number
  /** US dollars, of those whose price is known. */
  usd: number
  /** Tokens whose price is not known. */
  unpriced: number
}
export type ModelUse = Totals & {
  provider: string
  model: string
  /** At the median, within a day. */
  firstMs: number | null
  ends: Record<string, number>
}
/** Tokens of each provider on one day, `2026-11-21` by UTC. */
export type DayUse = { day: string; providers: Record<string, number>; usd: number }
export type Usage = {
  today: Totals
  period: Totals
  /** What counts against the budgets of today. */
  counted: Used
  models: ModelUse[]
  days: DayUse[]
  purposes: [string, number][]
}

const totals = `
  count(*) FILTER (WHERE outcome <> 'cached')::int AS calls, count(*) FILTER (WHERE outcome = 'answered')::int AS answered,
  count(*) FILTER (WHERE outcome = 'cached')::int AS remembered, coalesce(sum(tokens_in), 0)::float8 AS "tokensIn",
  coalesce(sum(tokens_out), 0)::float8 AS "tokensOut", coalesce(sum(tokens_cached), 0)::float8 AS "tokensCached",
  coalesce(sum(cost_usd), 0)::float8 AS usd, coalesce(sum(tokens_in + tokens_out) FILTER (WHERE cost_usd IS NULL), 0)::float8 AS unpriced`
const midnight = "date_trunc('day', clock_timestamp() AT TIME ZONE 'UTC') AT TIME ZONE 'UTC'"
/** From midnight UTC so many days ago, today among them. */
const since = `at >= ${midnight} - ($1::int - 1) * interval '1 day'`

const none: Totals = {
  ...{ calls: 0, answered: 0, remembered: 0 },
  ...{ tokensIn: 0, tokensOut: 0, tokensCached: 0, usd: 0, unpriced: 0 },
}

/** The use of language models over the last `days` days, today among them, by UTC. */
export async function readUsage(sql: Sql, days: number): Promise<Usage> {
  const [[today], [period], models, rows, purposes, firstWord] = await Promise.all([
    sql.query<Totals>(`SELECT ${totals} FROM model_call WHERE at >= ${midnight}`),
    sql.query<Totals>(`SELECT ${totals} FROM model_call WHERE ${since}`, [days]),
    sql.query<Omit<ModelUse, 'firstMs'>>(
      `SELECT coalesce((SELECT jsonb_object_agg(outcome, n) FROM (SELECT outcome, count(*)::int AS n FROM model_call one
         WHERE ${since} AND one.provider = model_call.provider AND one.model = model_call.model AND outcome NOT IN ('answered', 'cached') GROUP BY outcome) ended), '{}') AS ends, provider, model, ${totals}
       FROM model_call WHERE ${since} GROUP BY provider, model ORDER BY coalesce(sum(tokens_in + tokens_out), 0) DESC, 1, 2`,
      [days],
    ),
    sql.query<{ day: string; provider: string; tokens: number; usd: number }>(
      `SELECT to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD') AS day, provider, coalesce(sum(tokens_in + tokens_out), 0)::float8 AS tokens,
         coalesce(sum(cost_usd), 0)::float8 AS usd FROM model_call WHERE ${since} GROUP BY 1, 2`,
      [days],
    ),
    sql.query<{ purpose: string; tokens: number }>(
      `SELECT purpose, coalesce(sum(tokens_in + tokens_out), 0)::float8 AS tokens FROM model_call WHERE ${since} GROUP BY 1 ORDER BY 2 DESC LIMIT 6`,
      [days],
    ),
    readFirstWords(sql),
  ])
  const [{ day: newest } = { day: '' }] = await sql.query<{ day: string }>(
    `SELECT to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD') AS day`,
  )
  return {
    today: today ?? none,
    period: period ?? none,
    counted: await usedToday(sql),
    models: models.map((one) => ({ ...one, firstMs: firstWord(one) })),
    days: lastDays(newest, days).map((day) => dayOf(day, rows)),
    purposes: purposes.map(({ purpose, tokens }) => [purpose, tokens]),
  }
}

/** The days up to `newest`, oldest first. Pure. */
function lastDays(newest: string, days: number): string[] {
  const end = Date.parse(`${newest}T00:00:00Z`)
  return Array.from({ length: days }, (_, i) =>
    new Date(end - (days - 1 - i) * 86_400_000).toISOString().slice(0, 10),
  )
}

function dayOf(
  day: string,
  rows: readonly { day: string; provider: string; tokens: number; usd: number }[],
): DayUse {
  const own = rows.filter((row) => row.day === day)
  return {
    day,
    providers: Object.fromEntries(
      own.filter(({ tokens }) => tokens > 0).map(({ provider, tokens }) => [provider, tokens]),
    ),
    usd: own.reduce((sum, { usd }) => sum + usd, 0),
  }
}
