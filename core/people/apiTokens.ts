import { createHash, randomBytes, randomUUID } from 'node:crypto'
import type { Sql } from '../storage/sql.ts'

export const scopes = ['read', 'operate', 'gateway', 'agent', 'admin'] as const
export type Scope = (typeof scopes)[number]

/** What the ledger keeps of a token, and looks it up by: how alike two tokens are shows in nothing. */
export const hashToken = (token: string): string => createHash('sha256').update(token).digest('hex')

/** Makes a token with scopes and returns it; only its hash is kept, so it is shown once. */
export async function newApiToken(sql: Sql, name: string, granted: readonly Scope[]): Promise<string> {
  const token = `sky_${randomBytes(32).toString('base64url')}`
  await setApiToken(sql, name, token, granted)
  return token
}

/** Makes sure that this token is known under this name (the installation's own tokens). Idempotent. */
export async function setApiToken(
  sql: Sql,
  name: string,
  token: string,
  granted: readonly Scope[],
): Promise<void> {
  await sql.query(
    'INSERT INTO api_token (id, name, hash, scopes) VALUES ($1, $2, $3, $4) ON CONFLICT (hash) DO NOTHING',
    [randomUUID(), name, hashToken(token), granted],
  )
}

/** A token that is not revoked; null for any other text. */
export async function findApiToken(
  sql: Sql,
  token: string,
): Promise<Pick<TokenRow, 'id' | 'name' | 'scopes'> | null> {
  const [row] = await sql.query<Pick<TokenRow, 'id' | 'name' | 'scopes'>>(
    'SELECT id, name, scopes FROM api_token WHERE hash = $1 AND revoked_at IS NULL',
    [hashToken(token)],
  )
  return row ?? null
}

export type TokenRow = {
  id: string
  name: string
  scopes: Scope[]
  created_at: Date
  revoked_at: Date | null
}
export const listApiTokens = (sql: Sql): Promise<TokenRow[]> =>
  sql.query<TokenRow>('SELECT id, name, scopes, created_at, revoked_at FROM api_token ORDER BY created_at')

/** Revokes tokens by name or id. Returns how many stopped working. */
export const revokeApiToken = async (sql: Sql, nameOrId: string): Promise<number> =>
  (
    await sql.query(
      'UPDATE api_token SET revoked_at = clock_timestamp() WHERE (name = $1 OR id::text = $1) AND revoked_at IS NULL RETURNING id',
      [nameOrId],
    )
  ).length
