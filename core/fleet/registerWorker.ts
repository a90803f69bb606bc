import type { Deps } from '../deps.ts'
import { tellEvent } from '../events/tellEvent.ts'
import { transition } from '../events/transition.ts'
import type { RegisterWorker } from '../protocol/http.ts'
import { recordLost } from '../runs/recordFrames.ts'
import { settleRun } from '../runs/settleRun.ts'
import { jsonText } from '../storage/jsonText.ts'
import type { Tx } from '../storage/sql.ts'
import { credentialHash } from './enrolAgent.ts'

export type Registered =
  | { kind: 'registered'; agentId: string; cancel: string[]; forget: string[] }
  | { kind: 'refused'; reason: string }
type AgentRow = {
  credential_hash: string
  revoked_at: Date | null
  connected: boolean
  gateway_id: string | null
  session: string | null
  main_is_live: boolean
}
type RegisterDeps = Pick<Deps, 'db' | 'bus' | 'wake' | 'settings'>

/**
 * An agent is connected to a gateway, and may be to others: its credential is checked, the connection and its facts
 * are kept, and, at the first hello since it started, attempts that the ledger takes for started and the agent does
 * not know are lost. Answers which attempts are to be killed and which nobody waits for. The heartbeat is the same
 * call with `hello: false`: it says that the connection is still there, and its facts count only where the newest
 * hello came from, so that a gateway the agent has left cannot take it back.
 */
export async function registerWorker(deps: RegisterDeps, worker: RegisterWorker): Promise<Registered> {
  const done = await deps.db.tx(async (tx): Promise<Registered> => {
    const [agent] = await tx.query<AgentRow>(
      `SELECT credential_hash, revoked_at, connected, gateway_id, session,
       EXISTS (SELECT 1 FROM agent_link l WHERE l.agent_id = agent.id AND l.gateway_id = agent.gateway_id) AS main_is_live
       FROM agent WHERE id = $1 FOR NO KEY UPDATE`,
      [worker.agent_id],
    )
    if (!agent || agent.credential_hash !== credentialHash(worker.credential))
      return { kind: 'refused', reason: 'The credential is not valid. Enrol again with `skynet agent join`.' }
    if (agent.revoked_at)
      return { kind: 'refused', reason: 'This agent was revoked. Enrol it again with `skynet agent join`.' }
    const isNewLink = await keepLink(tx, worker)
    await keepFacts(tx, agent, worker)
    const fresh = !agent.connected || isNewLink
    if (fresh)
      await tellEvent(
        tx,
        'agent.connected',
        { agentId: worker.agent_id },
        { gateway_id: worker.gateway_id, name: worker.facts.name },
      )
    if (worker.hello || fresh) tx.afterCommit(() => announce(deps))
    const isStart = worker.session === undefined || worker.session !== agent.session
    if (worker.hello && isStart) await recordLost(deps, tx, worker.agent_id, await findLost(tx, worker))
    if (worker.hello) await hurryClaims(tx, worker)
    return { kind: 'registered', agentId: worker.agent_id, ...(await toldApart(tx, worker)) }
  })
  if (done.kind === 'registered' && worker.hello) await heardAgain(deps, worker)
  return done
}

/** True when the agent was not connected to this gateway before. */
async function keepLink(tx: Tx, { agent_id, gateway_id, hello }: RegisterWorker): Promise<boolean> {
  const [row] = await tx.query<{ fresh: boolean }>(
    `INSERT INTO agent_link (agent_id, gateway_id, since, last_seen_at) VALUES ($1, $2, clock_timestamp(), clock_timestamp())
     ON CONFLICT (agent_id, gateway_id) DO UPDATE SET last_seen_at = clock_timestamp(), since = CASE WHEN $3 THEN clock_timestamp() ELSE agent_link.since END
     RETURNING xmax = 0 AS fresh`,
    [agent_id, gateway_id, hello],
  )
  return row?.fresh ?? false
}

/** What it says of itself comes from one connection: that of its newest hello, while that is there. */
async function keepFacts(tx: Tx, agent: AgentRow, worker: RegisterWorker): Promise<void> {
  const counts = worker.hello || agent.gateway_id === worker.gateway_id || !agent.main_is_live
  await tx.query(
    `UPDATE agent SET connected = true, last_seen_at = clock_timestamp(), disconnected_at = NULL,
     facts = CASE WHEN $2 THEN $3::jsonb ELSE facts END, gateway_id = CASE WHEN $2 THEN $4::uuid ELSE gateway_id END,
     session = CASE WHEN $5 THEN $6::text ELSE session END WHERE id = $1`,
    [
      worker.agent_id,
      counts,
      jsonText(worker.facts),
      worker.gateway_id,
      worker.hello,
      worker.session ?? null,
    ],
  )
}

