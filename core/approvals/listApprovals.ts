import type { ApprovalStatus } from '../events/states.ts'
import type { Verdict } from '../policy/judge.ts'
import type { Sql } from '../storage/sql.ts'

export type ApprovalLine = {
  id: string
  code: string
  runId: string
  runNumber: number
  summary: string
  planHash: string
  planVersion: number
  status: ApprovalStatus
  risk: Verdict['risk']
  quorum: number
  createdAt: Date
  expiresAt: Date
  decidedAt: Date | null
  decisions: { name: string; decision: string; at: string }[]
}

const select = `SELECT a.id, a.code, a.run_id AS "runId", r.number AS "runNumber", coalesce(r.summary, r.request) AS summary, a.plan_hash AS "planHash",
  p.version AS "planVersion", a.status, a.risk, a.quorum, a.created_at AS "createdAt", a.expires_at AS "expiresAt", a.decided_at AS "decidedAt",
  coalesce((SELECT json_agg(json_build_object('name', w.name, 'decision', d.decision, 'at', to_char(d.at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')) ORDER BY d.at)
    FROM approval_decision d JOIN person w ON w.id = d.person_id WHERE d.approval_id = a.id), '[]') AS decisions
  FROM approval a JOIN run r ON r.id = a.run_id JOIN plan p ON p.id = a.plan_id`

/** Approvals in a status, newest first; `before`: those older than one of that time (ms) and id. */
export const listApprovals = (
  sql: Sql,
  status: ApprovalStatus,
  before: readonly [number, string] | null,
  limit: number,
): Promise<ApprovalLine[]> =>
  sql.query<ApprovalLine>(
    `${select} WHERE a.status = $1 AND ($2::float8 IS NULL OR (a.created_at, a.id) < (to_timestamp($2::float8 / 1000), $3::uuid))
     ORDER BY a.created_at DESC, a.id DESC LIMIT $4`,
    [status, before?.[0] ?? null, before?.[1] ?? null, limit],
  )

/** One approval; null when there is none. */
export async function findApproval(sql: Sql, id: string): Promise<ApprovalLine | null> {
  const [row] = await sql.query<ApprovalLine>(`${select} WHERE a.id = $1`, [id])
  return row ?? null
}

/** All that was asked about a run, in the order in which it was asked. */
export const approvalsOf = (sql: Sql, runId: string): Promise<ApprovalLine[]> =>
  sql.query<ApprovalLine>(`${select} WHERE a.run_id = $1 ORDER BY a.created_at, a.id`, [runId])
