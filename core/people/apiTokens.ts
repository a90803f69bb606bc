import { createHash, randomBytes, randomUUID } from 'node:crypto'
import { jsonText } from '../storage/jsonText.ts'
import type { Sql } from '../storage/sql.ts'
import { type Actor, toldBy } from './actor.ts'
import type { Role } from './people.ts'

export const scopes = ['read', 'operate', 'gateway', 'agent', 'admin'] as const
export type Scope = (typeof scopes)[number]

/** What the ledger keeps of a token, and looks it up by: how alike two tokens are shows in nothing. */
export const hashToken = (token: string): string => createHash('sha256').update(token).digest('hex')

/**
 * Makes a token with scopes and returns it; only its hash is kept, so it is shown once. `personId`: whose it is; it may
 * then what this person may, as far as its scopes go.
 */
export async function newApiToken(
  sql: Sql,
  name: string,
  granted: readonly Scope[],
  personId: string | null = null,
  by: Actor = null,
): Promise<string> {
  const token = `sky_${randomBytes(32).toString('base64url')}`
  await setApiToken(sql, name, token, granted, personId, by)
  return token
}

/** Makes sure that this token is known under this name (the installation's own tokens), with its event. Idempotent. */
export async function setApiToken(
  sql: Sql,
  name: string,
  token: string,
  granted: readonly Scope[],
  personId: string | null = null,
  by: Actor = null,
): Promise<void> {
  const id = randomUUID()
  const told = { token_id: id, name, scopes: granted, person_id: personId, ...toldBy(by) }
  await sql.query(
    `WITH made AS (INSERT INTO api_token (id, name, hash, scopes, person_id) VALUES ($1, $2, $3, $4, $5) ON CONFLICT (hash) DO NOTHING RETURNING 1)
     INSERT INTO event (type, data) SELECT 'token.made', $6::jsonb FROM made`,
    [id, name, hashToken(token), granted, personId, jsonText(told)],
  )
}

/** A token in use, and the person it belongs to, with the role they have now. */
export type KnownToken = Pick<TokenRow, 'id' | 'name' | 'scopes'> & {
  person: { id: string; role: Role | null } | null
}

/** A token that is not revoked; null for any other text. */
export async function findApiToken(sql: Sql, token: string): Promise<KnownToken | null> {
  const [row] = await sql.query<KnownToken>(
    `SELECT t.id, t.name, t.scopes, CASE WHEN t.person_id IS NOT NULL THEN jsonb_build_object('id', t.person_id, 'role', p.role) END AS person
     FROM api_token t LEFT JOIN person p ON p.id = t.person_id WHERE t.hash = $1 AND t.revoked_at IS NULL`,
    [hashToken(token)],
  )
  return row ?? null
}

export type TokenRow = {
  id: string
  name: string
  scopes: Scope[]
  /** Whose it is; null: nobody's. */
  person: string | null
  created_at: Date
  revoked_at: Date | null
}
export const listApiTokens = (sql: Sql): Promise<TokenRow[]> =>
  sql.query<TokenRow>(
    'SELECT t.id, t.name, t.scopes, p.name AS person, t.created_at, t.revoked_at FROM api_token t LEFT JOIN person p ON p.id = t.person_id ORDER BY t.created_at',
  )

/** Revokes tokens by name or id, each with its event. Returns how many stopped working. */
export const revokeApiToken = async (sql: Sql, nameOrId: string, by: Actor = null): Promise<number> =>
  (
    await sql.query(
      `WITH gone AS (UPDATE api_token SET revoked_at = clock_timestamp() WHERE (name = $1 OR id::text = $1) AND revoked_at IS NULL RETURNING id, name)
       INSERT INTO event (type, data) SELECT 'token.revoked', jsonb_build_object('token_id', id, 'name', name) || $2::jsonb FROM gone RETURNING 1`,
      [nameOrId, jsonText(toldBy(by))],
    )
  ).length
