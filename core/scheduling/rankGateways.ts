/** What the ledger knows of a gateway that reaches an agent. */
export type GatewayCandidate = {
  id: string
  name: string
  url: string
  /** Moving share of calls and probes that it answered, 0 to 1. */
  successRate: number
  /** Moving average of a probe; null before the first. */
  latencyMs: number | null
  /** Calls in a row that it did not answer. */
  failures: number
  /** Its breaker is not closed: nothing is sent through it until a probe was answered. */
  open: boolean
  /** Agents connected to it. */
  agents: number
  /** Attempts of this agent that were sent through it and have not ended. */
  inHand: number
  /** When the agent last said hello there, as PostgreSQL writes it. */
  since?: string
}

export type RankedGateway = GatewayCandidate & {
  score: number
  parts: Record<'health' | 'load' | 'history', { value: number; reason: string }>
}

/** Hundredths of the score. */
const weights = { health: 40, load: 25, history: 35 } as const
/** A probe that takes this long halves what quickness counts. */
const SLOW_MS = 250
/** This many agents, or attempts in hand, halve what idleness counts. */
const MANY_AGENTS = 50
const MANY_IN_HAND = 16

/**
 * The gateways that reach an agent in the order in which they are tried: those whose breaker is closed first, then by
 * health (failures in a row, quickness), load and history, then by name and id. Pure; the order they come in does not
 * matter.
 */
export function rankGateways(gateways: readonly GatewayCandidate[]): RankedGateway[] {
  return gateways
    .map(rankOne)
    .sort(
      (a, b) =>
        Number(a.open) - Number(b.open) ||
        b.score - a.score ||
        compare(a.name, b.name) ||
        compare(a.id, b.id),
    )
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)

function rankOne(gateway: GatewayCandidate): RankedGateway {
  const { open, failures, latencyMs, agents, inHand, successRate } = gateway
  const quick = 1 / (1 + (latencyMs ?? 0) / SLOW_MS)
  const parts = {
    health: {
      value: open ? 0 : quick / (1 + failures),
      reason: open ? 'does not answer' : healthWords(failures, latencyMs),
    },
    load: {
      value: 1 / (1 + agents / MANY_AGENTS + inHand / MANY_IN_HAND),
      reason: `${agents} ${agents === 1 ? 'agent' : 'agents'}, ${inHand} in hand for this one`,
    },
    history: { value: successRate, reason: `answered ${Math.round(successRate * 100)} % lately` },
  }
  const score =
    weights.health * parts.health.value + weights.load * parts.load.value + weights.history * successRate
  return { ...gateway, score: Math.round(score * 10) / 10, parts }
}

const healthWords = (failures: number, latencyMs: number | null): string =>
  failures > 0
    ? `${failures} ${failures === 1 ? 'call' : 'calls'} in a row unanswered`
    : latencyMs === null
      ? 'not probed yet'
      : `answers in ${Math.max(1, Math.round(latencyMs))} ms`

/**
 * The GatewayCandidates of an agent as a subquery with one column `gateways`: null when none may be used. `which`:
 * `usable` leaves those out whose breaker is not closed.
 */
export const gatewaysOf = (agent: string, which: 'usable' | 'all' = 'usable'): string => `
  SELECT jsonb_agg(jsonb_build_object('id', g.id, 'name', g.name, 'url', g.url, 'successRate', g.success_rate, 'latencyMs', g.latency_ms,
    'failures', g.failures, 'since', l.since, 'open', g.open_until IS NOT NULL,
    'agents', (SELECT count(*) FROM agent_link o WHERE o.gateway_id = g.id),
    'inHand', (SELECT count(*) FROM attempt y WHERE y.agent_id = ${agent} AND y.status IN ('claimed', 'accepted', 'started') AND y.gateway_id = g.id))) AS gateways
  FROM agent_link l JOIN gateway g ON g.id = l.gateway_id
  WHERE l.agent_id = ${agent}${which === 'usable' ? ' AND g.open_until IS NULL' : ''}`
