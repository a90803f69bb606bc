import type { Deps } from '../deps.ts'
import type { ApprovalStatus } from '../events/states.ts'
import { tellEvent } from '../events/tellEvent.ts'
import { now, transition } from '../events/transition.ts'
import { type Outside, outsideOf } from '../people/entitlements.ts'
import { type SettleDeps, type SettleSetting, settleRun } from '../runs/settleRun.ts'
import type { Tx } from '../storage/sql.ts'

export type Decision = 'approved' | 'denied'
export type Decided =
  | { kind: 'decided'; status: Decision; runId: string }
  /** Counted, and more people must agree. */
  | { kind: 'counted'; have: number; need: number }
  | { kind: 'already'; status: ApprovalStatus; by: string | null; at: Date | null }
  | { kind: 'expired' }
  /** Who asked for it, or made this version of the plan, is not who approves it here. */
  | { kind: 'own_request' }
  /** The run is of a chat or works on a machine that is not among theirs. */
  | { kind: 'outside'; outside: Outside }
  /** The plan this answer was given for is not the one the approval asks about. */
  | { kind: 'other_plan' }
  | { kind: 'unknown' }

type Row = {
  id: string
  run_id: string
  plan_id: string
  plan_hash: string
  status: ApprovalStatus
  quorum: number
  decided_at: Date | null
  late: boolean
  authors: (string | null)[]
}

/**
 * One person's answer, in the caller's transaction. The first answer wins; the same answer again changes nothing.
 * `planHash` is the hash the person was shown. The caller has checked that the person's role decides; where they may,
 * and that it is not their own request, is checked here.
 */
export async function decideApproval(
  deps: Pick<Deps, 'wake' | 'bus'> & { settings: Pick<Deps['settings'], 'fourEyes' | SettleSetting> },
  tx: Tx,
  answer: { approvalId: string; personId: string; decision: Decision; planHash: string },
): Promise<Decided> {
  const row = await lockApproval(tx, answer.approvalId)
  if (!row) return { kind: 'unknown' }
  if (row.status !== 'pending') return already(tx, row)
  if (row.plan_hash !== answer.planHash) return { kind: 'other_plan' }
  if (row.late) return { kind: 'expired' }
  const outside = await outsideOf(tx, answer.personId, row.run_id)
  if (outside) return { kind: 'outside', outside }
  if (deps.settings.fourEyes && answer.decision === 'approved' && row.authors.includes(answer.personId))
    return { kind: 'own_request' }
  await tx.query(
    `INSERT INTO approval_decision (approval_id, person_id, decision, plan_hash) VALUES ($1, $2, $3, $4)
     ON CONFLICT (approval_id, person_id) DO UPDATE SET decision = $3, at = clock_timestamp()`,
    [row.id, answer.personId, answer.decision, row.plan_hash],
  )
  await tellEvent(
    tx,
    'approval.decision',
    { runId: row.run_id, approvalId: row.id },
    { decision: answer.decision, person_id: answer.personId },
  )
  const have = await agreeing(tx, row.id)
  if (answer.decision === 'approved' && have < row.quorum) return { kind: 'counted', have, need: row.quorum }
  await carryOut(deps, tx, row, answer)
  return { kind: 'decided', status: answer.decision, runId: row.run_id }
}

/** The run's row is locked before the approval's: the order every other writer uses. */
async function lockApproval(tx: Tx, approvalId: string): Promise<Row | undefined> {
  await tx.query('SELECT 1 FROM run WHERE id = (SELECT run_id FROM approval WHERE id = $1) FOR UPDATE', [
    approvalId,
  ])
  const [row] = await tx.query<Row>(
    `SELECT a.*, a.expires_at <= clock_timestamp() AS late,
     ARRAY(SELECT r.person_id FROM run r WHERE r.id = a.run_id UNION SELECT p.revised_by FROM plan p WHERE p.run_id = a.run_id) AS authors
     FROM approval a WHERE a.id = $1 FOR UPDATE OF a`,
    [approvalId],
  )
  return row
}

async function already(tx: Tx, row: Row): Promise<Decided> {
  const [by] = await tx.query<{ name: string }>(
    'SELECT p.name FROM approval_decision d JOIN person p ON p.id = d.person_id WHERE d.approval_id = $1 ORDER BY d.at DESC LIMIT 1',
    [row.id],
  )
  return { kind: 'already', status: row.status, by: by?.name ?? null, at: row.decided_at }
}

/** How many different people agree who may still decide: an answer goes with the role of who gave it. */
async function agreeing(tx: Tx, approvalId: string): Promise<number> {
  const [row] = await tx.query<{ n: number }>(
    `SELECT count(*)::int AS n FROM approval_decision d JOIN person p ON p.id = d.person_id
     WHERE d.approval_id = $1 AND d.decision = 'approved' AND p.revoked_at IS NULL
     AND (p.telegram_id IS NULL OR p.role IN ('approver', 'owner'))`,
    [approvalId],
  )
  return row?.n ?? 0
}

async function carryOut(
  deps: SettleDeps,
  tx: Tx,
  row: Row,
  answer: { personId: string; decision: Decision },
): Promise<void> {
  const data = { person_id: answer.personId }
  await transition(tx, 'approval', {
    ids: [row.id],
    from: ['pending'],
    to: answer.decision,
    set: { decided_at: now },
    data,
  })
  const held = (
    await tx.query<{ id: string }>("SELECT id FROM task WHERE plan_id = $1 AND status = 'held'", [
      row.plan_id,
    ])
  ).map((t) => t.id)
  await supersedeOthers(tx, row)
  if (answer.decision === 'denied') {
    await transition(tx, 'task', {
      ids: held,
      from: ['held'],
      to: 'cancelled',
      set: { ended_at: now },
      data: { why: 'denied' },
    })
    await transition(tx, 'run', {
      ids: [row.run_id],
      from: ['awaiting_approval'],
      to: 'denied',
      set: { ended_at: now },
      data,
    })
  } else {
    await transition(tx, 'run', {
      ids: [row.run_id],
      from: ['awaiting_approval'],
      to: 'running',
      set: { started_at: now },
      data,
    })
    await transition(tx, 'task', {
      ids: held,
      from: ['held'],
      to: 'blocked',
      set: { approved_at: now },
      data,
    })
  }
  await settleRun(deps, tx, row.run_id)
}

/** One answer settles all questions about the same plan: what else was asked of it is no longer asked. */
async function supersedeOthers(tx: Tx, row: Row): Promise<void> {
  const others = await tx.query<{ id: string }>(
    "SELECT id FROM approval WHERE plan_id = $1 AND id <> $2 AND status = 'pending'",
    [row.plan_id, row.id],
  )
  await transition(tx, 'approval', {
    ids: others.map((other) => other.id),
    from: ['pending'],
    to: 'superseded',
    set: { decided_at: now },
  })
}
