/*
 * What the machines of run, task, approval and attempt should do, in memory and without a ledger: small enough to be
 * read against docs/states.md. Tests do the same things to both and compare.
 */

export type ModelTask = {
  key: string
  status: string
  after: string[]
  effect: 'read' | 'write'
  owns: string[]
  attempts: number
  /** A person wants the attempt it is in dead. */
  cancelAsked: boolean
  /** How often it was tried again by itself since a person last said "go". */
  retries: number
}
export type ModelRun = { status: string; approval: string | null; tasks: ModelTask[] }

/** Times that one task, and one run in all, are tried again by themselves. */
const MAX_RETRIES = 2
const MAX_RUN_RETRIES = 8

const MAX_ATTEMPTS = 3
const stopped = new Set(['failed', 'failed_timeout', 'skipped', 'cancelled', 'force_cancelled'])
const ended = (task: ModelTask): boolean => task.status === 'succeeded' || stopped.has(task.status)
const active = (task: ModelTask): boolean => task.status === 'claimed' || task.status === 'running'

export function newRun(steps: Pick<ModelTask, 'key' | 'after' | 'effect' | 'owns'>[]): ModelRun {
  const asks = steps.some((step) => step.effect === 'write')
  const run: ModelRun = {
    status: asks ? 'awaiting_approval' : 'running',
    approval: asks ? 'pending' : null,
    tasks: steps.map((step) => ({
      ...step,
      status: asks ? 'held' : 'blocked',
      attempts: 0,
      cancelAsked: false,
      retries: 0,
    })),
  }
  settle(run)
  return run
}

/** What follows from any change: the skipped, the queued, the end of the run. */
function settle(run: ModelRun): void {
  const of = (key: string) => run.tasks.find((task) => task.key === key)
  for (let moved = true; moved; ) {
    moved = false
    for (const task of run.tasks) {
      const before = task.after.map((key) => of(key)?.status ?? '')
      if ((task.status === 'held' || task.status === 'blocked') && before.some((s) => stopped.has(s))) {
        task.status = 'skipped'
        moved = true
      } else if (task.status === 'blocked' && before.every((s) => s === 'succeeded')) {
        task.status = 'queued'
        moved = true
      }
    }
  }
  if (!run.tasks.every(ended)) return
  const count = (status: string) => run.tasks.filter((task) => task.status === status).length
  const all = count('succeeded') === run.tasks.length
  if (run.status === 'running' || run.status === 'paused') run.status = all ? 'succeeded' : 'failed'
  else if (run.status === 'force_cancelled' && count('force_cancelled') === 0) run.status = 'cancelled'
  else if (run.status === 'cancelling')
    run.status =
      count('force_cancelled') > 0
        ? 'force_cancelled'
        : count('cancelled') + count('skipped') > 0
          ? 'cancelled'
          : all
            ? 'succeeded'
            : 'failed'
}

export function decide(run: ModelRun, decision: 'approved' | 'denied'): void {
  if (run.approval !== 'pending') return
  run.approval = decision
  run.status = decision === 'approved' ? 'running' : 'denied'
  for (const task of run.tasks)
    if (task.status === 'held') task.status = decision === 'approved' ? 'blocked' : 'cancelled'
  settle(run)
}

export function pause(run: ModelRun): void {
  if (run.status === 'running') run.status = 'paused'
}

export function resume(run: ModelRun): void {
  if (run.status === 'paused') run.status = 'running'
  settle(run)
}

export function cancel(run: ModelRun): void {
  if (!['awaiting_approval', 'running', 'paused'].includes(run.status)) return
  const wasWaiting = run.status === 'awaiting_approval'
  if (run.approval === 'pending') run.approval = 'superseded'
  for (const task of run.tasks) {
    if (['held', 'blocked', 'queued', 'needs_review'].includes(task.status)) task.status = 'cancelled'
    else if (active(task)) task.cancelAsked = true
  }
  run.status = wasWaiting ? 'cancelled' : 'cancelling'
  settle(run)
}

/** Nobody confirmed the cancel in time. */
export function giveUp(run: ModelRun): void {
  for (const task of run.tasks) if (task.cancelAsked && active(task)) task.status = 'force_cancelled'
  settle(run)
}

export const claimable = (run: ModelRun): ModelTask[] =>
  run.status === 'running' ? run.tasks.filter((task) => task.status === 'queued') : []

/** Files count as owned from the claim until nothing of the attempt is left. */
export const owning = (run: ModelRun): string[] =>
  run.tasks.flatMap((task) =>
    active(task) || task.status === 'needs_review' || task.status === 'force_cancelled' ? task.owns : [],
  )

export function claim(task: ModelTask): void {
  task.status = 'claimed'
  task.attempts += 1
  task.cancelAsked = false
}

export function start(task: ModelTask): void {
  if (task.status === 'claimed') task.status = 'running'
}

export function finish(run: ModelRun, task: ModelTask, status: 'succeeded' | 'failed' | 'cancelled'): void {
  if (task.status === 'force_cancelled' || status === 'cancelled') task.status = 'cancelled'
  else task.status = status
  settle(run)
}

/** It fails for a reason that may pass: what only reads is tried again, twice. */
export function stumble(run: ModelRun, task: ModelTask): void {
  const spent = run.tasks.reduce((sum, { retries }) => sum + retries, 0)
  const goesOn = run.status === 'running' || run.status === 'paused'
  const safe = task.effect === 'read' && task.retries < MAX_RETRIES && spent < MAX_RUN_RETRIES
  if (goesOn && safe && task.status !== 'force_cancelled') {
    task.retries += 1
    task.status = 'queued'
    settle(run)
  } else finish(run, task, 'failed')
}

export function lose(run: ModelRun, task: ModelTask): void {
  if (task.cancelAsked) task.status = 'cancelled'
  else if (task.effect === 'write') task.status = 'needs_review'
  else task.status = task.attempts < MAX_ATTEMPTS ? 'queued' : 'failed_timeout'
  settle(run)
}

export function review(run: ModelRun, task: ModelTask, verdict: 'again' | 'skip'): void {
  if (run.status !== 'running' && run.status !== 'paused') return
  task.status = verdict === 'again' ? 'queued' : 'skipped'
  settle(run)
}

/** A person leaves out what has not begun. */
export function skip(run: ModelRun, task: ModelTask): void {
  if (run.status !== 'running' && run.status !== 'paused') return
  if (['held', 'blocked', 'queued', 'needs_review'].includes(task.status)) task.status = 'skipped'
  settle(run)
}

/** The failed run again, all of its failed tasks or one. */
export function retry(run: ModelRun, key: string | null): void {
  const failed = run.tasks.filter(
    (task) => task.status.startsWith('failed') && (key === null || task.key === key),
  )
  if (run.status !== 'failed' || failed.length === 0) return
  run.status = 'running'
  for (const task of run.tasks) task.retries = 0
  for (const task of failed) task.status = 'queued'
  const again = new Set(failed.map((task) => task.key))
  for (let grown = true; grown; ) {
    grown = false
    for (const task of run.tasks)
      if (task.after.some((k) => again.has(k)) && !again.has(task.key)) {
        again.add(task.key)
        grown = true
      }
  }
  for (const task of run.tasks) if (task.status === 'skipped' && again.has(task.key)) task.status = 'blocked'
  settle(run)
}
