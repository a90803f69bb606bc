import type { Deps } from '../deps.ts'
import type { AttemptFrame } from '../protocol/frames.ts'
import type { ReportRequest, ReportResponse } from '../protocol/http.ts'
import { freeFiles } from '../scheduling/claimTasks.ts'
import type { Tx } from '../storage/sql.ts'
import { type Followed, followFrames, followLoss, type HeldAttempt } from './followFrames.ts'
import { settleRun } from './settleRun.ts'
import { writeSteps } from './writeSteps.ts'

type RecordDeps = Pick<Deps, 'db' | 'bus' | 'wake' | 'redact'>

/**
 * Takes a gateway's report into the ledger: frames in order of `seq` per attempt, each once. Repeated frames change
 * nothing; a gap stops that attempt, and the answer says how far it is known, so that the rest is sent again. What
 * is acknowledged is committed. An attempt whose frames cannot be written does not hold up the others.
 */
export async function recordFrames(deps: RecordDeps, report: ReportRequest): Promise<ReportResponse> {
  const frames = report.frames.map((frame) => redacted(deps.redact, frame))
  const groups = Map.groupBy(frames, (frame) => frame.execution_id)
  try {
    return await recordGroups(deps, report.agent_id, groups)
  } catch (error) {
    if (groups.size === 1) throw error
    const parts: ReportResponse[] = []
    for (const group of groups) parts.push(await recordGroups(deps, report.agent_id, new Map([group])))
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

type Groups = ReadonlyMap<string, AttemptFrame[]>

/** All attempts of a report in one transaction, each run settled once at its end. */
async function recordGroups(deps: RecordDeps, agentId: string, groups: Groups): Promise<ReportResponse> {
  return deps.db.tx(async (tx) => {
    const held = await lockAttempts(tx, agentId, [...groups.keys()], movers(groups))
    const followed = held.map((row) => followFrames(row, groups.get(row.id) ?? []))
    await write(deps, tx, followed)
    const known = new Set(held.map((row) => row.id))
    return {
      acks: followed.map(({ held: { id }, seq, exited }) => ({ execution_id: id, seq, result: exited })),
      unknown: [...groups.keys()].filter((id) => !known.has(id)),
    }
  })
}

/** A frame as its attempt's holder means it; its number and time follow from the attempt. */
export type FrameBody = AttemptFrame extends infer F
  ? F extends AttemptFrame
    ? Omit<F, 'execution_id' | 'seq' | 'at'>
    : never
  : never

/**
 * What the holder of a pulled attempt says, in the caller's transaction: the same frames as an agent's, numbered
 * here. `say` sees the attempt as it stands, locked, and may say nothing. Null when there is no such attempt.
 */
export async function recordPulled(
  deps: RecordDeps,
  tx: Tx,
  attempt: { id: string; agentId: string },
  say: (held: HeldAttempt) => FrameBody[],
): Promise<HeldAttempt | null> {
  const [held] = await lockAttempts(tx, attempt.agentId, [attempt.id], [attempt.id])
  if (!held) return null
  const at = new Date().toISOString()
  const frames = say(held).map((body, i) =>
    redacted(deps.redact, { ...body, execution_id: held.id, seq: held.last_seq + i + 1, at } as AttemptFrame),
  )
  const followed = followFrames(held, frames)
  await write(deps, tx, [followed])
  return followed.held
}

/**
 * Attempts that the agent had accepted and no longer knows: evidence that they are gone. In the caller's transaction,
 * since the evidence is given once. Idempotent.
 */
export async function recordLost(
  deps: Pick<Deps, 'bus' | 'wake'>,
  tx: Tx,
  agentId: string,
  attemptIds: string[],
): Promise<void> {
  if (attemptIds.length === 0) return
  const held = await lockAttempts(tx, agentId, attemptIds, attemptIds)
  await write(deps, tx, held.map(followLoss))
}

async function write(deps: Pick<Deps, 'bus' | 'wake'>, tx: Tx, followed: readonly Followed[]): Promise<void> {
  await writeLogs(tx, followed)
  await writeSteps(tx, followed)
  await writeEnds(tx, followed)
  for (const [runId, ofRun] of Map.groupBy(followed, (one) => one.held.run_id))
    if (ofRun.some((one) => one.settle))
      await settleRun(deps, tx, runId, { frees: ofRun.some((one) => one.freesSlot) })
  tx.afterCommit(() => tellOthers(deps, followed))
}

/** Frames that move nothing. */
const quiet = new Set<AttemptFrame['type']>(['log', 'progress'])

const movers = (groups: Groups): string[] =>
  [...groups].flatMap(([id, frames]) => (frames.every((frame) => quiet.has(frame.type)) ? [] : [id]))

/**
 * Those of the attempts that are this agent's. Locked in the order that every writer uses: runs, attempts, tasks,
 * each by id; what only logs locks its attempt alone.
 */
async function lockAttempts(
  tx: Tx,
  agentId: string,
  ids: string[],
  moving: string[],
): Promise<HeldAttempt[]> {
  if (moving.length > 0)
    await tx.query(
      `SELECT 1 FROM run WHERE id IN (SELECT t.run_id FROM attempt a JOIN task t ON t.id = a.task_id WHERE a.id = ANY($1::uuid[]))
       ORDER BY id FOR UPDATE`,
      [moving],
    )
  await tx.query(
    'SELECT 1 FROM attempt WHERE id = ANY($1::uuid[]) AND agent_id = $2 ORDER BY id FOR UPDATE',
    [ids, agentId],
  )
  if (moving.length > 0)
    await tx.query(
      'SELECT 1 FROM task WHERE id IN (SELECT task_id FROM attempt WHERE id = ANY($1::uuid[]) AND agent_id = $2) ORDER BY id FOR UPDATE',
      [moving, agentId],
    )
  return tx.query<HeldAttempt>(
    `SELECT a.id, a.task_id, t.run_id, a.status, a.last_seq, a.result, a.exited_at IS NOT NULL AS exited, a.cancel_at, t.effect,
       t.status AS task_status, t.claim_token IS NOT DISTINCT FROM a.claim_token AS holds, t.attempts_made, t.max_attempts
     FROM attempt a JOIN task t ON t.id = a.task_id WHERE a.id = ANY($1::uuid[]) AND a.agent_id = $2 ORDER BY a.id`,
    [ids, agentId],
  )
}

/** A run whose log was put away already is put away once more, together with what came late. */
async function writeLogs(tx: Tx, followed: readonly Followed[]): Promise<void> {
  const logs = followed.flatMap(({ held, logs: own }) => own.map((log) => ({ ...log, attempt: held.id })))
  if (logs.length === 0) return
  await tx.query(
    `WITH late AS (UPDATE run SET archived_at = NULL WHERE id = ANY($6::uuid[]) AND archived_at IS NOT NULL)
     INSERT INTO log_chunk (attempt_id, seq, stream, text, at) SELECT * FROM unnest($1::uuid[], $2::int[], $3::text[], $4::text[], $5::timestamptz[]) ON CONFLICT DO NOTHING`,
    [
      logs.map((log) => log.attempt),
      logs.map((log) => log.seq),
      logs.map((log) => log.stream),
      logs.map((log) => log.text),
      logs.map((log) => log.at),
      followed.filter((one) => one.logs.length > 0).map((one) => one.held.run_id),
    ],
  )
}

/** How far each attempt is known, whether it is gone for good, and files that are free now. */
async function writeEnds(tx: Tx, followed: readonly Followed[]): Promise<void> {
  const further = followed.filter(({ held, seq }) => seq > held.last_seq)
  if (further.length > 0)
    await tx.query(
      `UPDATE attempt a SET last_seq = g.seq, exited_at = CASE WHEN g.exited THEN coalesce(a.exited_at, clock_timestamp()) ELSE a.exited_at END
       FROM unnest($1::uuid[], $2::int[], $3::bool[]) AS g(id, seq, exited) WHERE a.id = g.id`,
      [
        further.map(({ held }) => held.id),
        further.map(({ seq }) => seq),
        further.map(({ exited }) => exited),
      ],
    )
  const freed = followed.flatMap((one) => (one.freesFiles ? one.held.task_id : []))
  if (freed.length > 0) await freeFiles(tx, freed)
}

/** Characters of new output that go over the bus; the ledger has it whole. */
const LIVE_CHARS = 4000

function tellOthers(deps: Pick<RecordDeps, 'bus' | 'wake'>, followed: readonly Followed[]): void {
  for (const { held, seq, logs, progress, wakes } of followed) {
    const text = newest(logs.map((log) => log.text))
    const { id, run_id, task_id, last_seq } = held
    const of = { runId: run_id, taskId: task_id, attemptId: id }
    if (text) deps.bus.publish('log', { ...of, after: last_seq, seq, text })
    if (progress) deps.bus.publish('run.changed', { runId: held.run_id })
    for (const name of wakes) deps.wake(name, {})
  }
}

/** The last characters of the texts together. */
function newest(texts: readonly string[]): string {
  let text = ''
  for (const one of texts.toReversed()) if (text.length < LIVE_CHARS) text = one + text
  return text.slice(-LIVE_CHARS)
}
