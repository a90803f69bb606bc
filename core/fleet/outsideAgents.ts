import { randomUUID } from 'node:crypto'
import { AgentFacts } from '../protocol/frames.ts'
import type { Sql, Tx } from '../storage/sql.ts'

/** The agent of tasks that name none: any agent may pull them. Its row is nobody's, it only has the id. */
export const ANY_AGENT = '00000000-0000-0000-0000-000000000000'
const ANY_NAME = '(any)'

/** Names a program may use for itself as an agent. */
export const agentRef = /^[A-Za-z0-9][\w.:@-]{0,99}$/

/** `facts` null: an outside agent, of whose machine nothing is known. */
export type KnownAgent = { id: string; name: string; facts: AgentFacts | null }

type Row = { id: string; name: string; facts: unknown; revoked: boolean }

/** The agent of this id or name, enrolled or outside; null when there is none, or it was revoked. */
export async function findAgent(sql: Sql, ref: string): Promise<KnownAgent | null> {
  const [row] = await sql.query<Row>(
    'SELECT id, name, facts, revoked_at IS NOT NULL AS revoked FROM agent WHERE (id::text = lower($1) OR name = $1) AND id <> $2 LIMIT 1',
    [ref, ANY_AGENT],
  )
  if (!row || row.revoked) return null
  const facts = AgentFacts.safeParse(row.facts)
  return { id: row.id, name: row.name, facts: facts.success ? facts.data : null }
}

const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i

/**
 * The agent of this id or name; a name nobody has becomes an outside agent: a program that pulls tasks. Null when it
 * was revoked. Idempotent.
 */
export async function meetAgent(tx: Tx, ref: string): Promise<KnownAgent | null> {
  const known = await findAgent(tx, ref)
  if (known) return known
  await tx.query(
    "INSERT INTO agent (id, name, machine_id, credential_hash, outside) VALUES ($1, $2, 'outside', '', true) ON CONFLICT DO NOTHING",
    [uuid.test(ref) ? ref.toLowerCase() : randomUUID(), ref],
  )
  return findAgent(tx, ref)
}

/** Makes sure that the row of ANY_AGENT is there. */
export const meetAnyAgent = (tx: Tx): Promise<object[]> =>
  tx.query(
    "INSERT INTO agent (id, name, machine_id, credential_hash, outside) VALUES ($1, $2, 'outside', '', true) ON CONFLICT DO NOTHING",
    [ANY_AGENT, ANY_NAME],
  )

/** Where files of tasks without a machine are owned: a scope instead of a machine id. */
export const scopeId = (name: string | null): string => `scope:${name ?? ''}`
