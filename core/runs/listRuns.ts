import type { RunStatus } from '../events/states.ts'
import type { Sql } from '../storage/sql.ts'
import { notUnderstood } from './notUnderstood.ts'
import { listedIn } from './shownIn.ts'

export type RunLine = {
  id: string
  number: number
  status: RunStatus
  summary: string
  personName: string | null
  agentName: string | null
  createdAt: Date
  endedAt: Date | null
}

const columns = `SELECT r.id, r.number, r.status, coalesce(r.summary, r.request) AS summary, p.name AS "personName", a.name AS "agentName", r.created_at AS "createdAt", r.ended_at AS "endedAt"
  FROM run r LEFT JOIN person p ON p.id = r.person_id LEFT JOIN agent a ON a.id = r.agent_id`

/** Looks of the planner have numbers below zero: nobody asked for them. */
const asked = 'r.number > 0'

const active = `${asked} AND r.status IN ('planning', 'awaiting_approval', 'running', 'paused', 'cancelling')`

/** Runs under way that may be shown in a chat, newest first: all of them, or those of one person. */
export const activeRuns = (sql: Sql, personId: string | null, chatId: number): Promise<RunLine[]> =>
  sql.query<RunLine>(
    `${columns} WHERE ${active} AND ${listedIn('r', '$2', chatId)} AND ($1::uuid IS NULL OR r.person_id = $1) ORDER BY r.number DESC LIMIT 20`,
    [personId, chatId],
  )

export type RunFilter = { status?: string; name?: string; sinceMs?: number }

/** Runs of the past that may be shown in a chat, newest first, by status, part of the asker's name, and age; none of requests nobody understood. */
export const pastRuns = (sql: Sql, filter: RunFilter, chatId: number, limit: number): Promise<RunLine[]> =>
  sql.query<RunLine>(
    `${columns} WHERE ${asked} AND NOT ${notUnderstood} AND ($1::text IS NULL OR r.status = $1) AND ($2::text IS NULL OR p.name ILIKE '%' || $2 || '%')
     AND ($3::float8 IS NULL OR r.created_at > clock_timestamp() - $3 * interval '1 ms') AND ${listedIn('r', '$5', chatId)} ORDER BY r.number DESC LIMIT $4`,
    [filter.status ?? null, filter.name ?? null, filter.sinceMs ?? null, limit, chatId],
  )

export type RunPageFilter = {
  status: RunStatus | null
  /** Numbers below this one. */
  before: number | null
}

/** Runs by falling number: what comes in or changes while one goes on from page to page moves none of the rest. */
export const runPage = (sql: Sql, filter: RunPageFilter, limit: number): Promise<RunLine[]> =>
  sql.query<RunLine>(
    `${columns} WHERE ${asked} AND ($1::text IS NULL OR r.status = $1) AND ($2::int IS NULL OR r.number < $2) ORDER BY r.number DESC LIMIT $3`,
    [filter.status, filter.before, limit],
  )
