import { createHash, randomInt } from 'node:crypto'
import type { Sql } from '../storage/sql.ts'

const letters = 'ABCDEFGHJKMNPQRSTUVWXYZ23456789'
const hashOf = (code: string): string => createHash('sha256').update(code.trim().toUpperCase()).digest('hex')

/** Minutes that a code for a new machine is valid, wherever it was asked for. */
export const JOIN_MINUTES = 30

/** A new one-time code, eight letters and digits in two groups, valid for `ttlMs`. Only its hash is kept. */
export async function newCode(
  sql: Sql,
  kind: 'pair' | 'join',
  ttlMs: number,
  createdBy: string | null,
): Promise<string> {
  const pick = () => Array.from({ length: 4 }, () => letters[randomInt(letters.length)]).join('')
  const code = `${pick()}-${pick()}`
  await sql.query(
    "INSERT INTO one_time_code (hash, kind, created_by, expires_at) VALUES ($1, $2, $3, clock_timestamp() + $4 * interval '1 ms')",
    [hashOf(code), kind, createdBy, ttlMs],
  )
  return code
}

/** Uses a code up. False when it is unknown, used, expired or of the other kind. */
export async function useCode(sql: Sql, kind: 'pair' | 'join', code: string): Promise<boolean> {
  const rows = await sql.query(
    'UPDATE one_time_code SET used_at = clock_timestamp() WHERE hash = $1 AND kind = $2 AND used_at IS NULL AND expires_at > clock_timestamp() RETURNING hash',
    [hashOf(code), kind],
  )
  return rows.length > 0
}
