import { tellEvent } from '../events/tellEvent.ts'
import { type Actor, toldBy } from '../people/actor.ts'
import { shownIn } from '../runs/shownIn.ts'
import type { Sql } from '../storage/sql.ts'
import type { StandingKind } from './standing.ts'

export type StandingLine = {
  id: string
  kind: StandingKind
  label: string
  agentId: string
  agentName: string
  cwd: string | null
  askerId: string
  asker: string
  givenById: string
  givenBy: string
  risk: string
  createdAt: Date
  expiresAt: Date
  uses: number
  lastUsedAt: Date | null
}

/**
 * Standing approvals that are in force, those that end first; `personId`: only those given by or for them; `chatId`: only
 * those whose run may be shown there.
 */
export const listStanding = (sql: Sql, personId: string | null, chatId = 0): Promise<StandingLine[]> =>
  sql.query<StandingLine>(
    `SELECT s.id, s.kind, s.label, s.agent_id AS "agentId", coalesce(a.name, 'a machine') AS "agentName", s.cwd, s.asker_id AS "askerId", w.name AS asker,
     s.given_by AS "givenById", g.name AS "givenBy", s.risk, s.created_at AS "createdAt", s.expires_at AS "expiresAt", s.uses, s.last_used_at AS "lastUsedAt"
     FROM standing_approval s JOIN person w ON w.id = s.asker_id JOIN person g ON g.id = s.given_by LEFT JOIN agent a ON a.id = s.agent_id
     WHERE s.revoked_at IS NULL AND s.expires_at > clock_timestamp() AND ($1::uuid IS NULL OR s.asker_id = $1 OR s.given_by = $1)
       AND ($2::bigint >= 0 OR EXISTS (SELECT 1 FROM approval p JOIN run r ON r.id = p.run_id WHERE p.id = s.approval_id AND ${shownIn('r', '$2')}))
     ORDER BY s.expires_at, s.id LIMIT 200`,
    [personId, chatId],
  )

/** Ends one at once, with its event. `personId` null: whoever asks may end any. False: there is none of theirs. */
export async function revokeStanding(
  tx: Sql,
  id: string,
  by: Actor,
  personId: string | null,
): Promise<boolean> {
  const rows = await tx.query(
    `UPDATE standing_approval SET revoked_at = clock_timestamp(), revoked_by = $2
     WHERE id = $1 AND revoked_at IS NULL AND expires_at > clock_timestamp() AND ($3::uuid IS NULL OR asker_id = $3 OR given_by = $3) RETURNING id`,
    [id, typeof by === 'string' ? by : null, personId],
  )
  if (rows.length > 0) await tellEvent(tx, 'standing.revoked', {}, { standing_id: id, ...toldBy(by) })
  return rows.length > 0
}
