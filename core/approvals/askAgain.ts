import type { Deps } from '../deps.ts'
import { tellEvent } from '../events/tellEvent.ts'
import { transition } from '../events/transition.ts'
import { worstRisk } from '../planning/judgePlan.ts'
import type { Verdict } from '../policy/judge.ts'
import type { Tx } from '../storage/sql.ts'
import { askApproval } from './askApproval.ts'

export type AskedAgain =
  | { kind: 'asked'; approvalId: string; code: string }
  /** It waits for an answer now, has one, or its run went on or ended otherwise. */
  | { kind: 'not_expired' }
  /** What would be asked is not what could run any more: policy or machine changed since. Ask for the work anew. */
  | { kind: 'outdated'; message: string }
  | { kind: 'unknown' }

type Row = {
  run_id: string
  plan_id: string
  plan_hash: string
  status: string
  run_status: string
  newest: boolean
  policy_version: string
  verdicts: Pick<Verdict, 'risk'>[]
  revoked: string | null
}

/**
 * Asks once more about a plan whose approval has expired: the same run, the same plan and hash, a new approval. Only
 * while nothing else became of the run, and while policy and machines are those the plan was judged for; what has
 * expired while its run went on was left out of it, and is not brought back.
 */
export async function askAgain(
  deps: Pick<Deps, 'policy' | 'bus'> & {
    settings: Pick<Deps['settings'], 'approvalTtlMs' | 'approvalQuorum'>
  },
  tx: Tx,
  approvalId: string,
  personId: string,
): Promise<AskedAgain> {
  const row = await lockedRow(tx, approvalId)
  if (!row) return { kind: 'unknown' }
  if (row.status !== 'expired' || row.run_status !== 'expired' || !row.newest) return { kind: 'not_expired' }
  if (row.policy_version !== deps.policy.version)
    return { kind: 'outdated', message: 'The policy has changed since then: ask for the work anew.' }
  if (row.revoked !== null)
    return { kind: 'outdated', message: `${row.revoked} was revoked since then: ask for the work elsewhere.` }
  const { run_id: runId, plan_id: planId, plan_hash: planHash } = row
  await transition(tx, 'run', {
    ids: [runId],
    from: ['expired'],
    to: 'awaiting_approval',
    set: { ended_at: null, archived_at: null, pruned_at: null },
    data: { person_id: personId },
  })
  await tellEvent(tx, 'approval.asked_again', { runId, approvalId }, { person_id: personId })
  const risk = worstRisk(row.verdicts)
  const id = await askApproval(tx, { runId, planId, planHash, risk, settings: deps.settings })
  const [fresh] = await tx.query<{ code: string }>('SELECT code FROM approval WHERE id = $1', [id])
  tx.afterCommit(() => deps.bus.publish('run.changed', { runId }))
  return { kind: 'asked', approvalId: id, code: fresh?.code ?? '' }
}

/** The approval with its run, which is locked first, as everybody does. */
async function lockedRow(tx: Tx, approvalId: string): Promise<Row | undefined> {
  await tx.query('SELECT 1 FROM run WHERE id = (SELECT run_id FROM approval WHERE id = $1) FOR UPDATE', [
    approvalId,
  ])
  const [row] = await tx.query<Row>(
    `SELECT a.run_id, a.plan_id, a.plan_hash, a.status, r.status AS run_status, p.version = r.plan_version AS newest, p.policy_version,
     coalesce((SELECT json_agg(t.verdict) FROM task t WHERE t.plan_id = p.id), '[]') AS verdicts,
     (SELECT min(g.name) FROM task t JOIN agent g ON g.id = t.agent_id WHERE t.plan_id = p.id AND g.revoked_at IS NOT NULL) AS revoked
     FROM approval a JOIN run r ON r.id = a.run_id JOIN plan p ON p.id = a.plan_id WHERE a.id = $1 FOR UPDATE OF a`,
    [approvalId],
  )
  return row
}
