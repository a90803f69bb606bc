import type { Sql } from '../storage/sql.ts'

/**
 * Tokens that the recovery of a run has used since a person last sent it on: `tokens` by the answers that its steps got,
 * `asked` by the record of all requests, those that failed or were repeated among them, and those on their way with what
 * is reserved for them. The record may lag a little behind, so whoever asks takes the larger.
 */
export async function tokensUsed(sql: Sql, runId: string): Promise<{ tokens: number; asked: number }> {
  const [row] = await sql.query<{ tokens: number; asked: number }>(
    `SELECT (SELECT coalesce(sum(o.tokens), 0)::float8 FROM recovery o WHERE o.run_id = r.id AND o.created_at >= r.started_at) AS tokens,
       (SELECT coalesce(sum(coalesce(c.tokens_in + c.tokens_out, c.reserved_tokens)), 0)::float8 FROM model_call c
         WHERE c.run_id = r.id AND c.purpose IN ('recover', 'repair') AND c.at >= r.started_at) AS asked
     FROM run r WHERE r.id = $1`,
    [runId],
  )
  return row ?? { tokens: 0, asked: 0 }
}
