import { isTaskEnd, type RunStatus, taskEnds } from '../events/states.ts'
import { tellEvent } from '../events/tellEvent.ts'
import { now, transition } from '../events/transition.ts'
import type { FollowDeps } from '../recovery/deps.ts'
import { followRecoveries, isUnanswered } from '../recovery/followRecoveries.ts'
import { beside, type Tx } from '../storage/sql.ts'
import { queueUnblocked, skipOrphans } from '../tasks/moveTasks.ts'

type Row = {
  id: string
  key: string
  status: string
  milestone: string | null
  result: { summary?: string } | null
}

export type SettleDeps = FollowDeps
/** The settings on which it depends. */
export type SettleSetting = keyof FollowDeps['settings']

/**
 * What follows from the end of any task of a run, in the transaction of that end: what failed is tried in another way or
 * asked about (core/recovery), dependents are queued or skipped, milestones start and end, and the run ends when all its
 * tasks have and nothing is left to try. The run's row is locked first, so that two
 * tasks ending at once cannot both miss the last one. The scheduler is woken when a task was queued, and where the
 * change may have freed a slot or files that others wait for (`frees`). `locked`: the caller has locked the run's row.
 * Idempotent.
 */
export async function settleRun(
  deps: SettleDeps,
  tx: Tx,
  runId: string,
  { frees = true, locked = false }: { frees?: boolean; locked?: boolean } = {},
): Promise<void> {
  const lock = locked ? null : tx.query('SELECT 1 FROM run WHERE id = $1 FOR UPDATE', [runId])
  const [counts] = await Promise.all([countTasks(tx, runId), lock])
  const { queued, others } = await followTasks(deps, tx, runId, counts)
  for (const other of others) tx.afterCommit(() => deps.wake('run.settle', { runId: other }))
  tellSettled(deps, tx, runId, frees && queued === 0)
  if (queued > 0) tx.afterCommit(() => deps.wake('tasks.dispatch', {}))
}

/** Once it is committed, others look at the run, and the scheduler at what has become free. */
export function tellSettled(
  deps: Pick<SettleDeps, 'bus' | 'wake'>,
  tx: Tx,
  runId: string,
  frees: boolean,
): void {
  tx.afterCommit(() => {
    deps.bus.publish('run.changed', { runId })
    if (frees) deps.wake('tasks.dispatch', {}, 'together')
  })
}

/** Returns how many tasks were queued, and which other runs wait for a task of this one that has ended. */
async function followTasks(
  deps: SettleDeps,
  tx: Tx,
  runId: string,
  counted: Counts | undefined,
): Promise<{ queued: number; others: string[] }> {
  if (!counted) return { queued: 0, others: [] }
  const counts = await followFailures(deps, tx, runId, counted)
  const queued = counts.waiting > 0 ? await queueUnblocked(tx, runId) : 0
  if (counts.milestones) await moveMilestones(tx, runId, counts.plan_version)
  if (counts.open > 0 && counts.status === 'running')
    tx.afterCommit(() => deps.wake('run.recover', { runId }))
  if (counts.total > 0 && counts.ended === counts.total && counts.open === 0) await endRun(tx, runId, counts)
  return { queued, others: counts.others }
}

/** What failed is tried otherwise or is final; what depends on the final ones is skipped, which may end a try in turn. */
async function followFailures(deps: SettleDeps, tx: Tx, runId: string, counted: Counts): Promise<Counts> {
  let counts = counted
  for (;;) {
    if (counts.trying || counts.unanswered) {
      if (await followRecoveries(deps, tx, runId)) counts = (await countTasks(tx, runId)) ?? counts
    }
    if (counts.waiting === 0 || counts.stopped === 0) return counts
    if ((await skipOrphans(tx, runId)) === 0) return counts
    counts = (await countTasks(tx, runId)) ?? counts
    if (!counts.trying) return counts
  }
}

/** The tasks that make up a run: those of its newest plan; of a program's run all, since each asks for more. */
const ofRun = "t.run_id = r.id AND (t.plan_id = p.id OR r.kind = 'api')"

