import type { Deps } from '../deps.ts'
import type { AttemptStatus, TaskStatus } from '../events/states.ts'
import { tellEvent } from '../events/tellEvent.ts'
import { inMs, now, transition } from '../events/transition.ts'
import type { AttemptFrame, ExecutionResult } from '../protocol/frames.ts'
import type { ReportRequest, ReportResponse } from '../protocol/http.ts'
import { freeFiles } from '../scheduling/claimTasks.ts'
import type { Tx } from '../storage/sql.ts'
import { settleRun } from './settleRun.ts'

type AttemptRow = {
  id: string
  task_id: string
  run_id: string
  claim_token: string
  status: AttemptStatus
  last_seq: number
  effect: string
  task_status: TaskStatus
  holds: boolean
  exited: boolean
  /** Something moved that the run has to follow. */
  settle: boolean
  attempts_made: number
  max_attempts: number
  cancel_at: Date | null
}
type RecordDeps = Pick<Deps, 'db' | 'bus' | 'wake' | 'redact'>

/**
 * Takes a gateway's report into the ledger: frames in order of `seq` per attempt, each once. Repeated frames change
 * nothing; a gap stops that attempt, and the answer says how far it is known, so that the rest is sent again. What
 * is acknowledged is committed.
 */
export async function recordFrames(deps: RecordDeps, report: ReportRequest): Promise<ReportResponse> {
  const frames = report.frames.map((frame) => redacted(deps.redact, frame))
  const groups = [...Map.groupBy(frames, (frame) => frame.execution_id)]
  try {
    return await recordGroups(deps, report.agent_id, groups)
  } catch (error) {
    if (groups.length === 1) throw error
    const parts: ReportResponse[] = []
    for (const group of groups) parts.push(await recordGroups(deps, report.agent_id, [group]))
    return { acks: parts.flatMap((part) => part.acks), unknown: parts.flatMap((part) => part.unknown) }
  }
}

/** No text from a machine enters the ledger with a secret of this installation in it. */
function redacted(redact: (text: string) => string, frame: AttemptFrame): AttemptFrame {
  if (frame.type === 'log' || frame.type === 'progress') return { ...frame, text: redact(frame.text) }
  if (frame.type === 'refused') return { ...frame, reason: redact(frame.reason) }
  if (frame.type !== 'result') return frame
  const { summary, error } = frame.result
  return {
    ...frame,
    result: { ...frame.result, summary: redact(summary), error: error === null ? null : redact(error) },
  }
}

type Group = [id: string, frames: AttemptFrame[]]

/** All attempts of a report in one transaction, each run settled once at its end. */
async function recordGroups(deps: RecordDeps, agentId: string, groups: Group[]): Promise<ReportResponse> {
  return deps.db.tx(async (tx) => {
    const acks: ReportResponse['acks'] = []
    const unknown: string[] = []
    const settle = new Set<string>()
    const moving = groups.filter(([, frames]) => frames.some((frame) => !quiet.has(frame.type)))
    await lockRuns(
      tx,
      moving.map(([id]) => id),
    )
    for (const [id, frames] of groups.sort(([a], [b]) => (a < b ? -1 : 1))) {
      const row = await lockAttempt(tx, id, agentId)
      if (!row) {
        unknown.push(id)
        continue
      }
      acks.push(await recordAttempt(deps, tx, row, frames))
      if (row.settle) settle.add(row.run_id)
    }
    for (const runId of settle) await settleRun(deps, tx, runId)
    return { acks, unknown }
  })
}

/** Frames that move no status of a task. */
const quiet = new Set<AttemptFrame['type']>(['log', 'progress', 'accepted'])

