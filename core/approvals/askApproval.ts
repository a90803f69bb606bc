import { randomInt, randomUUID } from 'node:crypto'
import { tellEvent } from '../events/tellEvent.ts'
import { inMs } from '../events/transition.ts'
import { worstRisk } from '../planning/judgePlan.ts'
import type { Verdict } from '../policy/judge.ts'
import type { Tx } from '../storage/sql.ts'

/** Letters that cannot be mistaken for digits or for each other. */
const letters = 'ABCDEFGHJKLMNPQRSTUVWXYZ'

/**
 * Asks people about one plan: a pending approval bound to its hash, with its event. A plan is asked about once at a
 * time: what is pending already takes the higher risk. Returns its id.
 */
export async function askApproval(
  tx: Tx,
  about: { runId: string; planId: string; planHash: string; risk: Verdict['risk']; ttlMs: number },
): Promise<string> {
  const open = await joinPending(tx, about)
  if (open) return open
  const id = randomUUID()
  for (let digits = 10; ; digits *= 10) {
    const code = `${letters[randomInt(letters.length)]}${randomInt(digits)}`
    const rows = await tx.query(
      `INSERT INTO approval (id, code, run_id, plan_id, plan_hash, status, risk, expires_at)
       VALUES ($1, $2, $3, $4, $5, 'pending', $6, ${inMs(about.ttlMs).text}) ON CONFLICT (code) DO NOTHING RETURNING id`,
      [id, code, about.runId, about.planId, about.planHash, about.risk],
    )
    if (rows.length === 0) continue
    await tellEvent(
      tx,
      'approval.asked',
      { runId: about.runId, approvalId: id },
      { code, plan_hash: about.planHash, risk: about.risk, status: 'pending' },
    )
    return id
  }
}

/** The question about this plan that is pending already, at the higher of the two risks. */
async function joinPending(tx: Tx, about: { planId: string; risk: Verdict['risk'] }): Promise<string | null> {
  const [row] = await tx.query<{ id: string; risk: Verdict['risk'] }>(
    "SELECT id, risk FROM approval WHERE plan_id = $1 AND status = 'pending' FOR UPDATE",
    [about.planId],
  )
  if (!row) return null
  await tx.query('UPDATE approval SET risk = $2 WHERE id = $1', [row.id, worstRisk([row, about])])
  return row.id
}
