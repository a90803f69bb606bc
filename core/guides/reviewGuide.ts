import { tellEvent } from '../events/tellEvent.ts'
import { type Actor, toldBy } from '../people/actor.ts'
import { sha256 } from '../protocol/hash.ts'
import type { Tx } from '../storage/sql.ts'
import { type GuideKind, readGuide } from './guide.ts'
import { dropOldTexts } from './storeGuide.ts'

export type Reviewed = 'reviewed' | 'known' | 'changed' | 'unknown'

type Which = { kind: GuideKind; name: string }

/**
 * Says that an owner has read the text with this hash: from now on it is used. `changed`: that is not its text any more,
 * and nothing changed. First answer wins; repeated is `known`. The caller has checked that `by` is an owner.
 */
export async function reviewGuide(
  tx: Tx,
  { kind, name, hash }: Which & { hash: string },
  by: Actor,
): Promise<Reviewed> {
  const guide = await readGuide(tx, kind, name)
  if (!guide || guide.removedAt) return 'unknown'
  if (guide.currentHash !== hash || sha256(guide.text) !== hash) return 'changed'
  if (guide.reviewedHash === hash) return 'known'
  const done = await tx.query(
    `UPDATE guide SET reviewed_hash = $3, reviewed_at = clock_timestamp(), reviewed_by = $4
     WHERE kind = $1 AND name = $2 AND current_hash = $3 AND removed_at IS NULL RETURNING name`,
    [kind, name, hash, typeof by === 'string' ? by : null],
  )
  if (done.length === 0) return 'changed'
  await dropOldTexts(tx, kind, name)
  await tellEvent(tx, 'guide.reviewed', {}, { kind, name, hash, ...toldBy(by) })
  return 'reviewed'
}

/**
 * Takes a guide out of use at once. A skill stays known by its hash, so that its directory does not bring the same text
 * back; a playbook is gone. False when there was none.
 */
export async function removeGuide(tx: Tx, { kind, name }: Which, by: Actor): Promise<boolean> {
  const done =
    kind === 'skill'
      ? await tx.query(
          `UPDATE guide SET removed_at = clock_timestamp(), reviewed_hash = NULL, reviewed_at = NULL, reviewed_by = NULL
           WHERE kind = $1 AND name = $2 AND removed_at IS NULL RETURNING name`,
          [kind, name],
        )
      : await tx.query('DELETE FROM guide WHERE kind = $1 AND name = $2 RETURNING name', [kind, name])
  if (done.length === 0) return false
  if (kind === 'skill') await dropOldTexts(tx, kind, name)
  else await tx.query('DELETE FROM guide_text WHERE kind = $1 AND name = $2', [kind, name])
  await tellEvent(tx, 'guide.removed', {}, { kind, name, ...toldBy(by) })
  return true
}

/** Gives a learned playbook another name. Its text stays, and so does its review. */
export async function renameGuide(
  tx: Tx,
  { kind, name }: Which,
  to: string,
  by: Actor,
): Promise<'renamed' | 'taken' | 'unknown'> {
  const taken = await tx.query('SELECT 1 FROM guide WHERE kind = $1 AND name = $2', [kind, to])
  if (taken.length > 0) return 'taken'
  const done = await tx.query('UPDATE guide SET name = $3 WHERE kind = $1 AND name = $2 RETURNING name', [
    kind,
    name,
    to,
  ])
  if (done.length === 0) return 'unknown'
  await tx.query('UPDATE guide_text SET name = $3 WHERE kind = $1 AND name = $2', [kind, name, to])
  await tellEvent(tx, 'guide.renamed', {}, { kind, name: to, was: name, ...toldBy(by) })
  return 'renamed'
}
