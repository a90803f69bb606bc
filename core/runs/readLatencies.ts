import type { Sql } from '../storage/sql.ts'

/** Seconds; null where it is not known (yet). */
export type Latencies = { id: string; claim: number | null; dispatch: number | null }

/** How long each attempt's task waited until it was claimed, and then until its agent had it. */
export const readLatencies = (sql: Sql, attemptIds: readonly string[]): Promise<Latencies[]> =>
  sql.query<Latencies>(
    `SELECT a.id, extract(epoch FROM a.claimed_at - t.queued_at)::float8 AS claim, extract(epoch FROM a.accepted_at - a.claimed_at)::float8 AS dispatch
     FROM attempt a JOIN task t ON t.id = a.task_id WHERE a.id = ANY($1::uuid[])`,
    [attemptIds],
  )
