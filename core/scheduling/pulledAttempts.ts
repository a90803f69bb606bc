import type { Deps } from '../deps.ts'
import { releaseClaim } from '../dispatch/dispatchClaim.ts'
import type { ExecutionResult } from '../protocol/frames.ts'
import { type Holder, lockHolders, type PulledAttempt } from '../runs/lockAttempts.ts'
import { type FrameBody, recordPulled } from '../runs/recordFrames.ts'
import type { Sql, Tx } from '../storage/sql.ts'
import { LEASE_MS } from './claimTasks.ts'

export type { Holder } from '../runs/lockAttempts.ts'

type PullDeps = Pick<Deps, 'db' | 'bus' | 'wake' | 'redact' | 'settings'>

/** `cancel`: a person wants it stopped; the holder ends its work and completes it as failed. */
export type Held =
  | { kind: 'held'; leaseUntil: Date | null; cancel: boolean; status: string }
  /** Said before, and still so: nothing changed. */
  | { kind: 'repeated'; status: string }
  /** The claim is not this holder's any more: it lapsed, was given away, or never was. */
  | { kind: 'lost'; message: string }
  | { kind: 'unknown_task' }

const lost: Held = {
  kind: 'lost',
  message: 'This claim is not yours any more; stop the work and claim another task.',
}

/** What a holder's word comes to: an answer at once, or frames, after which it holds (`renews`: for another lease). */
type Frames = { frames: readonly FrameBody[]; renews: boolean }
type Said = Held | Frames

/** The frame with which work begins; there is nothing to deliver, so none says that it was accepted. */
const begin: FrameBody = { type: 'started', pid: null, containment: 'group' }

/** The holder begins: the task is running until it completes, releases, or falls silent. */
export const startPulled = (deps: PullDeps, holder: Holder): Promise<Held> =>
  say(deps, holder, (at) => {
    if (!at.holds) return lost
    if (at.cancel_at && at.status === 'claimed')
      return { kind: 'lost', message: 'A person cancelled it before it began; release it.' }
    if (at.status === 'claimed' && at.task_status === 'claimed') return { frames: [begin], renews: true }
    return at.task_status === 'running' ? { kind: 'repeated', status: 'running' } : lost
  })

/** The holder is still there: its lease is renewed. Work that was given up for lost goes on, unless a person decided. */
export const heartbeatPulled = (deps: PullDeps, holder: Holder): Promise<Held> =>
  say(deps, holder, (at) => {
    const goesOn = at.status === 'lost' && at.task_status === 'needs_review'
    if (!at.holds || !(goesOn || ['claimed', 'running', 'force_cancelled'].includes(at.task_status)))
      return lost
    return { frames: goesOn ? [begin] : [], renews: true }
  })

export type Completion = { status: 'succeeded' | 'failed'; result: unknown; error: string | null }

/** The end of the work, told by its holder. Told again, it changes nothing; of a lost claim, it is refused. */
export async function completePulled(deps: PullDeps, holder: Holder, completion: Completion): Promise<Held> {
  const [held = lost] = await completeAllPulled(deps, [{ holder, completion }])
  return held
}

/** As `completePulled` for many at once, all in one transaction; the answers are in the order of what was told. */
export const completeAllPulled = (
  deps: PullDeps,
  told: readonly { holder: Holder; completion: Completion }[],
): Promise<Held[]> =>
  sayAll(
    deps,
    told.map(({ holder }) => holder),
    (at, i) => {
      const completion = told[i]?.completion
      if (!at.holds || !completion) return lost
      if (at.status === 'exited') return { kind: 'repeated', status: at.task_status }
      if (at.status === 'released' || at.status === 'refused') return lost
      const began = at.status === 'claimed' ? [begin] : []
      return {
        frames: [...began, { type: 'result', result: resultOf(completion, at) }, { type: 'exited' }],
        renews: false,
      }
    },
  )

/** The holder gives the task back: unstarted, it is queued again; started, it counts as lost. */
export async function releasePulled(deps: PullDeps, holder: Holder, reason: string): Promise<Held> {
  const held = await deps.db.tx(async (tx) => {
    const [at] = await lockHolders(tx, [holder])
    if (at?.status !== 'started') return at
    const { after } = await recordPulled(deps, tx, [{ held: at, frames: [{ type: 'lost' }] }])
    return { ...at, ...after[0] }
  })
  if (!held) return nobody(deps.db, holder)
  if (held.status === 'released' || held.status === 'lost')
    return { kind: 'repeated', status: held.task_status }
  if (!held.holds || held.status !== 'claimed') return lost
  await releaseClaim(
    deps,
    { attemptId: held.id, taskId: held.task_id, runId: held.run_id, claimToken: holder.claimToken },
    deps.redact(reason),
  )
  return { kind: 'held', leaseUntil: null, cancel: false, status: 'queued' }
}

