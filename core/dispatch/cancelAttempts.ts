import type { Deps } from '../deps.ts'
import { now, transition } from '../events/transition.ts'
import { settleRun } from '../runs/settleRun.ts'
import { type ReachDeps, reachAgent, readGateways } from './reachAgent.ts'

type Row = { id: string; agent_id: string }

/**
 * Tells the agents of every attempt that is to die and has not confirmed it, through whatever reaches them now.
 * Repeating is harmless: the agent
 * journals a cancel once. Returns how many were told.
 */
export async function cancelAttempts(deps: ReachDeps): Promise<number> {
  const rows = await deps.db.query<Row>(
    `SELECT a.id, a.agent_id FROM attempt a JOIN agent ag ON ag.id = a.agent_id AND ag.connected
     WHERE a.cancel_at IS NOT NULL AND a.exited_at IS NULL AND a.status IN ('claimed', 'accepted', 'started', 'released') LIMIT 200`,
  )
  const gateways = await readGateways(
    deps.db,
    rows.map((row) => row.agent_id),
  )
  const told = await Promise.all(
    rows.map(({ id, agent_id }) =>
      reachAgent(deps, agent_id, gateways.get(agent_id) ?? [], `/cancel/${id}`, { agent_id }),
    ),
  )
  return told.filter((outcome) => outcome.kind === 'ok').length
}

/** How long a cancel may go unconfirmed before the person is told so. */
const CONFIRM_MS = 5000

/** Tasks whose agent has not confirmed a cancel within 5 s become `force_cancelled`. Called by the tick. */
export async function forceCancelOnce(deps: Pick<Deps, 'db' | 'bus' | 'wake' | 'settings'>): Promise<number> {
  const rows = await deps.db.query<{ task_id: string; run_id: string }>(
    `SELECT t.id AS task_id, t.run_id FROM attempt a JOIN task t ON t.id = a.task_id AND t.claim_token = a.claim_token
     WHERE a.cancel_at < clock_timestamp() - $1 * interval '1 ms' AND a.exited_at IS NULL AND t.status IN ('claimed', 'running') LIMIT 100`,
    [CONFIRM_MS],
  )
  for (const { task_id, run_id } of rows) {
    await deps.db.tx(async (tx) => {
      await tx.query('SELECT 1 FROM run WHERE id = $1 FOR UPDATE', [run_id])
      await transition(tx, 'task', {
        ids: [task_id],
        from: ['claimed', 'running'],
        to: 'force_cancelled',
        set: {
          ended_at: now,
          error: { code: 'unconfirmed', message: 'The machine has not confirmed that it stopped.' },
        },
      })
      await settleRun(deps, tx, run_id)
    })
  }
  return rows.length
}
