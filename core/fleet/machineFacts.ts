import { AgentFacts } from '../protocol/frames.ts'
import type { Sql } from '../storage/sql.ts'

export type Machine = {
  agentId: string
  name: string
  connected: boolean
  disconnectedAt: Date | null
  lastSeenAt: Date | null
  gatewayId: string | null
  facts: AgentFacts
}

type Row = {
  id: string
  name: string
  facts: unknown
  connected: boolean
  disconnected_at: Date | null
  last_seen_at: Date | null
  gateway_id: string | null
}

/** Agents that said hello at least once and are not revoked, in order of name. */
export async function listMachines(sql: Sql): Promise<Machine[]> {
  const rows = await sql.query<Row>(
    `SELECT id, name, facts, connected AND last_seen_at > clock_timestamp() - interval '30 s' AS connected, disconnected_at, last_seen_at, gateway_id
     FROM agent WHERE revoked_at IS NULL AND facts IS NOT NULL ORDER BY name`,
  )
  return rows.flatMap((row) => {
    const facts = AgentFacts.safeParse(row.facts)
    if (!facts.success) return []
    return [
      {
        agentId: row.id,
        name: row.name,
        connected: row.connected,
        disconnectedAt: row.disconnected_at,
        lastSeenAt: row.last_seen_at,
        gatewayId: row.gateway_id,
        facts: facts.data,
      },
    ]
  })
}
