import type { Deps } from '../deps.ts'
import { noteCall } from '../fleet/gatewayHealth.ts'
import { dropLink } from '../fleet/registerGateway.ts'
import {
  type GatewayCandidate,
  gatewaysOf,
  type RankedGateway,
  rankGateways,
} from '../scheduling/rankGateways.ts'
import type { Sql } from '../storage/sql.ts'
import { type CallOutcome, callGateway } from './gatewayClient.ts'

export type ReachDeps = Pick<Deps, 'db' | 'bus' | 'wake' | 'gatewayToken'>
/** `gatewayId`: who took it. */
export type Reached = { kind: 'ok'; gatewayId: string } | Exclude<CallOutcome, { kind: 'ok' }>

/** The gateways that reach each of the agents and answer, the best one first; with `all` also those that do not. */
export async function readGateways(
  sql: Sql,
  agentIds: readonly string[],
  which: 'usable' | 'all' = 'usable',
): Promise<Map<string, RankedGateway[]>> {
  const rows = await sql.query<{ id: string; gateways: GatewayCandidate[] }>(
    `SELECT a.id, reach.gateways FROM agent a CROSS JOIN LATERAL (${gatewaysOf('a.id', which)}) reach
     WHERE a.id = ANY($1::uuid[]) AND a.connected AND reach.gateways IS NOT NULL`,
    [[...new Set(agentIds)]],
  )
  return new Map(rows.map((row) => [row.id, rankGateways(row.gateways)]))
}

/**
 * Posts to an agent's gateways, one after the other, until one takes it: for what may arrive twice, since the agent
 * does the same thing once only. `undelivered` when it surely reached none, `unknown` when one may have it. Every
 * outcome is noted in the ledger, and a gateway that says that the agent is not connected to it is not tried again until
 * it says otherwise.
 */
export async function reachAgent(
  deps: ReachDeps,
  agentId: string,
  gateways: readonly RankedGateway[],
  path: string,
  body: unknown,
): Promise<Reached> {
  let kept: Reached = { kind: 'undelivered', status: null, reason: 'no gateway that answers reaches it' }
  for (const gateway of gateways) {
    const outcome = await callGateway(
      deps.gatewayToken,
      'POST',
      `${gateway.url.replace(/\/+$/, '')}${path}`,
      body,
    )
    await noteCall(deps, gateway, hasAnswered(outcome))
    if (outcome.kind === 'ok') return { kind: 'ok', gatewayId: gateway.id }
    if (outcome.code === AGENT_OFFLINE) await dropLink(deps, agentId, gateway)
    if (kept.kind !== 'unknown') kept = outcome
  }
  return kept
}

/** What a gateway answers for an agent that is not connected to it (gateway/routes.ts). */
const AGENT_OFFLINE = 'AGENT_OFFLINE'

/** Refusals of the call itself are answers; a fault of the gateway's own, or its token, is none. */
const hasAnswered = (outcome: CallOutcome): boolean =>
  outcome.kind === 'ok' ||
  (outcome.status !== null &&
    ![401, 403, 404].includes(outcome.status) &&
    (outcome.status < 500 || outcome.status === 503))
