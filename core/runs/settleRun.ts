import type { Deps } from '../deps.ts'
import { isTaskEnd, type RunStatus } from '../events/states.ts'
import { tellEvent } from '../events/tellEvent.ts'
import { now, transition } from '../events/transition.ts'
import type { Tx } from '../storage/sql.ts'
import { queueUnblocked, skipOrphans } from '../tasks/moveTasks.ts'

type Row = {
  id: string
  key: string
  status: string
  milestone: string | null
  result: { summary?: string } | null
}

/**
 * What follows from the end of any task of a run, in the transaction of that end: dependents are queued or skipped,
 * milestones start and end, and the run ends when all its tasks have. The run's row is locked first, so that two
 * tasks ending at once cannot both miss the last one. Idempotent.
 */
export async function settleRun(deps: Pick<Deps, 'wake' | 'bus'>, tx: Tx, runId: string): Promise<void> {
  const [run] = await tx.query<{ status: RunStatus; plan_version: number }>(
    'SELECT status, plan_version FROM run WHERE id = $1 FOR UPDATE',
    [runId],
  )
  if (!run) return
  await skipOrphans(tx, runId)
  if ((await queueUnblocked(tx, runId)) > 0) tx.afterCommit(() => deps.wake('tasks.dispatch', {}))
  const tasks = await tx.query<Row>(
    `SELECT t.id, t.key, t.status, t.milestone, t.result FROM task t JOIN plan p ON p.id = t.plan_id WHERE t.run_id = $1 AND p.version = $2`,
    [runId, run.plan_version],
  )
  await moveMilestones(tx, runId, run.plan_version, tasks)
  if (tasks.every((task) => isTaskEnd(task.status))) await endRun(tx, runId, run.status, tasks)
  tx.afterCommit(() => deps.bus.publish('run.changed', { runId }))
}

async function endRun(tx: Tx, runId: string, status: RunStatus, tasks: Row[]): Promise<void> {
  const any = (wanted: string) => tasks.some((task) => task.status === wanted)
  const all = (...wanted: string[]) => tasks.every((task) => wanted.includes(task.status))
  const move = (from: RunStatus[], to: RunStatus) =>
    transition(tx, 'run', { ids: [runId], from, to, set: { ended_at: now } })
  if (status === 'force_cancelled') {
    if (!any('force_cancelled')) await move(['force_cancelled'], 'cancelled')
  } else if (status === 'cancelling') {
    if (any('force_cancelled')) await move(['cancelling'], 'force_cancelled')
    else if (any('cancelled') || any('skipped')) await move(['cancelling'], 'cancelled')
    else await move(['cancelling'], all('succeeded') ? 'succeeded' : 'failed')
  } else if (status === 'running' || status === 'paused') {
    await move(['running', 'paused'], all('succeeded') ? 'succeeded' : 'failed')
  }
}

/** A milestone starts with its first task that starts and is done when all its tasks have ended. */
async function moveMilestones(tx: Tx, runId: string, version: number, tasks: Row[]): Promise<void> {
  const rows = await tx.query<{ plan_id: string; key: string; title: string; started_at: Date | null }>(
    'SELECT m.plan_id, m.key, m.title, m.started_at FROM milestone m JOIN plan p ON p.id = m.plan_id WHERE p.run_id = $1 AND p.version = $2 AND m.ended_at IS NULL ORDER BY m.position',
    [runId, version],
  )
  for (const row of rows) {
    const own = tasks.filter((task) => task.milestone === row.key)
    if (own.length === 0) continue
    const started = own.some((task) =>
      ['running', 'succeeded', 'failed', 'failed_timeout', 'needs_review'].includes(task.status),
    )
    if (started && !row.started_at) {
      await tx.query('UPDATE milestone SET started_at = clock_timestamp() WHERE plan_id = $1 AND key = $2', [
        row.plan_id,
        row.key,
      ])
      await tellEvent(tx, 'milestone.started', { runId }, { key: row.key, title: row.title })
    }
    if (!own.every((task) => isTaskEnd(task.status))) continue
    const outcome = own.every((task) => task.status === 'succeeded')
      ? 'succeeded'
      : own.some((task) => task.status.startsWith('failed'))
        ? 'failed'
        : 'cancelled'
    await tx.query(
      'UPDATE milestone SET ended_at = clock_timestamp(), outcome = $3 WHERE plan_id = $1 AND key = $2',
      [row.plan_id, row.key, outcome],
    )
    const came = own.map((task) => task.result?.summary?.trim().split('\n').at(-1) ?? '').filter(Boolean)
    await tellEvent(
      tx,
      'milestone.done',
      { runId },
      { key: row.key, title: row.title, outcome, started: started, came: came.slice(-3) },
    )
  }
}
