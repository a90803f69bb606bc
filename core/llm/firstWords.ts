import type { Sql } from '../storage/sql.ts'

/** Milliseconds until a model's first word, at the median of what it answered within a day; null where it answered nothing. */
export type FirstWords = (of: { provider: string; model: string }) => number | null

/** The one source of the time to the first word, for all that show it. */
export async function readFirstWords(sql: Sql): Promise<FirstWords> {
  const rows = await sql.query<{ provider: string; model: string; ms: number }>(
    `SELECT provider, model, (percentile_cont(0.5) WITHIN GROUP (ORDER BY first_ms))::float8 AS ms FROM model_call
     WHERE outcome = 'answered' AND purpose <> 'embed' AND first_ms IS NOT NULL AND at >= clock_timestamp() - interval '1 day' GROUP BY provider, model`,
  )
  const known = new Map(rows.map(({ provider, model, ms }) => [`${provider} ${model}`, ms]))
  return ({ provider, model }) => known.get(`${provider} ${model}`) ?? null
}
