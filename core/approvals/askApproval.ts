import { randomInt, randomUUID } from 'node:crypto'
import type { Deps } from '../deps.ts'
import { tellEvent } from '../events/tellEvent.ts'
import { inMs } from '../events/transition.ts'
import { worstRisk } from '../planning/judgePlan.ts'
import type { Verdict } from '../policy/judge.ts'
import type { Tx } from '../storage/sql.ts'

/** Letters that cannot be mistaken for digits or for each other. */
const letters = 'ABCDEFGHJKLMNPQRSTUVWXYZ'

type About = {
  runId: string
  planId: string
  planHash: string
  risk: Verdict['risk']
  settings: Pick<Deps['settings'], 'approvalTtlMs' | 'approvalQuorum'>
}

/** How many different people must approve a plan of this risk. */
const quorumOf = ({ risk, settings }: Pick<About, 'risk' | 'settings'>): number =>
  risk === 'critical' ? settings.approvalQuorum : 1

/**
 * Asks people about one plan: a pending approval bound to its hash, with its event. A plan is asked about once at a
 * time: what is pending already takes the higher risk, and with it the larger quorum. Returns its id.
 */
export async function askApproval(tx: Tx, about: About): Promise<string> {
  const open = await joinPending(tx, about)
  if (open) return open
  const id = randomUUID()
  for (let digits = 10; ; digits *= 10) {
    const code = `${letters[randomInt(letters.length)]}${randomInt(digits)}`
    const rows = await tx.query(
      `INSERT INTO approval (id, code, run_id, plan_id, plan_hash, status, risk, quorum, expires_at)
       VALUES ($1, $2, $3, $4, $5, 'pending', $6, $7, ${inMs(about.settings.approvalTtlMs).text}) ON CONFLICT (code) DO NOTHING RETURNING id`,
      [id, code, about.runId, about.planId, about.planHash, about.risk, quorumOf(about)],
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
async function joinPending(tx: Tx, about: About): Promise<string | null> {
  const [row] = await tx.query<{ id: string; risk: Verdict['risk'] }>(
    "SELECT id, risk FROM approval WHERE plan_id = $1 AND status = 'pending' FOR UPDATE",
    [about.planId],
  )
  if (!row) return null
  const risk = worstRisk([row, about])
  await tx.query('UPDATE approval SET risk = $2, quorum = greatest(quorum, $3) WHERE id = $1', [
    row.id,
    risk,
    quorumOf({ ...about, risk }),
  ])
  return row.id
}
