import { randomUUID } from 'node:crypto'
import { assertNever } from '../assertNever.ts'
import type { TaskStatus } from '../events/states.ts'
import { tellEvent } from '../events/tellEvent.ts'
import { inMs, now, transition } from '../events/transition.ts'
import type { ExecutionResult } from '../protocol/frames.ts'
import { testSummary } from '../runs/testSummary.ts'
import type { Sql, Tx } from '../storage/sql.ts'
import { classify, type FailureClass } from './classify.ts'
import type { FollowDeps } from './deps.ts'
import { type Next, nextRung, type Rung, type Tried } from './ladder.ts'
import { recoveryMode } from './recoveryMode.ts'
import { tokensUsed } from './tokensUsed.ts'

/** A failed task that nothing is tried for. */
export type Unanswered = {
  id: string
  key: string
  status: Extract<TaskStatus, 'failed' | 'failed_timeout'>
  effect: 'read' | 'write'
  error: { code: string; message: string } | null
  result: ExecutionResult | null
  timeout_s: number
  kind: 'command' | 'request'
  /** The task of the approved plan that it stands for; its own id where that is itself. */
  root_id: string
  refused: boolean
}

/** Takes the next step for a failed task, as the table says: at once where a rule does it, else by a worker. */
export async function openRecovery(deps: FollowDeps, tx: Tx, runId: string, task: Unanswered): Promise<void> {
  const limits = { ...deps.settings.recovery, mode: await recoveryMode(tx, deps.settings) }
  if (limits.mode === 'off') return
  const failure = classify(failureOf(task), failsChecks)
  const next = nextRung({
    failure,
    effect: task.effect,
    kind: task.kind,
    timeoutS: task.timeout_s,
    hasModel: limits.hasModel,
    limits,
    ...(await readHistory(tx, runId, task.root_id)),
  })
  switch (next.rung) {
    case 'retry':
      await begin(tx, runId, task, failure, next, 'trying')
      return again(deps, tx, task, next.waitMs)
    case 'ask':
      return begin(tx, runId, task, failure, next, 'asked')
    case 'reduce':
    case 'budget':
    case 'decompose':
      await begin(tx, runId, task, failure, next, 'open')
      tx.afterCommit(() => deps.wake('run.recover', { runId }))
      return
    default:
      assertNever(next)
  }
}

const failsChecks = (said: string): boolean => / fail$/.test(testSummary(said) ?? '')

const failureOf = ({ status, effect, error, result, refused }: Unanswered) => ({
  status,
  effect,
  refused,
  code: error?.code ?? null,
  message: error?.message ?? '',
  exitCode: result?.exit_code ?? null,
  signal: result?.signal ?? null,
  said: result?.summary ?? '',
})

type History = {
  tried: Tried[]
  spent: { tries: number; tokens: number; ms: number }
  changedBefore: boolean
}

/** What was tried since the run began, or a person last sent it on; how much that came to. */
async function readHistory(sql: Sql, runId: string, rootId: string): Promise<History> {
  const rows = await sql.query<Tried & { root_id: string; model_ms: number }>(
    `SELECT v.rung, v.by, v.came_of AS "cameOf", v.root_id, v.model_ms FROM recovery v JOIN run r ON r.id = v.run_id
     WHERE v.run_id = $1 AND v.rung <> 'ask' AND v.created_at >= r.started_at ORDER BY v.created_at, v.id`,
    [runId],
  )
  const [worked] = await sql.query<{ ms: number; changed: boolean }>(
    `SELECT coalesce(sum(extract(epoch FROM coalesce(a.ended_at, clock_timestamp()) - a.started_at) * 1000) FILTER (WHERE v.id IS NOT NULL), 0)::float AS ms,
       coalesce(bool_or(t.status = 'succeeded' AND t.effect = 'write'), false) AS changed
     FROM task t LEFT JOIN attempt a ON a.task_id = t.id
     LEFT JOIN recovery v ON v.run_id = t.run_id AND (v.id = t.recovery_id OR (v.task_id = t.id AND v.rung = 'retry')) AND a.claimed_at >= v.created_at
     WHERE t.run_id = $1`,
    [runId],
  )
  const { tokens, asked } = await tokensUsed(sql, runId)
  return {
    tried: rows.filter((row) => row.root_id === rootId),
    spent: {
      tries: rows.length,
      tokens: Math.max(tokens, asked),
      ms: (worked?.ms ?? 0) + rows.reduce((ms, row) => ms + row.model_ms, 0),
    },
    changedBefore: worked?.changed ?? false,
  }
}

/** Writes the step into the ledger, with its event. */
async function begin(
  tx: Tx,
  runId: string,
  task: Unanswered,
  failure: FailureClass,
  next: Next,
  status: 'open' | 'trying' | 'asked',
): Promise<void> {
  const id = randomUUID()
  const by = next.rung === 'ask' ? 'rule' : next.by
  const why = next.rung === 'ask' ? next.why : null
  await tx.query(
    `INSERT INTO recovery (id, run_id, task_id, root_id, rung, by, status, failure, came_of, created_at, started_at)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, clock_timestamp(), CASE WHEN $7 = 'trying' THEN clock_timestamp() END)`,
    [id, runId, task.id, task.root_id, next.rung satisfies Rung, by, status, failure, why],
  )
  const data = { recovery_id: id, status, rung: next.rung, by, failure, ...(why ? { why } : {}) }
  await tellEvent(tx, 'recovery.begun', { runId, taskId: task.id }, data)
}

/** The same task again, a little later: nothing of it has begun, or it only reads. */
async function again(deps: FollowDeps, tx: Tx, task: Unanswered, waitMs: number): Promise<void> {
  const cleared = { ended_at: null, started_at: null, error: null, result: null, claim_token: null }
  await transition(tx, 'task', {
    ids: [task.id],
    from: [task.status],
    to: 'queued',
    set: { ...cleared, queued_at: now, not_before: inMs(waitMs) },
    data: { why: 'tried again' },
  })
  tx.afterCommit(() => deps.wake('tasks.dispatch', {}))
}
