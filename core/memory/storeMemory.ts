import { createHash } from 'node:crypto'
import type { Deps } from '../deps.ts'
import type { Sql } from '../storage/sql.ts'
import type { MemoryKind } from './memory.ts'
import { searchWords } from './words.ts'

export type NewMemory = {
  kind: MemoryKind
  /** What makes it the same again: of what is alike there is one memory, which then has been so more often. */
  like: readonly (string | number | null)[]
  text: string
  seen?: string | null
  outside: boolean
  succeeded: boolean | null
  personId: string | null
  chatId: number | null
  agentId: string | null
  cwd: string | null
  runId: string | null
  /** What it comes from: counted once, and never again once it was forgotten. */
  source: string
  at: Date
}

/** Characters of a memory, and of what was seen with it, at most. */
export const MAX_TEXT = 2000
const MAX_SEEN = 1200

const keyOf = ({ kind, like }: Pick<NewMemory, 'kind' | 'like'>): string =>
  createHash('sha256')
    .update(JSON.stringify([kind, ...like]))
    .digest('base64url')

/**
 * Remembers something: makes a memory, or tells one that is alike that it was so again. Everything is redacted first.
 * The same source counts once, whatever order sources come in; of two tellings the newer stands, with whose it is: words
 * are never somebody's who did not tell them. What a person has corrected keeps their words, with nothing that was seen.
 * Returns its id; null when this was forgotten.
 */
export async function storeMemory(
  { redact }: Pick<Deps, 'redact'>,
  tx: Sql,
  memory: NewMemory,
): Promise<number | null> {
  const text = redact(memory.text).slice(0, MAX_TEXT)
  const seen = memory.seen ? redact(memory.seen).slice(0, MAX_SEEN) : null
  const [row] = await tx.query<{ id: number }>(
    `INSERT INTO memory AS m (kind, key, text, seen, outside, succeeded, person_id, chat_id, agent_id, cwd, run_id, last_at, words)
     SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, strip(to_tsvector('english', $13))
     WHERE NOT EXISTS (SELECT 1 FROM memory_forgotten f WHERE f.source = $14 AND f.kind = $1)
     ON CONFLICT (key) DO UPDATE SET last_at = greatest(m.last_at, EXCLUDED.last_at),
       (text, seen, outside, person_id, succeeded, run_id, words) = (SELECT
         CASE WHEN o.own THEN m.text ELSE EXCLUDED.text END, CASE WHEN o.own THEN m.seen ELSE EXCLUDED.seen END,
         CASE WHEN o.own THEN m.outside ELSE EXCLUDED.outside END, CASE WHEN o.own THEN m.person_id ELSE EXCLUDED.person_id END,
         CASE WHEN o.newer THEN EXCLUDED.succeeded ELSE m.succeeded END,
         CASE WHEN o.newer THEN EXCLUDED.run_id ELSE m.run_id END, CASE WHEN o.own THEN m.words ELSE EXCLUDED.words END
         FROM (SELECT EXCLUDED.last_at >= m.last_at AS newer, m.corrected_at IS NOT NULL OR EXCLUDED.last_at < m.last_at AS own) o)
     RETURNING id`,
    [
      memory.kind,
      keyOf(memory),
      text,
      seen,
      memory.outside,
      memory.succeeded,
      memory.personId,
      memory.chatId,
      memory.agentId,
      memory.cwd,
      memory.runId,
      memory.at.toISOString(),
      searchWords(`${text} ${seen ?? ''}`),
      memory.source,
    ],
  )
  if (!row) return null
  await tx.query(
    `WITH told AS (INSERT INTO memory_source (memory_id, source) VALUES ($1, $2) ON CONFLICT DO NOTHING RETURNING 1)
     UPDATE memory SET times = times + 1 WHERE id = $1 AND EXISTS (SELECT 1 FROM told)
       AND EXISTS (SELECT 1 FROM memory_source WHERE memory_id = $1)`,
    [row.id, memory.source],
  )
  return row.id
}
