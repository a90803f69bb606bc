import { createHash, randomInt } from 'node:crypto'
import { type Actor, toldBy } from '../people/actor.ts'
import { jsonText } from '../storage/jsonText.ts'
import type { Sql } from '../storage/sql.ts'

const letters = 'ABCDEFGHJKMNPQRSTUVWXYZ23456789'
const hashOf = (code: string): string => createHash('sha256').update(code.trim().toUpperCase()).digest('hex')

/** Minutes that a code for a new machine is valid, wherever it was asked for. */
export const JOIN_MINUTES = 30

/** A new one-time code, eight letters and digits in two groups, valid for `ttlMs`. Only its hash is kept. With its event. */
export async function newCode(
  sql: Sql,
  kind: 'pair' | 'join',
  ttlMs: number,
  createdBy: Actor,
): Promise<string> {
  const pick = () => Array.from({ length: 4 }, () => letters[randomInt(letters.length)]).join('')
  const code = `${pick()}-${pick()}`
  const { by } = toldBy(createdBy)
  await sql.query(
    `WITH made AS (INSERT INTO one_time_code (hash, kind, created_by, expires_at) VALUES ($1, $2, $3, clock_timestamp() + $4 * interval '1 ms') RETURNING 1)
     INSERT INTO event (type, data) SELECT 'code.made', $5::jsonb FROM made`,
    [hashOf(code), kind, by, ttlMs, jsonText({ kind, ...toldBy(createdBy) })],
  )
  return code
}

/** Uses a code up and says who made it. Null when it is unknown, used, expired or of the other kind. */
export async function useCode(
  sql: Sql,
  kind: 'pair' | 'join',
  code: string,
): Promise<{ createdBy: string | null } | null> {
  const [row] = await sql.query<{ createdBy: string | null }>(
    'UPDATE one_time_code SET used_at = clock_timestamp() WHERE hash = $1 AND kind = $2 AND used_at IS NULL AND expires_at > clock_timestamp() RETURNING created_by AS "createdBy"',
    [hashOf(code), kind],
  )
  return row ?? null
}
