import type { Deps } from '../deps.ts'
import type { RunStatus } from '../events/states.ts'
import { now, transition } from '../events/transition.ts'
import type { PlanSpec } from '../protocol/specs.ts'
import { createRun, type NewRun } from '../runs/createRun.ts'
import { settleRun } from '../runs/settleRun.ts'
import type { Tx } from '../storage/sql.ts'
import type { IdentifiedTask } from './taskRequest.ts'

/** Tasks that one run of a program may have. */
const MAX_TASKS = 1000

export type OpenRun = { id: string; status: RunStatus; version: number; count: number }

/** Why a run takes no more tasks: there is none, it has ended, is full, or is a plan that people were shown. */
export type NoOpenRun = { kind: 'unknown_run' } | { kind: 'closed_run'; message: string }

/** A program's run that can take more tasks, locked. */
export async function openRun(tx: Tx, runId: string, more: number): Promise<OpenRun | NoOpenRun> {
  const [run] = await tx.query<OpenRun & { kind_of: string }>(
    `SELECT id, status, kind AS kind_of, plan_version AS version, (SELECT count(*)::int FROM task t WHERE t.run_id = run.id) AS count
     FROM run WHERE id = $1 FOR UPDATE`,
    [runId],
  )
  if (!run) return { kind: 'unknown_run' }
  if (run.kind_of !== 'api')
    return {
      kind: 'closed_run',
      message: 'This run is a plan that people were shown; leave run_id out to make another run.',
    }
  if (!['awaiting_approval', 'running', 'paused'].includes(run.status))
    return {
      kind: 'closed_run',
      message: `This run has ended (${run.status}); leave run_id out to make another.`,
    }
  if (run.count + more > MAX_TASKS)
    return {
      kind: 'closed_run',
      message: `A run has at most ${MAX_TASKS} tasks; leave run_id out to make another.`,
    }
  return run
}

/** The run of tasks that came without one. */
export function runOfTasks(plan: PlanSpec, personId: string | null): NewRun {
  const [task] = plan.tasks
  const place =
    task && plan.tasks.every(({ spec }) => spec.agent_id === task.spec.agent_id)
      ? { agentId: task.spec.agent_id, cwd: task.spec.cwd }
      : null
  return { kind: 'api', request: plan.summary, personId, chat: null, place }
}

/** Nobody has to plan a program's run, so no planner is woken. */
export const createProgramRun = (tx: Tx, run: NewRun, id: string): Promise<unknown> =>
  createRun({ wake: () => {} }, tx, run, id)

/** Once a run of its own that nobody has to approve has begun, others look at it, and the scheduler at its tasks. */
export function tellBegun(
  deps: Pick<Deps, 'bus' | 'wake'>,
  tx: Tx,
  runId: string,
  tasks: readonly IdentifiedTask[],
): void {
  tx.afterCommit(() => {
    deps.bus.publish('run.changed', { runId })
    if (tasks.some((task) => task.dispatch === 'push')) deps.wake('tasks.dispatch', {})
  })
}

/** A run whose only plan waits for people waits as well; any other goes on with what may run. */
export async function goOn(
  deps: Parameters<typeof settleRun>[0],
  tx: Tx,
  runId: string,
  waits: boolean,
): Promise<void> {
  if (waits) {
    await transition(tx, 'run', { ids: [runId], from: ['planning'], to: 'awaiting_approval' })
    return
  }
  await transition(tx, 'run', {
    ids: [runId],
    from: ['planning', 'awaiting_approval'],
    to: 'running',
    set: { started_at: now },
  })
  await settleRun(deps, tx, runId)
}