type Counts = {
  status: RunStatus
  plan_version: number
  milestones: boolean
  total: number
  /** Those of which a worker looks for another way count as ended. */
  ended: number
  succeeded: number
  /** Held or blocked. */
  waiting: number
  /** Ended without success and for good: what depends on them will not run. */
  stopped: number
  /** Failed, and a worker looks for another way. */
  open: number
  /** A failed task of which nothing is said yet: something is tried, or a person is asked. */
  unanswered: boolean
  /** Something is being tried of which the outcome may be known now. */
  trying: boolean
  /** A cancel ended what was being tried. */
  cut: boolean
  cancelled: number
  skipped: number
  force_cancelled: number
  /** Runs of programs in which a task waits for one of this run that has ended. */
  others: string[]
}

/** In SQL, of a task `t`. */
const hasFailed = "t.status IN ('failed', 'failed_timeout')"
const isOpen = "EXISTS (SELECT 1 FROM recovery o WHERE o.task_id = t.id AND o.status = 'open')"

/** How the tasks of a run's newest plan stand, in one statement however many there are. */
async function countTasks(tx: Tx, runId: string): Promise<Counts | undefined> {
  const [row] = await tx.query<Counts>(
    `SELECT r.status, r.plan_version, EXISTS (SELECT 1 FROM milestone m WHERE m.plan_id = p.id AND m.ended_at IS NULL) AS milestones,
       count(t.id)::int AS total, count(*) FILTER (WHERE t.status = ANY($2::text[]))::int AS ended,
       count(*) FILTER (WHERE t.status = 'succeeded')::int AS succeeded, count(*) FILTER (WHERE t.status IN ('held', 'blocked'))::int AS waiting,
       count(*) FILTER (WHERE t.status IN ('skipped', 'cancelled', 'force_cancelled') OR (${hasFailed} AND NOT ${isOpen}))::int AS stopped,
       count(*) FILTER (WHERE ${hasFailed} AND ${isOpen})::int AS open,
       coalesce(bool_or(${hasFailed} AND ${isUnanswered}), false) AS unanswered,
       EXISTS (SELECT 1 FROM recovery v WHERE v.run_id = r.id AND v.status = 'trying') AS trying,
       EXISTS (SELECT 1 FROM recovery v WHERE v.run_id = r.id AND v.status = 'cancelled') AS cut,
       count(*) FILTER (WHERE t.status = 'cancelled')::int AS cancelled, count(*) FILTER (WHERE t.status = 'skipped')::int AS skipped,
       count(*) FILTER (WHERE t.status = 'force_cancelled')::int AS force_cancelled,
       ARRAY(SELECT DISTINCT w.run_id FROM task x JOIN task_dependency d ON d.depends_on_id = x.id JOIN task w ON w.id = d.task_id
         WHERE x.run_id = $1 AND w.run_id <> $1 AND ${beside("w.status = 'blocked'")} AND x.status = ANY($2::text[]))::text[] AS others
     FROM run r JOIN plan p ON p.run_id = r.id AND p.version = r.plan_version JOIN task t ON ${ofRun}
     WHERE r.id = $1 GROUP BY r.id, p.id`,
    [runId, taskEnds],
  )
  return row
}

async function endRun(tx: Tx, runId: string, counts: Counts): Promise<void> {
  const { status } = counts
  const all = counts.succeeded === counts.total
  const move = (from: RunStatus[], to: RunStatus) =>
    transition(tx, 'run', { ids: [runId], from, to, set: { ended_at: now } })
  if (status === 'force_cancelled') {
    if (counts.force_cancelled === 0) await move(['force_cancelled'], 'cancelled')
  } else if (status === 'cancelling') {
    if (counts.force_cancelled > 0) await move(['cancelling'], 'force_cancelled')
    else if (counts.cancelled + counts.skipped > 0 || counts.cut) await move(['cancelling'], 'cancelled')
    else await move(['cancelling'], all ? 'succeeded' : 'failed')
  } else if (status === 'running' || status === 'paused') {
    await move([status], all ? 'succeeded' : 'failed')
  }
}

/** A milestone starts with its first task that starts and is done when all its tasks have ended. */
async function moveMilestones(tx: Tx, runId: string, version: number): Promise<void> {
  const tasks = await tx.query<Row>(
    `SELECT t.id, t.key, CASE WHEN ${hasFailed} AND ${isOpen} THEN 'running' ELSE t.status END AS status, t.milestone, t.result FROM task t JOIN plan p ON p.id = t.plan_id
     WHERE t.run_id = $1 AND p.version = $2 AND t.milestone IS NOT NULL`,
    [runId, version],
  )
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
        : own.every((task) => task.status === 'skipped')
          ? 'skipped'
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