async function recordAttempt(
  deps: RecordDeps,
  tx: Tx,
  row: AttemptRow,
  frames: AttemptFrame[],
): Promise<ReportResponse['acks'][number]> {
  const fresh = inOrder(frames, row.last_seq)
  await recordLogs(deps, tx, row, fresh)
  for (const frame of fresh) await apply(deps, tx, row, frame)
  const last = fresh.at(-1)?.seq ?? row.last_seq
  if (last > row.last_seq) await tx.query('UPDATE attempt SET last_seq = $2 WHERE id = $1', [row.id, last])
  return { execution_id: row.id, seq: last, result: row.exited }
}

/** Frames above `lastSeq` without a gap, lowest first. */
function inOrder(frames: AttemptFrame[], lastSeq: number): AttemptFrame[] {
  const sorted = frames.filter((frame) => frame.seq > lastSeq).sort((a, b) => a.seq - b.seq)
  const fresh: AttemptFrame[] = []
  for (const frame of sorted) if (frame.seq === lastSeq + fresh.length + 1) fresh.push(frame)
  return fresh
}

/** Runs are locked before attempts, in the order of their ids: the order that every writer uses. */
const lockRuns = (tx: Tx, attemptIds: string[]): Promise<object[]> =>
  tx.query(
    `SELECT 1 FROM run WHERE id IN (SELECT t.run_id FROM attempt a JOIN task t ON t.id = a.task_id WHERE a.id = ANY($1::uuid[]))
     ORDER BY id FOR UPDATE`,
    [attemptIds],
  )

async function lockAttempt(tx: Tx, id: string, agentId: string): Promise<AttemptRow | undefined> {
  const [row] = await tx.query<Omit<AttemptRow, 'settle'>>(
    `SELECT a.id, a.task_id, t.run_id, a.claim_token, a.status, a.last_seq, a.cancel_at, t.effect, t.status AS task_status, t.attempts_made, t.max_attempts,
       t.claim_token IS NOT DISTINCT FROM a.claim_token AS holds, a.exited_at IS NOT NULL AS exited
     FROM attempt a JOIN task t ON t.id = a.task_id WHERE a.id = $1 AND a.agent_id = $2 FOR UPDATE OF a`,
    [id, agentId],
  )
  return row ? { ...row, settle: false } : undefined
}

async function recordLogs(deps: RecordDeps, tx: Tx, row: AttemptRow, frames: AttemptFrame[]): Promise<void> {
  const logs = frames.filter((frame) => frame.type === 'log')
  if (logs.length === 0) return
  await tx.query(
    'INSERT INTO log_chunk (attempt_id, seq, stream, text, at) SELECT $1, * FROM unnest($2::int[], $3::text[], $4::text[], $5::timestamptz[]) ON CONFLICT DO NOTHING',
    [
      row.id,
      logs.map((l) => l.seq),
      logs.map((l) => l.stream),
      logs.map((l) => l.text.replaceAll('\0', '�')),
      logs.map((l) => l.at),
    ],
  )
  const text = logs
    .map((l) => l.text)
    .join('')
    .slice(-4000)
  tx.afterCommit(() => deps.bus.publish('log', { runId: row.run_id, taskId: row.task_id, text }))
}

async function apply(deps: RecordDeps, tx: Tx, row: AttemptRow, frame: AttemptFrame): Promise<void> {
  switch (frame.type) {
    case 'accepted':
      await moveAttempt(tx, row, ['claimed'], 'accepted', { accepted_at: now })
      await tx.query(
        "UPDATE task SET lease_until = NULL WHERE id = $1 AND claim_token = $2 AND status = 'claimed'",
        [row.task_id, row.claim_token],
      )
      return
    case 'started':
      return started(deps, tx, row, frame)
    case 'refused':
      return refused(deps, tx, row, frame)
    case 'result':
      return ended(tx, row, frame.result)
    case 'exited':
      return exited(tx, row)
    case 'lost':
      return lost(deps, tx, row)
    case 'progress':
      await tellEvent(
        tx,
        'attempt.progress',
        { runId: row.run_id, taskId: row.task_id, attemptId: row.id },
        { text: frame.text, fraction: frame.fraction },
      )
      tx.afterCommit(() => deps.bus.publish('run.changed', { runId: row.run_id }))
      return
    case 'log':
      return
  }
}

