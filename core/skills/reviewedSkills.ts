import { sha256 } from '../protocol/hash.ts'
import type { Sql } from '../storage/sql.ts'
import { readSkill, type Skill, SkillFault } from './readSkill.ts'

/** A reviewed skill as it is offered: all that is known of it before it is chosen. */
export type OfferedSkill = { name: string; description: string; hash: string }

/** The skills that an owner has reviewed, by name and description, as they are in the ledger now. */
export const offeredSkills = (sql: Sql): Promise<OfferedSkill[]> =>
  sql.query<OfferedSkill>(
    `SELECT g.name, t.description, t.hash FROM guide g
     JOIN guide_text t ON t.kind = g.kind AND t.name = g.name AND t.hash = g.reviewed_hash
     WHERE g.kind = 'skill' AND g.removed_at IS NULL ORDER BY g.name LIMIT 2000`,
  )

/** The skills that were chosen, in this order, with their texts. One whose text is not what was reviewed is left out. */
export async function readChosen(sql: Sql, chosen: readonly OfferedSkill[]): Promise<Skill[]> {
  if (chosen.length === 0) return []
  const rows = await sql.query<{ name: string; hash: string; text: string }>(
    `SELECT name, hash, text FROM guide_text
     WHERE kind = 'skill' AND (name, hash) IN (SELECT * FROM unnest($1::text[], $2::text[]))`,
    [chosen.map(({ name }) => name), chosen.map(({ hash }) => hash)],
  )
  return chosen.flatMap(({ name, hash }) => {
    const text = rows.find((row) => row.name === name && row.hash === hash)?.text ?? ''
    const skill = sha256(text) === hash ? readOrNull(text) : null
    return skill?.name === name ? [skill] : []
  })
}

function readOrNull(text: string): Skill | null {
  try {
    return readSkill(text)
  } catch (error) {
    if (error instanceof SkillFault) return null
    throw error
  }
}
