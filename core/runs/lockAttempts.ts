import type { Tx } from '../storage/sql.ts'
import type { HeldAttempt } from './followFrames.ts'

/** In SQL: a run has no other task, and no task of any run waits for this one. */
export const isAlone = (runId: string, taskId: string): string =>
  `NOT EXISTS (SELECT 1 FROM task o WHERE o.run_id = ${runId} AND o.id <> ${taskId}) AND NOT EXISTS (SELECT 1 FROM task_dependency d WHERE d.depends_on_id = ${taskId})`

/** The attempt's own columns, its task's and how the two stand to each other. */
const columns = `a.id, a.task_id, t.run_id, a.status, a.last_seq, a.result, a.exited_at IS NOT NULL AS exited, a.cancel_at, t.effect,
  t.status AS task_status, t.claim_token IS NOT DISTINCT FROM a.claim_token AS holds, t.attempts_made, t.max_attempts,
  t.milestone IS NOT NULL AS in_milestone, cardinality(t.owns) > 0 AS owns_files,
  (SELECT r.kind FROM runs r WHERE r.id = t.run_id) = 'api' AND ${isAlone('t.run_id', 't.id')} AS alone`

/**
 * Runs, attempts, tasks, each by id, is the order of every writer; each lock waits for the one before. What comes out
 * of a row is what its lock found, be it newer than the statement.
 */
const lock = (wanted: string, more: string, which: 'all move' | 'some move'): string => `
  WITH wanted AS MATERIALIZED (${wanted}),
  runs AS MATERIALIZED (SELECT id, kind FROM run WHERE id IN (SELECT run_id FROM wanted WHERE moves) ORDER BY id FOR UPDATE),
  attempts AS MATERIALIZED (SELECT * FROM attempt WHERE id IN (SELECT id FROM wanted) AND (SELECT count(*) FROM runs) >= 0 ORDER BY id FOR UPDATE),
  moving AS MATERIALIZED (SELECT * FROM task WHERE id IN (SELECT task_id FROM wanted WHERE moves) AND (SELECT count(*) FROM attempts) >= 0 ORDER BY id FOR UPDATE)${
    which === 'all move'
      ? ''
      : `,
  tasks AS (SELECT * FROM moving UNION ALL SELECT * FROM task WHERE id IN (SELECT task_id FROM wanted WHERE NOT moves) AND id NOT IN (SELECT id FROM moving))`
  }
  SELECT ${columns}${more} FROM attempts a JOIN ${which === 'all move' ? 'moving' : 'tasks'} t ON t.id = a.task_id ORDER BY a.id`

const reported = lock(
  'SELECT a.id, a.task_id, t.run_id, a.id = ANY($3::uuid[]) AS moves FROM attempt a JOIN task t ON t.id = a.task_id WHERE a.id = ANY($1::uuid[]) AND a.agent_id = $2 AND NOT EXISTS (SELECT 1 FROM agent g WHERE g.id = $2 AND g.revoked_at IS NOT NULL)',
  '',
  'some move',
)

/** Those of the attempts that are this agent's, none of a revoked one's, as they stand, locked; what only logs (not in `moving`) locks itself alone. */
export const lockReported = (
  tx: Tx,
  agentId: string,
  ids: readonly string[],
  moving: readonly string[],
): Promise<HeldAttempt[]> => tx.query<HeldAttempt>(reported, [ids, agentId, moving])

/** What the holder of a claim shows: who it is, and the claim's token. */
export type Holder = { taskId: string; agent: string; claimToken: string }

/** An attempt of a pulled task, with the token that its holder shows. */
export type PulledAttempt = HeldAttempt & { claim_token: string; agent_id: string; started_at: Date | null }

const pulled = lock(
  `SELECT a.id, a.task_id, t.run_id, true AS moves FROM unnest($1::uuid[], $2::text[], $3::text[]) AS h(task_id, agent, claim_token)
   JOIN attempt a ON a.claim_token = h.claim_token AND a.task_id = h.task_id JOIN task t ON t.id = a.task_id AND t.dispatch = 'pull'
   JOIN agent g ON g.id = a.agent_id AND (g.id::text = lower(h.agent) OR g.name = h.agent) AND g.revoked_at IS NULL`,
  ', a.claim_token, a.agent_id, a.started_at',
  'all move',
)

/** The attempts of these holders, as they stand, locked; a holder that never had the claim gets none. */
export const lockHolders = (tx: Tx, holders: readonly Holder[]): Promise<PulledAttempt[]> =>
  tx.query<PulledAttempt>(pulled, [
    holders.map(({ taskId }) => taskId),
    holders.map(({ agent }) => agent),
    holders.map(({ claimToken }) => claimToken),
  ])
