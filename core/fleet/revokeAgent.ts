import type { Deps } from '../deps.ts'
import { callGateway } from '../dispatch/gatewayClient.ts'
import { tellEvent } from '../events/tellEvent.ts'
import { now, transition } from '../events/transition.ts'
import { type Actor, toldBy } from '../people/actor.ts'
import { cancelRun } from '../runs/cancelRun.ts'
import { recordLost } from '../runs/recordFrames.ts'
import { type SettleDeps, settleRun } from '../runs/settleRun.ts'
import type { Tx } from '../storage/sql.ts'
import { freeConfirmed } from '../tasks/freeConfirmed.ts'

export type Revoked =
  | { kind: 'revoked'; name: string; runs: number; working: number }
  | { kind: 'already' }
  | { kind: 'unknown' }

type RevokeDeps = Pick<Deps, 'gatewayToken'> & SettleDeps

/**
 * A machine that is not trusted any more, in the caller's transaction: its credential and whatever it still reports are
 * refused from now on, its connections are closed, and so are its tasks. What it had begun goes to review, or fails where
 * it only read; what waits for it fails or is left out; runs that had not begun are cancelled; what was approved ahead
 * there is revoked. Work that runs on the machine itself cannot be stopped from here. Joining again takes a new code.
 */
export async function revokeAgent(deps: RevokeDeps, tx: Tx, agentId: string, actor: Actor): Promise<Revoked> {
  const by = typeof actor === 'string' ? actor : null
  const [agent] = await tx.query<{ name: string; revoked_at: Date | null }>(
    'SELECT name, revoked_at FROM agent WHERE id = $1 FOR NO KEY UPDATE',
    [agentId],
  )
  if (!agent) return { kind: 'unknown' }
  if (agent.revoked_at) return { kind: 'already' }
  const runs = await lockRuns(tx, agentId)
  const working = await loseAttempts(deps, tx, agentId)
  await closeDoors(deps, tx, agentId)
  await tellEvent(tx, 'agent.revoked', { agentId }, { name: agent.name, ...toldBy(actor) })
  for (const run of runs) await endRun(deps, tx, run, { id: agentId, name: agent.name }, by)
  return { kind: 'revoked', name: agent.name, runs: runs.filter(({ number }) => number > 0).length, working }
}

type Run = { id: string; number: number; status: string }

const lockRuns = (tx: Tx, agentId: string): Promise<Run[]> =>
  tx.query<Run>(
    `SELECT id, number, status FROM run WHERE status IN ('planning', 'awaiting_approval', 'running', 'paused', 'cancelling')
     AND (agent_id = $1 OR id IN (SELECT run_id FROM task WHERE agent_id = $1 AND status IN ('held', 'blocked', 'queued', 'claimed', 'running', 'needs_review')))
     ORDER BY id FOR UPDATE`,
    [agentId],
  )

/** What was handed to it may have begun: it is judged by its effect, as if it were lost. Returns how many. */
async function loseAttempts(deps: RevokeDeps, tx: Tx, agentId: string): Promise<number> {
  const rows = await tx.query<{ id: string }>(
    "SELECT id FROM attempt WHERE agent_id = $1 AND status IN ('claimed', 'accepted', 'started') ORDER BY id",
    [agentId],
  )
  const ids = rows.map((row) => row.id)
  await transition(tx, 'attempt', { ids, from: ['claimed'], to: 'accepted', data: { why: 'it may have it' } })
  await recordLost(deps, tx, agentId, ids)
  return ids.length
}

async function closeDoors(deps: RevokeDeps, tx: Tx, agentId: string): Promise<void> {
  const gateways = await tx.query<{ url: string }>(
    'SELECT g.url FROM agent_link l JOIN gateway g ON g.id = l.gateway_id WHERE l.agent_id = $1',
    [agentId],
  )
  await tx.query(
    `UPDATE agent SET revoked_at = clock_timestamp(), connected = false, gateway_id = NULL,
     disconnected_at = coalesce(disconnected_at, clock_timestamp()) WHERE id = $1`,
    [agentId],
  )
  await tx.query('DELETE FROM agent_link WHERE agent_id = $1', [agentId])
  await tx.query('DELETE FROM place_choice WHERE agent_id = $1', [agentId])
  const standing = await tx.query<{ id: string }>(
    'UPDATE standing_approval SET revoked_at = clock_timestamp() WHERE agent_id = $1 AND revoked_at IS NULL AND expires_at > clock_timestamp() RETURNING id',
    [agentId],
  )
  for (const { id } of standing)
    await tellEvent(tx, 'standing.revoked', { agentId }, { standing_id: id, why: 'its machine was revoked' })
  tx.afterCommit(() => {
    deps.bus.publish('agents', {})
    // A gateway that does not hear this finds out by its next heartbeat: the credential is refused.
    for (const { url } of gateways)
      void callGateway(deps.gatewayToken, 'POST', `${url.replace(/\/+$/, '')}/revoke/${agentId}`, {})
  })
}

async function endRun(
  deps: RevokeDeps,
  tx: Tx,
  run: Run,
  agent: { id: string; name: string },
  by: string | null,
): Promise<void> {
  if (run.status === 'planning' || run.status === 'awaiting_approval') {
    await cancelRun(deps, tx, run.id, by)
    return
  }
  const waiting = await tx.query<{ id: string; status: string }>(
    "SELECT id, status FROM task WHERE run_id = $1 AND agent_id = $2 AND status IN ('held', 'blocked', 'queued')",
    [run.id, agent.id],
  )
  const of = (...statuses: string[]) => waiting.flatMap((t) => (statuses.includes(t.status) ? t.id : []))
  const error = { code: 'machine_revoked', message: `${agent.name} was revoked.` }
  const end = { set: { error, ended_at: now }, data: { ...error, person_id: by } }
  await transition(tx, 'task', { ids: of('queued'), from: ['queued'], to: 'failed', ...end })
  await transition(tx, 'task', {
    ids: of('held', 'blocked'),
    from: ['held', 'blocked'],
    to: 'skipped',
    ...end,
  })
  await freeConfirmed(
    tx,
    waiting.map((t) => t.id),
  )
  await settleRun(deps, tx, run.id)
}
