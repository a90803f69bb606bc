import type { Sql } from '../storage/sql.ts'

/**
 * The person who acted when a token of the REST API did: the one it belongs to, else one that stands for it, made when
 * new with the token's id and name. That one has no role: what such a token may do, its scopes say. Returns its id.
 */
export async function tokenPerson(
  sql: Sql,
  token: { tokenId: string; name: string; person: { id: string } | null },
): Promise<string> {
  if (token.person) return token.person.id
  await sql.query('INSERT INTO person (id, name) VALUES ($1, $2) ON CONFLICT (id) DO NOTHING', [
    token.tokenId,
    token.name.slice(0, 64),
  ])
  return token.tokenId
}