async function moveAttempt(
  tx: Tx,
  row: AttemptRow,
  from: AttemptStatus[],
  to: AttemptStatus,
  set: Record<string, unknown>,
): Promise<boolean> {
  const moved = await transition(tx, 'attempt', { ids: [row.id], from, to, set })
  if (moved.length > 0) row.status = to
  return moved.length > 0
}

async function moveTask(
  tx: Tx,
  row: AttemptRow,
  from: TaskStatus[],
  to: TaskStatus,
  set: Record<string, unknown>,
  data?: Record<string, unknown>,
): Promise<boolean> {
  const moved = await transition(tx, 'task', {
    ids: [row.task_id],
    from,
    to,
    set,
    where: { sql: 'claim_token = $1', values: [row.claim_token] },
    ...(data ? { data } : {}),
  })
  if (moved.length > 0) row.task_status = to
  return moved.length > 0
}

async function started(
  deps: RecordDeps,
  tx: Tx,
  row: AttemptRow,
  frame: Extract<AttemptFrame, { type: 'started' }>,
): Promise<void> {
  await moveAttempt(tx, row, ['claimed', 'accepted', 'lost'], 'started', {
    started_at: now,
    pid: frame.pid,
    containment: frame.containment,
  })
  const moved = await moveTask(tx, row, ['claimed', 'needs_review'], 'running', {
    started_at: now,
    lease_until: null,
  })
  if (!moved && !row.cancel_at && row.task_status !== 'running') await askCancel(deps, tx, row)
  row.settle = true
}

/** A late holder's work must not go on: the agent is told to kill it. */
async function askCancel(deps: RecordDeps, tx: Tx, row: AttemptRow): Promise<void> {
  await tx.query(
    'UPDATE attempt SET cancel_at = clock_timestamp(), exited_at = NULL WHERE id = $1 AND cancel_at IS NULL',
    [row.id],
  )
  await tellEvent(
    tx,
    'attempt.cancel_asked',
    { runId: row.run_id, taskId: row.task_id, attemptId: row.id },
    { why: 'its claim is no longer valid' },
  )
  tx.afterCommit(() => deps.wake('attempts.cancel', {}))
}

/** Codes of a refusal that says nothing against the task itself: it may be claimed again. */
const passing = new Set(['busy', 'stopping', 'journal', 'grant_expired'])

async function refused(
  deps: RecordDeps,
  tx: Tx,
  row: AttemptRow,
  frame: Extract<AttemptFrame, { type: 'refused' }>,
): Promise<void> {
  const error = { code: frame.code, message: frame.reason }
  await moveAttempt(tx, row, ['claimed', 'accepted'], 'refused', { error, ended_at: now, exited_at: now })
  if (row.holds) await freeFiles(tx, [row.task_id])
  if (row.cancel_at)
    await moveTask(tx, row, ['claimed', 'force_cancelled'], 'cancelled', { ended_at: now, error }, error)
  else if (passing.has(frame.code) && row.attempts_made < row.max_attempts) {
    await moveTask(
      tx,
      row,
      ['claimed'],
      'queued',
      { claim_token: null, lease_until: null, waiting_for: 'machine', not_before: inMs(1000) },
      error,
    )
    tx.afterCommit(() => deps.wake('tasks.dispatch', {}))
  } else await moveTask(tx, row, ['claimed'], 'failed', { ended_at: now, error }, error)
  row.settle = true
}

const taskEnd: Record<ExecutionResult['status'], TaskStatus> = {
  succeeded: 'succeeded',
  failed: 'failed',
  timeout: 'failed_timeout',
  cancelled: 'cancelled',
}

