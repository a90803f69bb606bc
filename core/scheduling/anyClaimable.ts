import { beside, type Sql } from '../storage/sql.ts'

/**
 * Whether a task that SKYNET hands out itself may be claimable, as SQL: of a connected agent with a gateway that is in
 * use, queued, its run running. `more`: a further condition on the task `t`. An index finds it, agent by agent.
 */
export const anyClaimable = (more = 'true'): string => `EXISTS (SELECT 1 FROM agent a CROSS JOIN LATERAL (
    SELECT 1 FROM task t JOIN run r ON r.id = t.run_id AND ${beside("r.status = 'running'")}
    WHERE t.agent_id = a.id AND t.status = 'queued' AND t.dispatch = 'push' AND ${more}
    AND (t.not_before IS NULL OR t.not_before <= clock_timestamp()) ORDER BY t.priority DESC, t.queued_at, t.position LIMIT 1
  ) due WHERE a.connected AND EXISTS (SELECT 1 FROM agent_link l JOIN gateway g ON g.id = l.gateway_id AND g.open_until IS NULL WHERE l.agent_id = a.id))`

const statement = `SELECT ${anyClaimable()} AS claimable`

/** Whether anything waits for a slot or files that became free: asked after the commit that freed them. */
export async function isAnyClaimable(sql: Sql): Promise<boolean> {
  const [row] = await sql.query<{ claimable: boolean }>(statement)
  return row?.claimable ?? false
}
