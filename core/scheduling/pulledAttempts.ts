import type { Deps } from '../deps.ts'
import { releaseClaim } from '../dispatch/dispatchClaim.ts'
import { findAgent } from '../fleet/outsideAgents.ts'
import type { ExecutionResult } from '../protocol/frames.ts'
import type { HeldAttempt } from '../runs/followFrames.ts'
import { type FrameBody, recordPulled } from '../runs/recordFrames.ts'
import type { Sql, Tx } from '../storage/sql.ts'
import { LEASE_MS } from './claimTasks.ts'

type PullDeps = Pick<Deps, 'db' | 'bus' | 'wake' | 'redact'>

/** What the holder of a claim shows: who it is, and the claim's token. */
export type Holder = { taskId: string; agent: string; claimToken: string }

/** `cancel`: a person wants it stopped; the holder ends its work and completes it as failed. */
export type Held =
  | { kind: 'held'; leaseUntil: Date | null; cancel: boolean; status: string }
  /** Said before, and still so: nothing changed. */
  | { kind: 'repeated'; status: string }
  /** The claim is not this holder's any more: it lapsed, was given away, or never was. */
  | { kind: 'lost'; message: string }
  | { kind: 'unknown_task' }

type Row = { id: string; agent_id: string; task_id: string; run_id: string; started_at: Date | null }

async function findAttempt(sql: Sql, holder: Holder): Promise<Row | Held> {
  const [task] = await sql.query('SELECT 1 FROM task WHERE id = $1', [holder.taskId])
  if (!task) return { kind: 'unknown_task' }
  const agent = await findAgent(sql, holder.agent)
  const [row] = await sql.query<Row>(
    `SELECT a.id, a.agent_id, a.task_id, t.run_id, a.started_at FROM attempt a JOIN task t ON t.id = a.task_id
     WHERE a.claim_token = $1 AND a.task_id = $2 AND a.agent_id = $3 AND t.dispatch = 'pull'`,
    [holder.claimToken, holder.taskId, agent?.id ?? null],
  )
  return row ?? lost
}

const lost: Held = {
  kind: 'lost',
  message: 'This claim is not yours any more; stop the work and claim another task.',
}

/** The frames with which work begins: an attempt that is accepted and started. */
const begin: FrameBody[] = [{ type: 'accepted' }, { type: 'started', pid: null, containment: 'group' }]

/** The holder begins: the task is running until it completes, releases, or falls silent. */
export function startPulled(deps: PullDeps, holder: Holder): Promise<Held> {
  return withAttempt(deps, holder, async (tx, row) => {
    const before = await look(deps, tx, row)
    if (!before?.holds) return lost
    if (before.cancel_at && before.status === 'claimed')
      return { kind: 'lost', message: 'A person cancelled it before it began; release it.' }
    const held = await recordPulled(deps, tx, ofRow(row), ({ status }) => (status === 'claimed' ? begin : []))
    if (held?.task_status !== 'running') return lost
    return before.status === 'claimed' ? renew(tx, row, held) : { kind: 'repeated', status: 'running' }
  })
}

/** The holder is still there: its lease is renewed. Work that was given up for lost goes on, unless a person decided. */
export function heartbeatPulled(deps: PullDeps, holder: Holder): Promise<Held> {
  return withAttempt(deps, holder, async (tx, row) => {
    const held = await recordPulled(deps, tx, ofRow(row), ({ holds, status, task_status }) =>
      holds && status === 'lost' && task_status === 'needs_review' ? begin.slice(1) : [],
    )
    if (!held?.holds || !['claimed', 'running', 'force_cancelled'].includes(held.task_status)) return lost
    await tx.query("UPDATE attempt SET exited_at = NULL WHERE id = $1 AND status = 'started'", [row.id])
    return renew(tx, row, held)
  })
}

export type Completion = { status: 'succeeded' | 'failed'; result: unknown; error: string | null }

