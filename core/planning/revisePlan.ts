import type { Deps } from '../deps.ts'
import { now, transition } from '../events/transition.ts'
import { listMachines } from '../fleet/machineFacts.ts'
import { PlanSpec } from '../protocol/specs.ts'
import type { Tx } from '../storage/sql.ts'
import type { PlanSource } from './planRequest.ts'
import { commitRevision } from './planRun.ts'

type RevisionDeps = Pick<Deps, 'db' | 'bus' | 'wake' | 'policy' | 'settings'>

/**
 * A new version of a plan that waits for approval, without one of its tasks and what depends on it. The old approval
 * is superseded, its tasks end, and the new version is judged and asked about like any other.
 */
export async function revisePlan(
  deps: RevisionDeps,
  tx: Tx,
  runId: string,
  change: { drop: string },
): Promise<'revised' | 'empty' | 'too_late'> {
  const [row] = await tx.query<{ status: string; spec: unknown; source: PlanSource }>(
    'SELECT r.status, p.spec, p.source FROM run r JOIN plan p ON p.run_id = r.id AND p.version = r.plan_version WHERE r.id = $1 FOR UPDATE OF r',
    [runId],
  )
  if (row?.status !== 'awaiting_approval') return 'too_late'
  const old = PlanSpec.parse(row.spec)
  const plan = withoutTask(old, change.drop)
  if (plan.tasks.length === 0) return 'empty'
  await supersede(tx, runId)
  await transition(tx, 'run', {
    ids: [runId],
    from: ['awaiting_approval'],
    to: 'planning',
    data: { why: 'revised' },
  })
  await commitRevision(
    deps,
    tx,
    runId,
    { plan: { ...plan, version: old.version + 1 }, source: row.source },
    await listMachines(tx),
  )
  return 'revised'
}

/** A plan without one task and all that depends on it. Pure. */
export function withoutTask(plan: PlanSpec, key: string): PlanSpec {
  const gone = new Set([key])
  for (let grew = true; grew; ) {
    grew = false
    for (const task of plan.tasks) {
      if (gone.has(task.key) || !task.depends_on.some((dep) => gone.has(dep))) continue
      gone.add(task.key)
      grew = true
    }
  }
  const tasks = plan.tasks.filter((task) => !gone.has(task.key))
  const milestones = plan.milestones.filter((m) => tasks.some((task) => task.milestone === m.key))
  return { ...plan, tasks, milestones }
}

async function supersede(tx: Tx, runId: string): Promise<void> {
  const approvals = await tx.query<{ id: string }>(
    "SELECT id FROM approval WHERE run_id = $1 AND status = 'pending'",
    [runId],
  )
  await transition(tx, 'approval', {
    ids: approvals.map((a) => a.id),
    from: ['pending'],
    to: 'superseded',
    set: { decided_at: now },
  })
  const tasks = await tx.query<{ id: string }>("SELECT id FROM task WHERE run_id = $1 AND status = 'held'", [
    runId,
  ])
  await transition(tx, 'task', {
    ids: tasks.map((t) => t.id),
    from: ['held'],
    to: 'cancelled',
    set: { ended_at: now },
    data: { why: 'replaced by a new version' },
  })
}