/** Nobody had this claim: of a task there is, or of none at all. */
async function nobody(sql: Sql, { taskId }: Holder): Promise<Held> {
  const [task] = await sql.query('SELECT 1 FROM task WHERE id = $1', [taskId])
  return task ? lost : { kind: 'unknown_task' }
}

async function say(deps: PullDeps, holder: Holder, word: (at: PulledAttempt) => Said): Promise<Held> {
  const [held = lost] = await sayAll(deps, [holder], word)
  return held
}

/** What each holder says of its attempt, as it stands; all in one transaction. Of two with one claim the first counts. */
const sayAll = (
  deps: PullDeps,
  holders: readonly Holder[],
  word: (at: PulledAttempt, n: number) => Said,
): Promise<Held[]> =>
  deps.db.tx(async (tx) => {
    const rows = new Map((await lockHolders(tx, holders)).map((row) => [row.claim_token, row]))
    const answers = new Map<string, Held>()
    const acting: { at: PulledAttempt; said: Frames }[] = []
    for (const [n, { claimToken }] of holders.entries()) {
      const at = rows.get(claimToken)
      if (!at) continue
      rows.delete(claimToken)
      const said = word(at, n)
      if ('kind' in said) answers.set(claimToken, said)
      else acting.push({ at, said })
    }
    for (const { claimToken, held } of await act(deps, tx, acting)) answers.set(claimToken, held)
    return Promise.all(holders.map((holder) => answers.get(holder.claimToken) ?? nobody(tx, holder)))
  })

type Acted = { claimToken: string; held: Held }

async function act(
  deps: PullDeps,
  tx: Tx,
  acting: readonly { at: PulledAttempt; said: Frames }[],
): Promise<Acted[]> {
  if (acting.length === 0) return []
  const renewed = acting.flatMap(({ at, said }) => (said.renews ? at.task_id : []))
  const [first] = acting
  // A lease goes with the beginning of the one task that begins.
  const begins = acting.length === 1 && renewed.length === 1 && (first?.said.frames.length ?? 0) > 0
  const [{ after, leaseUntil }, renewals] = await Promise.all([
    recordPulled(
      deps,
      tx,
      acting.map(({ at, said }) => ({ held: at, frames: said.frames })),
      begins ? LEASE_MS : null,
    ),
    begins ? new Map<string, Date>() : renew(tx, renewed),
    comeBack(
      tx,
      acting.flatMap(({ at }) => (at.status === 'lost' ? at.id : [])),
    ),
  ])
  const leases = leaseUntil && first && begins ? new Map([[first.at.task_id, leaseUntil]]) : renewals
  return acting.map(({ at }, i) => ({
    claimToken: at.claim_token,
    held: {
      kind: 'held',
      leaseUntil: leases.get(at.task_id) ?? null,
      cancel: at.cancel_at !== null && leases.has(at.task_id),
      status: after[i]?.task_status ?? at.task_status,
    },
  }))
}

async function renew(tx: Tx, taskIds: readonly string[]): Promise<Map<string, Date>> {
  if (taskIds.length === 0) return new Map()
  const rows = await tx.query<{ id: string; lease_until: Date }>(
    "UPDATE task SET lease_until = clock_timestamp() + $2 * interval '1 ms' WHERE id = ANY($1::uuid[]) RETURNING id, lease_until",
    [taskIds, LEASE_MS],
  )
  return new Map(rows.map((row) => [row.id, row.lease_until]))
}

/** Work that was given up for lost goes on: that nothing of it is left was not so. */
const comeBack = async (tx: Tx, attemptIds: readonly string[]): Promise<unknown> =>
  attemptIds.length > 0 &&
  tx.query("UPDATE attempt SET exited_at = NULL WHERE id = ANY($1::uuid[]) AND status = 'started'", [
    attemptIds,
  ])

const MAX_SUMMARY = 4000
const MAX_ERROR = 2000

/** What an outside agent says came out, as the result of an attempt. Failed after a cancel is cancelled. */
function resultOf({ status, result, error }: Completion, held: PulledAttempt): ExecutionResult {
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
    duration_ms: held.started_at ? Math.max(0, Date.now() - held.started_at.getTime()) : 0,
    error: status === 'failed' ? (error ?? 'failed').slice(0, MAX_ERROR) : null,
    changed: [],
  }
}
