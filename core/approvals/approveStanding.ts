import type { Deps } from '../deps.ts'
import type { PlanSource } from '../planning/planOutcome.ts'
import type { Verdict } from '../policy/judge.ts'
import type { TaskSpec } from '../protocol/specs.ts'
import type { SettleSetting } from '../runs/settleRun.ts'
import type { Tx } from '../storage/sql.ts'
import { type Decided, decideApproval } from './decideApproval.ts'
import { giveStanding, type StandingKind, standingScopes } from './standing.ts'

export type Stood =
  | Exclude<Decided, { kind: 'decided' }>
  | { kind: 'stands'; until: Date }
  /** This plan cannot be approved for a while: of too high a risk, or nobody's. */
  | { kind: 'cannot_stand' }

type StandDeps = Pick<Deps, 'wake' | 'bus' | 'playbooks'> & {
  settings: Pick<Deps['settings'], 'fourEyes' | SettleSetting>
}
type Row = { run_id: string; asker_id: string | null; source: PlanSource; spec: TaskSpec; verdict: Verdict }

/** What the approval asks about: the tasks of its plan for which policy asks. */
const askingOf = (tx: Tx, approvalId: string): Promise<Row[]> =>
  tx.query<Row>(
    `SELECT r.id AS run_id, r.person_id AS asker_id, p.source, t.spec, t.verdict FROM approval a JOIN run r ON r.id = a.run_id JOIN plan p ON p.id = a.plan_id
     JOIN task t ON t.plan_id = a.plan_id AND t.verdict->>'verdict' = 'ask' WHERE a.id = $1 ORDER BY t.position`,
    [approvalId],
  )

const scopesOf = (rows: readonly Row[], kind: StandingKind, playbooks: Deps['playbooks']) => {
  const [first] = rows
  return first?.asker_id ? standingScopes(kind, rows, first.source, playbooks) : null
}

/** Which kinds of standing approval the plan of an approval may be given, and to how many steps. */
export async function standingOffers(
  deps: Pick<Deps, 'playbooks'>,
  tx: Tx,
  approvalId: string,
): Promise<{ kind: StandingKind; labels: string[]; machine: string }[]> {
  const rows = await askingOf(tx, approvalId)
  return (['command', 'playbook'] as const).flatMap((kind) => {
    const scopes = scopesOf(rows, kind, deps.playbooks)
    const [first] = scopes ?? []
    if (!scopes || !first) return []
    return [{ kind, labels: [...new Set(scopes.map(({ label }) => label))], machine: first.spec.agent_id }]
  })
}

/**
 * Approves a plan, and what it asks for from now on for a while as well, in the caller's transaction. What is counted
 * toward a quorum only gives nothing.
 */
export async function approveStanding(
  deps: StandDeps,
  tx: Tx,
  answer: { approvalId: string; personId: string; planHash: string; kind: StandingKind },
): Promise<Stood> {
  const rows = await askingOf(tx, answer.approvalId)
  const scopes = scopesOf(rows, answer.kind, deps.playbooks)
  const [first] = rows
  if (!scopes || !first?.asker_id) return { kind: 'cannot_stand' }
  const done = await decideApproval(deps, tx, { ...answer, decision: 'approved' })
  if (done.kind !== 'decided') return done
  const { approvalId, personId: by } = answer
  const given = { by, askerId: first.asker_id, approvalId, runId: first.run_id }
  return { kind: 'stands', until: await giveStanding(tx, scopes, given) }
}
