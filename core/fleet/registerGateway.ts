import type { Deps } from '../deps.ts'
import { tellEvent } from '../events/tellEvent.ts'
import type { RegisterGateway } from '../protocol/http.ts'

/** Seconds between a gateway's heartbeats. */
export const HEARTBEAT_S = 5
/** A heartbeat that was made before an agent's hello may arrive after it: an agent heard of this lately stays. */
const HELLO_MS = 1000

/**
 * A gateway says that it is there, where, and which agents are connected to it; agents that it no longer names are
 * disconnected. Its heartbeat is the same call.
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
      'UPDATE agent SET last_seen_at = clock_timestamp() WHERE id = ANY($1::uuid[]) AND gateway_id = $2 AND connected',
      [gateway.agents, gateway.gateway_id],
    )
    const gone = await tx.query<{ id: string }>(
      `UPDATE agent SET connected = false, disconnected_at = clock_timestamp()
       WHERE gateway_id = $1 AND connected AND NOT id = ANY($2::uuid[])
       AND last_seen_at < clock_timestamp() - $3 * interval '1 ms' RETURNING id`,
      [gateway.gateway_id, gateway.agents, HELLO_MS],
    )
    for (const { id } of gone) await tellEvent(tx, 'agent.disconnected', { agentId: id })
    return gone.length > 0
  })
  if (changed) deps.bus.publish('agents', {})
}

/** Agents whose gateway has been silent for 30 s are disconnected. Called by the tick. */
export async function disconnectSilentOnce(deps: Pick<Deps, 'db' | 'bus'>): Promise<number> {
  const gone = await deps.db.tx(async (tx) => {
    const rows = await tx.query<{ id: string }>(
      "UPDATE agent SET connected = false, disconnected_at = last_seen_at WHERE connected AND last_seen_at < clock_timestamp() - interval '30 s' RETURNING id",
    )
    for (const { id } of rows) await tellEvent(tx, 'agent.disconnected', { agentId: id })
    return rows.length
  })
  if (gone > 0) deps.bus.publish('agents', {})
  return gone
}
