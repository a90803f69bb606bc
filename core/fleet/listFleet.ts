import type { Sql } from '../storage/sql.ts'

export type AgentLine = {
  id: string
  name: string
  machineId: string
  connected: boolean
  outside: boolean
  gatewayId: string | null
  lastSeenAt: Date | null
  disconnectedAt: Date | null
  /** The AgentFacts of its last hello, unchecked. */
  facts: unknown
  /** Attempts that were handed to it and have not ended. */
  running: number
}

/** Agents that are not revoked, by name, after the one of that name. */
export const listAgents = (sql: Sql, after: string | null, limit: number): Promise<AgentLine[]> =>
  sql.query<AgentLine>(
    `SELECT g.id, g.name, g.machine_id AS "machineId", g.connected AND g.last_seen_at > clock_timestamp() - interval '30 s' AS connected, g.outside,
       g.gateway_id AS "gatewayId", g.last_seen_at AS "lastSeenAt", g.disconnected_at AS "disconnectedAt", g.facts,
       (SELECT count(*)::int FROM attempt a WHERE a.agent_id = g.id AND a.status IN ('claimed', 'accepted', 'started')) AS running
     FROM agent g WHERE g.revoked_at IS NULL AND ($1::text IS NULL OR g.name > $1) ORDER BY g.name LIMIT $2`,
    [after, limit],
  )

export type GatewayLine = {
  id: string
  name: string
  url: string
  connected: boolean
  lastSeenAt: Date
  agents: number
  successRate: number
  latencyMs: number | null
  failures: number
  openUntil: Date | null
  probedAt: Date | null
}

/** Gateways by id, after that one. */
export const listGateways = (sql: Sql, after: string | null, limit: number): Promise<GatewayLine[]> =>
  sql.query<GatewayLine>(
    `SELECT g.id, g.name, g.url, g.last_seen_at > clock_timestamp() - interval '20 s' AS connected, g.last_seen_at AS "lastSeenAt",
       (SELECT count(*)::int FROM agent_link l WHERE l.gateway_id = g.id) AS agents,
       g.success_rate AS "successRate", g.latency_ms AS "latencyMs", g.failures, g.open_until AS "openUntil", g.probed_at AS "probedAt"
     FROM gateway g WHERE $1::uuid IS NULL OR g.id > $1 ORDER BY g.id LIMIT $2`,
    [after, limit],
  )

export type OwnedFile = {
  machineId: string
  path: string
  taskId: string
  taskKey: string
  runId: string
  runNumber: number
  takenAt: Date
}

/** Which files belong to which running task, by machine and path, after that one. */
export const listOwnedFiles = (
  sql: Sql,
  machineId: string | null,
  after: readonly [string, string] | null,
  limit: number,
): Promise<OwnedFile[]> =>
  sql.query<OwnedFile>(
    `SELECT f.machine_id AS "machineId", f.path, f.task_id AS "taskId", t.key AS "taskKey", t.run_id AS "runId", r.number AS "runNumber", f.taken_at AS "takenAt"
     FROM file_ownership f JOIN task t ON t.id = f.task_id JOIN run r ON r.id = t.run_id
     WHERE ($1::text IS NULL OR f.machine_id = $1) AND ($2::text IS NULL OR (f.machine_id, f.path) > ($2, $3::text))
     ORDER BY f.machine_id, f.path LIMIT $4`,
    [machineId, after?.[0] ?? null, after?.[1] ?? null, limit],
  )
