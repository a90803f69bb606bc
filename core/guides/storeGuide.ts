import { tellEvent } from '../events/tellEvent.ts'
import { type Actor, toldBy } from '../people/actor.ts'
import { sha256 } from '../protocol/hash.ts'
import type { Tx } from '../storage/sql.ts'
import type { Guide, GuideKind } from './guide.ts'

export type FoundGuide = {
  kind: GuideKind
  name: string
  source: string
  description: string
  text: string
  origins?: readonly string[]
  runId?: string
}

/** `taken`: the name belongs to a text from elsewhere; nothing changed. */
export type Stored = { kind: 'new' | 'changed' | 'known'; hash: string } | { kind: 'taken'; source: string }

/**
 * Puts a text into the ledger, inert: only a review makes it count. A name belongs to the source that had it first.
 * `by`: who brought it; what was removed comes back when a person brings it, or when its text is another. Idempotent.
 */
export async function storeGuide(tx: Tx, found: FoundGuide, by: Actor): Promise<Stored> {
  const hash = sha256(found.text)
  const { kind, name, source } = found
  const fresh = await tx.query(
    `INSERT INTO guide (kind, name, source, current_hash, origins, run_id, made_by) VALUES ($1, $2, $3, $4, $5, $6, $7)
     ON CONFLICT DO NOTHING RETURNING name`,
    [kind, name, source, hash, found.origins ?? [], found.runId ?? null, typeof by === 'string' ? by : null],
  )
  if (fresh.length > 0) return keep(tx, found, hash, 'new', by)
  const [row] = await tx.query<Pick<Guide, 'source' | 'currentHash' | 'removedAt'>>(
    `SELECT source, current_hash AS "currentHash", removed_at AS "removedAt" FROM guide WHERE kind = $1 AND name = $2 FOR UPDATE`,
    [kind, name],
  )
  if (!row) throw new Error(`${name} was removed while it was stored`)
  if (row.source !== source && row.removedAt === null) return { kind: 'taken', source: row.source }
  const back = row.removedAt !== null && by !== null
  if (row.currentHash === hash && !back) return { kind: 'known', hash }
  await tx.query(
    `UPDATE guide SET current_hash = $3, source = $4, found_at = clock_timestamp(), removed_at = NULL
     WHERE kind = $1 AND name = $2`,
    [kind, name, hash, source],
  )
  return keep(tx, found, hash, 'changed', by)
}

async function keep(
  tx: Tx,
  { kind, name, source, description, text }: FoundGuide,
  hash: string,
  stored: 'new' | 'changed',
  by: Actor,
): Promise<Stored> {
  await tx.query(
    `INSERT INTO guide_text (kind, name, hash, description, text) VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING`,
    [kind, name, hash, description, text],
  )
  await dropOldTexts(tx, kind, name)
  await tellEvent(
    tx,
    by === null ? 'guide.found' : 'guide.brought',
    {},
    { kind, name, hash, source, ...toldBy(by) },
  )
  return { kind: stored, hash }
}

/** Only the newest text and the reviewed one are kept. */
export const dropOldTexts = (tx: Tx, kind: GuideKind, name: string): Promise<object[]> =>
  tx.query(
    `DELETE FROM guide_text t USING guide g WHERE t.kind = $1 AND t.name = $2 AND g.kind = t.kind AND g.name = t.name
     AND t.hash <> g.current_hash AND t.hash IS DISTINCT FROM g.reviewed_hash`,
    [kind, name],
  )
