import type { Deps } from '../deps.ts'
import { now, transition } from '../events/transition.ts'
import { listMachines } from '../fleet/machineFacts.ts'
import { foreignMachine } from '../people/entitlements.ts'
import { PlanSpec, type PlanTask } from '../protocol/specs.ts'
import type { Tx } from '../storage/sql.ts'
import { commitRevision, seeRevision } from './commitRevision.ts'
import { listed, needs, stepsNeeding } from './dropStep.ts'
import type { PlanSource } from './planRequest.ts'
import { withForwarded } from './untrusted.ts'

type RevisionDeps = Pick<
  Deps,
  'db' | 'bus' | 'wake' | 'policy' | 'settings' | 'playbooks' | 'gatewayToken' | 'redact'
>

/** What a person may change of a plan that waits: leave a step out, rewrite a command, or move it elsewhere. */
export type Change =
  | { kind: 'drop'; key: string }
  /** `forwarded`: somebody else's words, sent on. */
  | { kind: 'edit'; key: string; command: string; forwarded?: boolean }
  | {
      kind: 'move'
      from: { agentId: string; cwd: string }
      to: { agentId: string; machineId: string; cwd: string; label: string }
    }

/**
 * A new version of a plan that waits for approval. The old approval is superseded, its tasks end, and the new version
 * is judged and asked about like any other; its card begins with what changed. `by`: whose change it is.
 */
export async function revisePlan(
  deps: RevisionDeps,
  tx: Tx,
  runId: string,
  change: Change,
  by: string,
): Promise<'revised' | 'empty' | 'too_late' | 'not_entitled'> {
  const before = await readRevised(tx, runId)
  if (before?.status !== 'awaiting_approval') return 'too_late'
  const old = PlanSpec.parse(before.spec)
  const plan = changed(old, change)
  if (plan.tasks.length === 0) return 'empty'
  const agentIds = plan.tasks.map(({ spec }) => spec.agent_id)
  if ((await foreignMachine(tx, by, agentIds)) !== null) return 'not_entitled'
  const told = describe(change, old)
  const forwarded = change.kind === 'edit' && change.forwarded === true
  // Why an earlier change came to nothing has nothing to do with this one.
  const source = { ...withForwarded(before.source, forwarded), change: told, fault: undefined }
  const made = { plan: { ...plan, version: old.version + 1 }, source }
  const machines = await listMachines(tx)
  const seen = await seeRevision(deps, tx, runId, made, machines, by)
  const row = await readRevised(tx, runId, 'FOR UPDATE OF r')
  // Whoever was quicker had another plan before them.
  if (row?.status !== 'awaiting_approval' || row.version !== before.version) return 'too_late'
  await supersede(tx, runId)
  await transition(tx, 'run', {
    ids: [runId],
    from: ['awaiting_approval'],
    to: 'planning',
    data: { why: 'revised', change: told },
  })
  if (change.kind === 'move')
    await tx.query('UPDATE run SET agent_id = $2, cwd = $3 WHERE id = $1', [
      runId,
      change.to.agentId,
      change.to.cwd,
    ])
  await commitRevision(deps, tx, runId, made, { machines, seen, by })
  return 'revised'
}

type Revised = { status: string; version: number; spec: unknown; source: PlanSource }

const readRevised = async (tx: Tx, runId: string, lock = ''): Promise<Revised | undefined> =>
  (
    await tx.query<Revised>(
      `SELECT r.status, p.version, p.spec, p.source FROM run r JOIN plan p ON p.run_id = r.id AND p.version = r.plan_version WHERE r.id = $1 ${lock}`,
      [runId],
    )
  )[0]

/** A change in the words its card begins with. */
function describe(change: Change, old: PlanSpec): string {
  if (change.kind === 'drop') {
    const others = stepsNeeding(stepsOf(old), change.key)
    const why = others.length > 0 ? ` with ${listed(others)}, which ${needs(others)} it` : ''
    return `step ${change.key} left out${why}`
  }
  return change.kind === 'edit' ? `step ${change.key} rewritten` : `moved to ${change.to.label}`
}

/** The plan with the change. Pure. */
function changed(plan: PlanSpec, change: Change): PlanSpec {
  if (change.kind === 'drop') return withoutTask(plan, change.key)
  const tasks = plan.tasks.map((task) => {
    const { spec } = task
    if (change.kind === 'edit') {
      const hit = task.key === change.key && spec.action === 'shell'
      return hit
        ? {
            ...unsaid(task),
            title: clipped(change.command),
            spec: { ...spec, params: { command: change.command } },
          }
        : task
    }
    const { from, to } = change
    if (spec.agent_id !== from.agentId || spec.cwd !== from.cwd) return task
    const required_files = spec.required_files.map((file) =>
      file.startsWith(from.cwd) ? to.cwd + file.slice(from.cwd.length) : file,
    )
    return {
      ...task,
      spec: { ...spec, agent_id: to.agentId, machine_id: to.machineId, cwd: to.cwd, required_files },
    }
  })
  const alone = change.kind === 'edit' && plan.tasks.length === 1
  return { ...plan, tasks, ...(alone ? { summary: clipped(change.command) } : {}) }
}

/** What was said of a task no longer holds for another command. */
const unsaid = ({ about: _, ...task }: PlanTask): PlanTask => task

const clipped = (text: string): string => (text.length > 60 ? `${text.slice(0, 59)}…` : text)

const stepsOf = (plan: PlanSpec) => plan.tasks.map((task) => ({ key: task.key, dependsOn: task.depends_on }))

/** A plan without one task and all that depends on it. Pure. */
function withoutTask(plan: PlanSpec, key: string): PlanSpec {
  const gone = new Set([key, ...stepsNeeding(stepsOf(plan), key)])
  const tasks = plan.tasks.filter((task) => !gone.has(task.key))
  const milestones = plan.milestones.filter((m) => tasks.some((task) => task.milestone === m.key))
  return { ...plan, tasks, milestones }
}

/** Ends the question about a plan, and the tasks that waited for its answer. */
export async function supersede(tx: Tx, runId: string): Promise<void> {
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
