import type { Sql } from '../storage/sql.ts'

/**
 * The person that stands for a token of the REST API wherever somebody must have acted: made when new, with the
 * token's id and name. It has no role: what a token may do, its scopes say. Returns its id.
 */
export async function tokenPerson(sql: Sql, token: { tokenId: string; name: string }): Promise<string> {
  await sql.query('INSERT INTO person (id, name) VALUES ($1, $2) ON CONFLICT (id) DO NOTHING', [
    token.tokenId,
    token.name.slice(0, 64),
  ])
  return token.tokenId
}
