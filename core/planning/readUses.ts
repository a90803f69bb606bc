import { z } from 'zod'
import type { Sql } from '../storage/sql.ts'
import { complexities } from './classify.ts'
import type { PastUse } from './estimate.ts'

/** Runs that are looked back over, and plans of theirs. */
const RUNS = 2000
const PLANS = 300

const Row = z.object({
  request: z.string(),
  complexity: z.enum(complexities),
  raw: z.number(),
  used: z.number(),
})

/** What plans of models were estimated to take and what they took, the newest first. */
export async function readUses(sql: Sql): Promise<PastUse[]> {
  const rows = await sql.query(
    `SELECT left(r.request, 1000) AS request, p.source->'estimate'->>'complexity' AS complexity,
       (p.source->'estimate'->>'raw')::float8 AS raw, (p.source->>'used')::float8 AS used
     FROM run r JOIN plan p ON p.run_id = r.id
     WHERE r.number > (SELECT max(number) FROM run) - ${RUNS} AND r.number > 0 AND p.source->>'used' IS NOT NULL AND p.revised_by IS NULL
     ORDER BY r.number DESC LIMIT ${PLANS}`,
  )
  return rows.flatMap((row) => Row.safeParse(row).data ?? [])
}
