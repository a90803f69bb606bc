import type { Sql } from '../storage/sql.ts'

/** The lane of what no agent is handed: tasks that outside agents fetch, and those of a paused run. */
const NO_TURN = '-'

/**
 * The lane of a task in SQL, over `r` (its run) and an expression for its dispatch: one for each chat, and one for each
 * program that asks by the REST API. Hashed, so that any place to begin at is as good as another.
 */
export const laneOf = (dispatch: string): string =>
  `CASE WHEN ${dispatch} = 'pull' OR r.status = 'paused' THEN '${NO_TURN}' ELSE md5(coalesce('chat ' || r.chat_id, 'person ' || r.person_id, '')) END`

/** Brings the lanes of a run's tasks up to date once the run is paused or goes on. */
export const setLanes = (sql: Sql, runId: string): Promise<object[]> =>
  sql.query(
    `UPDATE task t SET lane = ${laneOf('t.dispatch')} FROM run r
     WHERE r.id = t.run_id AND r.id = $1 AND t.lane <> ${laneOf('t.dispatch')}`,
    [runId],
  )

/** Lanes that are looked at in one claim: of more, others each time. */
const MAX_LANES = 32
/** Tasks that are looked at for some whose files are free: shared among the lanes, but so many of each. */
const LOOK_AHEAD = 1000
const LOOK_AHEAD_EACH = 50

/**
 * Has the planner go by indexes for the rest of the transaction. Left alone it would keep a plan for a nearly empty
 * queue, or make one from statistics that a burst of tasks has outrun: 3 s instead of 5 ms at 100,000 tasks, for as
 * long as it takes autovacuum to look at the table again.
 */
export const goByIndexes = (tx: Sql): Promise<object[]> =>
  tx.query(
    `SELECT set_config('enable_' || kind, 'off', true) FROM unnest('{sort,seqscan,bitmapscan,hashjoin,mergejoin}'::text[]) kind`,
  )

/**
 * The tasks to be handed to one agent next, as a subquery over `free` (its id, its free slots, what it holds by lane)
 * that gives id, priority, turn and age. Slots are shared among the lanes: the nth task that a lane would hold goes
 * after the (n-1)th of every other lane with work of the same priority. Costs the same however long the queue is: the
 * lanes and the first tasks of each come from an index (a range, though of one lane, and its order keep the planner to
 * the index that has lanes). `from`: a parameter with the lane to begin at.
 */
export const nextOfAgent = (from: string): string => {
  const first = (where: string) =>
    `(SELECT t.lane FROM task t WHERE t.agent_id = free.id AND t.status = 'queued' AND ${where} ORDER BY t.lane LIMIT 1)`
  return `
    WITH RECURSIVE ring(lane, start, n) AS (
      SELECT lane, lane, 1 FROM (SELECT coalesce(${first(`t.lane >= ${from}`)}, ${first("t.lane >= ''")}) AS lane) begin
      UNION ALL
      SELECT next.lane, ring.start, ring.n + 1 FROM ring
      CROSS JOIN LATERAL (SELECT coalesce(${first('t.lane > ring.lane')}, ${first("t.lane >= ''")}) AS lane) next
      WHERE next.lane <> ring.start AND ring.n < ${MAX_LANES}
    )
    SELECT ready.*, ready.nth + coalesce((free.held->>ring.lane)::int, 0) AS turn
    FROM (SELECT lane, count(*) OVER () AS lanes FROM ring) ring
    CROSS JOIN LATERAL (
      SELECT t.id, t.priority, t.queued_at, t.position, row_number() OVER (ORDER BY ${order}) AS nth
      FROM (
        SELECT * FROM task t WHERE t.agent_id = free.id AND t.status = 'queued' AND t.lane >= ring.lane AND t.lane <= ring.lane
        ORDER BY ${order} LIMIT greatest(${LOOK_AHEAD_EACH}, ${LOOK_AHEAD} / ring.lanes)
      ) t
      WHERE (SELECT r.status FROM run r WHERE r.id = t.run_id) = 'running' AND t.dispatch = 'push' AND (t.not_before IS NULL OR t.not_before <= clock_timestamp()) AND NOT ${filesTaken}
      ORDER BY ${order} LIMIT greatest(free.slots, 0)
    ) ready
    WHERE ring.lane <> '${NO_TURN}'
    ORDER BY ready.priority DESC, turn, ready.queued_at, ready.position LIMIT greatest(free.slots, 0)`
}

const order = 't.lane, t.priority DESC, t.queued_at, t.position'

/** Whether a file that the task `t` needs, or a directory around or below it, is another task's. */
export const filesTaken = `EXISTS (SELECT 1 FROM unnest(t.owns) p JOIN file_ownership f ON f.machine_id = t.machine_id
  WHERE f.path = p OR starts_with(f.path, rtrim(p, '/') || '/') OR starts_with(p, rtrim(f.path, '/') || '/'))`