async function ended(tx: Tx, row: AttemptRow, result: ExecutionResult): Promise<void> {
  await moveAttempt(tx, row, ['claimed', 'accepted', 'started', 'lost'], 'exited', {
    ended_at: now,
    exit_code: result.exit_code,
    signal: result.signal,
    result,
  })
  if (row.task_status === 'claimed')
    await moveTask(tx, row, ['claimed'], 'running', { started_at: now, lease_until: null })
  const to = taskEnd[result.status]
  const error =
    to === 'succeeded'
      ? null
      : { code: result.status, message: result.error ?? `exit ${result.exit_code ?? result.signal}` }
  const set = { result, error, ended_at: now }
  const data = {
    exit_code: result.exit_code,
    signal: result.signal,
    duration_ms: result.duration_ms,
    output_bytes: result.output_bytes,
  }
  if (to === 'cancelled') return
  if (row.task_status === 'force_cancelled')
    await moveTask(tx, row, ['force_cancelled'], 'cancelled', set, data)
  else await moveTask(tx, row, ['running', 'needs_review'], to, set, data)
  if (row.holds) await freeFiles(tx, [row.task_id])
  row.settle = true
}

/** The agent confirms that nothing of the attempt is left: only now a cancelled task is said to be cancelled. */
async function exited(tx: Tx, row: AttemptRow): Promise<void> {
  const [attempt] = await tx.query<{ result: ExecutionResult | null }>(
    'UPDATE attempt SET exited_at = coalesce(exited_at, clock_timestamp()) WHERE id = $1 RETURNING result',
    [row.id],
  )
  row.exited = true
  await tellEvent(tx, 'attempt.tree_exited', { runId: row.run_id, taskId: row.task_id, attemptId: row.id })
  if (attempt?.result?.status !== 'cancelled' && row.task_status !== 'force_cancelled') return
  const error = { code: 'cancelled', message: attempt?.result?.error ?? 'cancelled' }
  const set = { result: attempt?.result ?? null, error, ended_at: now }
  await moveTask(tx, row, ['running', 'needs_review', 'force_cancelled'], 'cancelled', set)
  if (row.holds) await freeFiles(tx, [row.task_id])
  row.settle = true
}

/**
 * The agent had begun and knows no end: its processes died with it. What only reads is queued again under a new
 * token; anything else waits for a person, keeping its token.
 */
export async function lost(
  deps: Pick<Deps, 'wake'>,
  tx: Tx,
  row: Pick<
    AttemptRow,
    | 'id'
    | 'task_id'
    | 'run_id'
    | 'claim_token'
    | 'status'
    | 'task_status'
    | 'effect'
    | 'cancel_at'
    | 'attempts_made'
    | 'max_attempts'
    | 'holds'
  >,
): Promise<void> {
  const held = row as AttemptRow
  await moveAttempt(tx, held, ['claimed', 'accepted', 'started'], 'lost', { ended_at: now, exited_at: now })
  const why = { code: 'lost', message: 'The agent restarted while it ran; what it did is not known.' }
  if (held.task_status === 'claimed')
    await moveTask(tx, held, ['claimed'], 'running', { lease_until: null, started_at: now })
  if (held.cancel_at) {
    await moveTask(
      tx,
      held,
      ['running', 'needs_review', 'force_cancelled'],
      'cancelled',
      { ended_at: now },
      why,
    )
  } else if (held.effect === 'read' && held.attempts_made < held.max_attempts) {
    await moveTask(
      tx,
      held,
      ['running'],
      'queued',
      { claim_token: null, lease_until: null, waiting_for: null },
      why,
    )
    tx.afterCommit(() => deps.wake('tasks.dispatch', {}))
  } else if (held.effect === 'read') {
    await moveTask(tx, held, ['running'], 'failed_timeout', { ended_at: now, error: why }, why)
  } else {
    await moveTask(tx, held, ['running'], 'needs_review', { error: why }, why)
    held.settle = true
    return
  }
  if (held.holds) await freeFiles(tx, [held.task_id])
  held.settle = true
}
