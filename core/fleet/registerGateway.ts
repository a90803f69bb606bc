import type { Deps } from '../deps.ts'
import { tellEvent } from '../events/tellEvent.ts'
import type { RegisterGateway } from '../protocol/http.ts'
import type { Tx } from '../storage/sql.ts'

/** Seconds between a gateway's heartbeats. */
export const HEARTBEAT_S = 5
/** A heartbeat that was made before an agent's hello may arrive after it: an agent heard of this lately stays. */
const HELLO_MS = 1000

/**
 * A gateway says that it is there, where, and which agents are connected to it; connections that it no longer names
 * are gone, and an agent without any is disconnected. Its heartbeat is the same call.
 */
export async function registerGateway(
  deps: Pick<Deps, 'db' | 'bus'>,
  gateway: RegisterGateway,
): Promise<void> {
  const changed = await deps.db.tx(async (tx) => {
    const [row] = await tx.query<{ fresh: boolean }>(
      `INSERT INTO gateway (id, name, url, last_seen_at) VALUES ($1, $2, $3, clock_timestamp())
       ON CONFLICT (id) DO UPDATE SET name = $2, url = $3, last_seen_at = clock_timestamp() RETURNING xmax = 0 AS fresh`,
      [gateway.gateway_id, gateway.name, gateway.url],
    )
    if (row?.fresh)
      await tellEvent(tx, 'gateway.registered', {}, { gateway_id: gateway.gateway_id, name: gateway.name })
    await tx.query(
      `WITH seen AS (UPDATE agent_link SET last_seen_at = clock_timestamp() WHERE gateway_id = $2 AND agent_id = ANY($1::uuid[]) RETURNING agent_id)
       UPDATE agent SET last_seen_at = clock_timestamp() FROM seen WHERE id = seen.agent_id AND connected`,
      [gateway.agents, gateway.gateway_id],
    )
    await tx.query(
      `DELETE FROM agent_link WHERE gateway_id = $1 AND NOT agent_id = ANY($2::uuid[])
       AND last_seen_at < clock_timestamp() - $3 * interval '1 ms'`,
      [gateway.gateway_id, gateway.agents, HELLO_MS],
    )
    const gone = await disconnectUnlinked(tx)
    return gone > 0
  })
  if (changed) deps.bus.publish('agents', {})
}

/** Agents that no gateway names any more are disconnected, as of when they were last heard of. Returns how many. */
async function disconnectUnlinked(tx: Tx): Promise<number> {
  const unlinked = 'connected AND NOT EXISTS (SELECT 1 FROM agent_link l WHERE l.agent_id = a.id)'
  // Locked first and looked at again: one that just connected elsewhere held the lock until its link was there.
  const locked = await tx.query<{ id: string }>(
    `SELECT id FROM agent a WHERE ${unlinked} ORDER BY id FOR NO KEY UPDATE`,
  )
  if (locked.length === 0) return 0
  const gone = await tx.query<{ id: string }>(
    `UPDATE agent a SET connected = false, disconnected_at = least(clock_timestamp(), last_seen_at)
     WHERE id = ANY($1::uuid[]) AND ${unlinked} RETURNING id`,
    [locked.map((row) => row.id)],
  )
  for (const { id } of gone) await tellEvent(tx, 'agent.disconnected', { agentId: id })
  return gone.length
}

/**
 * A gateway has said that an agent is not connected to it: the connection that was read before (`since`) is gone, and with
 * the last one the agent. It comes back with its hello or the gateway's heartbeat. One made in the last second stays: a
 * gateway takes its agent in only after the ledger did.
 */
export async function dropLink(
  deps: Pick<Deps, 'db' | 'bus'>,
  agentId: string,
  gateway: { id: string; since?: string },
): Promise<void> {
  const isGone = await deps.db.tx(async (tx) => {
    await tx.query('SELECT 1 FROM agent WHERE id = $1 FOR NO KEY UPDATE', [agentId]) // as its hello does
    const gone = await tx.query(
      `DELETE FROM agent_link WHERE agent_id = $1 AND gateway_id = $2 AND since = $3::timestamptz
       AND since < clock_timestamp() - $4 * interval '1 ms' RETURNING 1`,
      [agentId, gateway.id, gateway.since ?? null, HELLO_MS],
    )
    return gone.length > 0 && (await disconnectUnlinked(tx)) > 0
  })
  if (isGone) deps.bus.publish('agents', {})
}

/** Connections whose gateway has been silent for 30 s are gone, and with the last one the agent. Called by the tick. */
export async function disconnectSilentOnce(deps: Pick<Deps, 'db' | 'bus'>): Promise<number> {
  const gone = await deps.db.tx(async (tx) => {
    await tx.query(
      `DELETE FROM agent_link l USING agent a WHERE a.id = l.agent_id
       AND least(l.last_seen_at, a.last_seen_at) < clock_timestamp() - interval '30 s'`,
    )
    return disconnectUnlinked(tx)
  })
  if (gone > 0) deps.bus.publish('agents', {})
  return gone
}
