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
type RegisterDeps = Pick<Deps, 'db' | 'bus' | 'wake'>

/**
 * An agent is connected to a gateway: its credential is checked, its facts are kept, and, at a hello, attempts that
 * the ledger takes for started and the agent does not know are lost. Answers which attempts are to be killed and
 * which nobody waits for. The heartbeat is the same call with `hello: false`.
 */
export async function registerWorker(deps: RegisterDeps, worker: RegisterWorker): Promise<Registered> {
  const done = await deps.db.tx(async (tx): Promise<Registered> => {
    const [agent] = await tx.query<{
      credential_hash: string
      revoked_at: Date | null
      connected: boolean
      gateway_id: string | null
    }>('SELECT credential_hash, revoked_at, connected, gateway_id FROM agent WHERE id = $1 FOR UPDATE', [
      worker.agent_id,
    ])
    if (!agent || agent.credential_hash !== credentialHash(worker.credential))
      return { kind: 'refused', reason: 'The credential is not valid. Enrol again with `skynet agent join`.' }
    if (agent.revoked_at)
      return { kind: 'refused', reason: 'This agent was revoked. Enrol it again with `skynet agent join`.' }
    await tx.query(
      'UPDATE agent SET facts = $2, gateway_id = $3, connected = true, last_seen_at = clock_timestamp(), disconnected_at = NULL WHERE id = $1',
      [worker.agent_id, jsonText(worker.facts), worker.gateway_id],
    )
    const fresh = !agent.connected || agent.gateway_id !== worker.gateway_id
    if (fresh)
      await tellEvent(
        tx,
        'agent.connected',
        { agentId: worker.agent_id },
        { gateway_id: worker.gateway_id, name: worker.facts.name },
      )
    if (worker.hello || fresh) tx.afterCommit(() => announce(deps))
    return { kind: 'registered', agentId: worker.agent_id, ...(await toldApart(tx, worker)) }
  })
  if (done.kind === 'registered' && worker.hello) {
    await settleLost(deps, worker)
    await heardAgain(deps, worker)
  }
  return done
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

/** Started attempts of this agent that its hello does not list: evidence that they are gone. */
async function settleLost(deps: RegisterDeps, worker: RegisterWorker): Promise<void> {
  const held = worker.attempts.map((a) => a.execution_id)
  const gone = await deps.db.query<{ id: string }>(
    `SELECT a.id FROM attempt a JOIN task t ON t.id = a.task_id
     WHERE a.agent_id = $1 AND a.status IN ('accepted', 'started') AND t.dispatch = 'push' AND NOT a.id = ANY($2::uuid[])`,
    [worker.agent_id, held],
  )
  await recordLost(
    deps,
    worker.agent_id,
    gone.map((row) => row.id),
  )
}
