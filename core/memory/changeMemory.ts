import type { Deps } from '../deps.ts'
import { tellEvent } from '../events/tellEvent.ts'
import type { Sql } from '../storage/sql.ts'
import { isOwnWords } from './isOutside.ts'
import { type Memory, memoryColumns, memoryName } from './memory.ts'
import { type Scope, scopeValues, visible } from './scope.ts'
import { MAX_TEXT } from './storeMemory.ts'
import { searchWords } from './words.ts'

/** A memory that this scope may see; undefined when there is none. */
export async function readMemory(sql: Sql, scope: Scope, id: number): Promise<Memory | undefined> {
  const [memory] = await sql.query<Memory>(
    `SELECT ${memoryColumns} FROM memory m WHERE m.id = $1 AND ${visible(2)}`,
    [id, ...scopeValues(scope)],
  )
  return memory
}

/**
 * Forgets a memory for good: its row, its words, its embedding, and where it came from, so that none of its kind is made
 * of that again; what the chat's outbox keeps of it for a while is emptied (its inbox keeps no words). What the ledger
 * tells of the run itself stays. False: there was none that the scope may see.
 */
export async function forgetMemory(tx: Sql, scope: Scope, id: number, by: string | null): Promise<boolean> {
  const [gone] = await tx.query<{ kind: string }>(
    `WITH gone AS (DELETE FROM memory m WHERE m.id = $1 AND ${visible(2)} RETURNING m.id, m.kind),
     kept AS (INSERT INTO memory_forgotten (source, kind) SELECT s.source, g.kind FROM gone g JOIN memory_source s ON s.memory_id = g.id
       ON CONFLICT DO NOTHING)
     SELECT kind FROM gone`,
    [id, ...scopeValues(scope)],
  )
  if (!gone) return false
  await emptyMessages(tx, id)
  await tellEvent(tx, 'memory.forgotten', {}, { memory: id, kind: gone.kind, by })
  return true
}

/** Messages that were sent, and showed it under its name, lose their text. What is still to be sent is left. */
const emptyMessages = (tx: Sql, id: number): Promise<object[]> =>
  tx.query(
    `UPDATE delivery SET payload = payload - 'text' WHERE status IN ('sent', 'failed') AND payload->>'text' ~ $1`,
    [`\\m${memoryName(id)}\\M`],
  )

/** `forwarded`: the words are somebody else's, sent on. */
type Correction = { id: number; text: string; by: string; forwarded?: boolean }

/**
 * Puts a person's words in place of a memory's; what was seen with it goes, and later outcomes no longer change its words.
 * What it said before can be brought back for an hour. False: there is none that the scope may see.
 */
export async function correctMemory(
  { redact }: Pick<Deps, 'redact'>,
  tx: Sql,
  scope: Scope,
  { id, text, by, forwarded = false }: Correction,
): Promise<boolean> {
  const said = redact(text.trim()).slice(0, MAX_TEXT)
  const rows = await tx.query(
    `UPDATE memory m SET before = jsonb_build_object('text', m.text, 'seen', m.seen, 'outside', m.outside, 'person_id', m.person_id)::text,
       text = $5, seen = NULL, outside = $6, words = strip(to_tsvector('english', $7)), corrected_at = clock_timestamp(),
       person_id = $8
     WHERE m.id = $1 AND ${visible(2)} RETURNING 1`,
    [id, ...scopeValues(scope), said, forwarded || !isOwnWords(text), searchWords(said), by],
  )
  if (rows.length > 0) await tellEvent(tx, 'memory.corrected', {}, { memory: id, by })
  return rows.length > 0
}

/** Brings back what a memory said before its last correction. False: that is no longer known. */
export async function undoCorrection(tx: Sql, scope: Scope, id: number, by: string): Promise<boolean> {
  const [row] = await tx.query<{ before: string }>(
    `SELECT m.before FROM memory m WHERE m.id = $1 AND m.before IS NOT NULL AND ${visible(2)} FOR UPDATE`,
    [id, ...scopeValues(scope)],
  )
  if (!row) return false
  const before = JSON.parse(row.before) as Pick<Memory, 'text' | 'seen' | 'outside'> & {
    person_id: string | null
  }
  await tx.query(
    `UPDATE memory SET text = $2, seen = $3, outside = $4, person_id = $5, words = strip(to_tsvector('english', $6)),
       corrected_at = NULL, before = NULL WHERE id = $1`,
    [
      ...[id, before.text, before.seen, before.outside, before.person_id],
      searchWords(`${before.text} ${before.seen ?? ''}`),
    ],
  )
  await tellEvent(tx, 'memory.corrected', {}, { memory: id, by, undone: true })
  return true
}