/** The end of the work, told by its holder. Told again, it changes nothing; of a lost claim, it is refused. */
export function completePulled(deps: PullDeps, holder: Holder, completion: Completion): Promise<Held> {
  return withAttempt(deps, holder, async (tx, row) => {
    const before = await look(deps, tx, row)
    if (!before?.holds) return lost
    if (before.status === 'exited') return { kind: 'repeated', status: before.task_status }
    if (before.status === 'released' || before.status === 'refused') return lost
    const held = await recordPulled(deps, tx, ofRow(row), (at) => [
      ...(at.status === 'claimed' ? begin : []),
      { type: 'result', result: resultOf(completion, row, at) },
      { type: 'exited' },
    ])
    return held ? { kind: 'held', leaseUntil: null, cancel: false, status: held.task_status } : lost
  })
}

/** The holder gives the task back: unstarted, it is queued again; started, it counts as lost. */
export async function releasePulled(deps: PullDeps, holder: Holder, reason: string): Promise<Held> {
  const row = await findAttempt(deps.db, holder)
  if ('kind' in row) return row
  const held = await deps.db.tx(async (tx) => {
    const before = await look(deps, tx, row)
    return before?.status === 'started'
      ? recordPulled(deps, tx, ofRow(row), () => [{ type: 'lost' }])
      : before
  })
  if (held?.status === 'released' || held?.status === 'lost')
    return { kind: 'repeated', status: held.task_status }
  if (!held?.holds || held.status !== 'claimed') return lost
  await releaseClaim(
    deps,
    { attemptId: row.id, taskId: row.task_id, runId: row.run_id, claimToken: holder.claimToken },
    deps.redact(reason),
  )
  return { kind: 'held', leaseUntil: null, cancel: false, status: 'queued' }
}

const ofRow = (row: Row): { id: string; agentId: string } => ({ id: row.id, agentId: row.agent_id })

/** The attempt as it stands, locked with its run and task in the order of every writer. */
const look = (deps: PullDeps, tx: Tx, row: Row): Promise<HeldAttempt | null> =>
  recordPulled(deps, tx, ofRow(row), () => [])

async function withAttempt(
  deps: PullDeps,
  holder: Holder,
  work: (tx: Tx, row: Row) => Promise<Held>,
): Promise<Held> {
  const row = await findAttempt(deps.db, holder)
  return 'kind' in row ? row : deps.db.tx((tx) => work(tx, row))
}

async function renew(tx: Tx, row: Row, held: HeldAttempt): Promise<Held> {
  const [task] = await tx.query<{ lease_until: Date }>(
    "UPDATE task SET lease_until = clock_timestamp() + $2 * interval '1 ms' WHERE id = $1 RETURNING lease_until",
    [row.task_id, LEASE_MS],
  )
  return {
    kind: 'held',
    leaseUntil: task?.lease_until ?? null,
    cancel: held.cancel_at !== null,
    status: held.task_status,
  }
}

const MAX_SUMMARY = 4000
const MAX_ERROR = 2000

/** What an outside agent says came out, as the result of an attempt. Failed after a cancel is cancelled. */
function resultOf({ status, result, error }: Completion, row: Row, held: HeldAttempt): ExecutionResult {
  const text =
    typeof result === 'string'
      ? result
      : result === undefined || result === null
        ? ''
        : JSON.stringify(result)
  return {
    status: held.cancel_at && status === 'failed' ? 'cancelled' : status,
    exit_code: null,
    signal: null,
    summary: text.slice(0, MAX_SUMMARY),
    output_bytes: Buffer.byteLength(text),
    output_lost: Math.max(0, text.length - MAX_SUMMARY),
    duration_ms: row.started_at ? Math.max(0, Date.now() - row.started_at.getTime()) : 0,
    error: status === 'failed' ? (error ?? 'failed').slice(0, MAX_ERROR) : null,
    changed: [],
  }
}
