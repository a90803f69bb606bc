import { AgentFacts } from '../protocol/frames.ts'
import type { Sql } from '../storage/sql.ts'
import type { Candidate } from './rankAgents.ts'

/** Attempts of an agent that its history goes by. */
const RECENT = 50
/** Waiting tasks are counted up to here: more makes no difference. */
const MOST_QUEUED = 1000

type Row = {
  id: string
  name: string
  facts: unknown
  connected: boolean
  silent_ms: number | null
  gateway: string | null
  success_rate: number | null
  open: boolean | null
  running: number
  queued: number
  ended: number
  kept: number
  last_of_chat: boolean
}

/**
 * All that the ledger knows of the agents that could be chosen: enrolled, not revoked, heard of at least once. One
 * statement, whose cost goes by the number of agents. `chatId`: the chat that asks, null for a program.
 */
export async function readCandidates(sql: Sql, chatId: number | null): Promise<Candidate[]> {
  const rows = await sql.query<Row>(
    `SELECT a.id, a.name, a.facts, a.connected AND a.last_seen_at > clock_timestamp() - interval '30 s' AS connected,
       extract(epoch FROM clock_timestamp() - a.last_seen_at)::float8 * 1000 AS silent_ms,
       g.name AS gateway, g.success_rate, g.open,
       (SELECT count(*) FROM attempt x WHERE x.agent_id = a.id AND x.status IN ('claimed', 'accepted', 'started')) AS running,
       (SELECT count(*) FROM (SELECT 1 FROM task t WHERE t.agent_id = a.id AND t.status = 'queued' LIMIT ${MOST_QUEUED}) q) AS queued,
       past.ended, past.kept,
       a.id = (SELECT coalesce(r.agent_id, (SELECT t.agent_id FROM task t WHERE t.run_id = r.id ORDER BY t.position LIMIT 1))
         FROM run r WHERE r.chat_id = $1 AND r.ended_at IS NOT NULL ORDER BY r.created_at DESC LIMIT 1) IS TRUE AS last_of_chat
     FROM agent a LEFT JOIN LATERAL (
       SELECT w.name, w.success_rate, w.open_until IS NOT NULL AS open FROM agent_link l JOIN gateway w ON w.id = l.gateway_id
       WHERE l.agent_id = a.id ORDER BY w.open_until IS NOT NULL, w.success_rate DESC, w.name LIMIT 1
     ) g ON true
     CROSS JOIN LATERAL (
       SELECT count(*) AS ended, count(*) FILTER (WHERE kept) AS kept FROM (
         SELECT x.status = 'exited' AS kept FROM attempt x LEFT JOIN task t ON t.id = x.task_id AND t.claim_token = x.claim_token AND t.status = 'needs_review'
         WHERE x.agent_id = a.id AND (x.status IN ('exited', 'lost') OR (x.status = 'refused' AND x.error->>'code' <> 'cancelled') OR t.error->>'code' = 'unreachable')
         ORDER BY x.claimed_at DESC LIMIT ${RECENT}) recent
     ) past
     WHERE a.revoked_at IS NULL AND a.facts IS NOT NULL AND NOT a.outside ORDER BY a.name, a.id`,
    [chatId],
  )
  return rows.flatMap(candidateOf)
}

function candidateOf(row: Row): Candidate[] {
  const facts = AgentFacts.safeParse(row.facts)
  if (!facts.success) return []
  const { gateway: name, success_rate, open } = row
  return [
    {
      agentId: row.id,
      name: row.name,
      facts: facts.data,
      connected: row.connected,
      silentMs: row.silent_ms,
      gateway: name === null ? null : { name, successRate: success_rate ?? 1, open: open ?? false },
      running: row.running,
      queued: row.queued,
      ended: row.ended,
      kept: row.kept,
      lastOfChat: row.last_of_chat,
    },
  ]
}