function announce(deps: RegisterDeps): void {
  deps.bus.publish('agents', {})
  deps.wake('tasks.dispatch', {})
  deps.wake('attempts.cancel', {})
}

/** Attempts to be killed, and those that are of no interest any more, among what the agent holds. */
async function toldApart(tx: Tx, worker: RegisterWorker): Promise<{ cancel: string[]; forget: string[] }> {
  const cancel = await tx.query<{ id: string }>(
    `SELECT a.id FROM attempt a JOIN task t ON t.id = a.task_id WHERE a.agent_id = $1 AND a.exited_at IS NULL
     AND a.status IN ('claimed', 'accepted', 'started', 'released') AND (a.cancel_at IS NOT NULL OR t.status IN ('cancelled', 'force_cancelled', 'skipped'))
     UNION SELECT a.id FROM attempt a JOIN task t ON t.id = a.task_id
     WHERE a.id = ANY($2::uuid[]) AND a.agent_id = $1 AND (t.claim_token IS DISTINCT FROM a.claim_token OR a.status = 'lost')`,
    [worker.agent_id, worker.attempts.filter((a) => a.state === 'alive').map((a) => a.execution_id)],
  )
  const held = worker.attempts.map((a) => a.execution_id)
  const known = new Set(
    (await tx.query<{ id: string }>('SELECT id FROM attempt WHERE id = ANY($1::uuid[])', [held])).map(
      (r) => r.id,
    ),
  )
  return { cancel: cancel.map((r) => r.id), forget: held.filter((id) => !known.has(id)) }
}

/** Work that was given up for unknown and is alive after all goes on, unless a person has decided. */
async function heardAgain(deps: RegisterDeps, worker: RegisterWorker): Promise<void> {
  const alive = worker.attempts.filter((a) => a.state === 'alive').map((a) => a.execution_id)
  const rows = await deps.db.query<{ task_id: string; run_id: string; claim_token: string }>(
    `SELECT t.id AS task_id, t.run_id, t.claim_token FROM attempt a JOIN task t ON t.id = a.task_id AND t.claim_token = a.claim_token
     WHERE a.id = ANY($1::uuid[]) AND a.agent_id = $2 AND a.status = 'started' AND t.status = 'needs_review'`,
    [alive, worker.agent_id],
  )
  for (const { task_id, run_id, claim_token } of rows) {
    await deps.db.tx(async (tx) => {
      await tx.query('SELECT 1 FROM run WHERE id = $1 FOR UPDATE', [run_id])
      await transition(tx, 'task', {
        ids: [task_id],
        from: ['needs_review'],
        to: 'running',
        set: { error: null },
        where: { sql: 'claim_token = $1', values: [claim_token] },
        data: { why: 'heard of again' },
      })
      await settleRun(deps, tx, run_id)
    })
  }
}

/**
 * Claims that the agent does not have may have been on their way to it when its connection ended: they are sent again
 * now, not when their lease lapses. One that arrives twice starts once.
 */
const hurryClaims = (tx: Tx, worker: RegisterWorker): Promise<object[]> =>
  tx.query(
    `UPDATE task t SET lease_until = clock_timestamp() FROM attempt a
     WHERE a.task_id = t.id AND a.claim_token = t.claim_token AND a.agent_id = $1 AND a.status = 'claimed' AND t.status = 'claimed'
     AND t.dispatch = 'push' AND NOT a.id = ANY($2::uuid[])`,
    [worker.agent_id, worker.attempts.map((a) => a.execution_id)],
  )

/**
 * Started attempts of this agent that its hello does not list: evidence that they are gone. Read before anything can be
 * sent to it over this connection, since what it begins after its hello is not in its list.
 */
async function findLost(tx: Tx, worker: RegisterWorker): Promise<string[]> {
  const held = worker.attempts.map((a) => a.execution_id)
  const gone = await tx.query<{ id: string }>(
    `SELECT a.id FROM attempt a JOIN task t ON t.id = a.task_id
     WHERE a.agent_id = $1 AND a.status IN ('accepted', 'started') AND t.dispatch = 'push' AND NOT a.id = ANY($2::uuid[])`,
    [worker.agent_id, held],
  )
  return gone.map((row) => row.id)
}
