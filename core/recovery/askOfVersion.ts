import { askApproval } from '../approvals/askApproval.ts'
import { now, transition } from '../events/transition.ts'
import { worstRisk } from '../planning/judgePlan.ts'
import type { Verdict } from '../policy/judge.ts'
import type { Tx } from '../storage/sql.ts'
import type { FollowDeps } from './deps.ts'

/**
 * A new version of a plan took over the tasks of the one before: the question about that one is superseded, and all that
 * is held is asked about once, under the hash of the new version. Where nothing is held nobody is asked.
 */
export async function askOfVersion(
  { settings }: Pick<FollowDeps, 'settings'>,
  tx: Tx,
  { runId, planId, planHash }: { runId: string; planId: string; planHash: string },
): Promise<void> {
  const pending = await tx.query<{ id: string }>(
    "SELECT id FROM approval WHERE run_id = $1 AND status = 'pending'",
    [runId],
  )
  await transition(tx, 'approval', {
    ids: pending.map(({ id }) => id),
    from: ['pending'],
    to: 'superseded',
    set: { decided_at: now },
  })
  const held = await tx.query<Pick<Verdict, 'risk'>>(
    "SELECT verdict->>'risk' AS risk FROM task WHERE plan_id = $1 AND status = 'held'",
    [planId],
  )
  if (held.length === 0) return
  await askApproval(tx, { runId, planId, planHash, risk: worstRisk(held), settings })
}
