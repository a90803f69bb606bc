import type { Deps } from '../deps.ts'
import { inMs } from '../events/transition.ts'
import type { AttemptFrame } from '../protocol/frames.ts'
import type { ReportRequest, ReportResponse } from '../protocol/http.ts'
import { freeFiles } from '../scheduling/claimTasks.ts'
import type { Tx } from '../storage/sql.ts'
import { type Followed, followFrames, followLoss, type HeldAttempt } from './followFrames.ts'
import { lockReported } from './lockAttempts.ts'
import { type SettleDeps, settleRun, tellSettled } from './settleRun.ts'
import { canWriteAlone, mayEndRun, writeAlone } from './writeAlone.ts'
import { tellsEnd, writeSteps } from './writeSteps.ts'

type RecordDeps = Pick<Deps, 'db' | 'bus' | 'wake' | 'redact' | 'settings'>

/**
 * Takes a gateway's report into the ledger: frames in order of `seq` per attempt, each once. Repeated frames change
 * nothing; a gap stops that attempt, and the answer says how far it is known, so that the rest is sent again. What
 * is acknowledged is committed. An attempt whose frames cannot be written does not hold up the others.
 */
export async function recordFrames(deps: RecordDeps, report: ReportRequest): Promise<ReportResponse> {
  const frames = joinSplit(deps.redact, report.frames).map((frame) => redacted(deps.redact, frame))
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

/**
 * A secret may be split over frames, by who sends no whole lines or by a program that folds it: where frames of one
 * stream hide more together than each by itself, the first takes the text of all.
 */
function joinSplit(redact: (text: string) => string, frames: readonly AttemptFrame[]): AttemptFrame[] {
  const out = [...frames]
  const open = new Map<string, number[]>()
  for (const [i, frame] of out.entries()) {
    if (frame.type !== 'log') continue
    const source = `${frame.execution_id} ${frame.stream}`
    const row = [...(open.get(source) ?? []), i]
    open.set(source, row)
  }
  for (const row of open.values()) if (row.length > 1) takeTogether(redact, out, row)
  return out
}

function takeTogether(
  redact: (text: string) => string,
  frames: AttemptFrame[],
  row: readonly number[],
): void {
  const texts = row.map((i) => (frames[i] as LogFrame).text)
  const together = redact(texts.join(''))
  if (together === texts.map(redact).join('')) return
  for (const [n, i] of row.entries())
    frames[i] = { ...(frames[i] as LogFrame), text: n === 0 ? texts.join('') : '' }
}

type LogFrame = Extract<AttemptFrame, { type: 'log' }>

type Groups = ReadonlyMap<string, AttemptFrame[]>

/** All attempts of a report in one transaction, each run settled once at its end. */
async function recordGroups(deps: RecordDeps, agentId: string, groups: Groups): Promise<ReportResponse> {
  return deps.db.tx(async (tx) => {
    const held = await lockReported(tx, agentId, [...groups.keys()], movers(groups))
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
 * What the holders of pulled attempts say, in the caller's transaction, which has locked them: the same frames as an
 * agent's, numbered here. `leaseMs`: the lease of a task that begins. Returns how each attempt then stands, and the new
 * lease where one statement wrote it all.
 */
export async function recordPulled(
  deps: RecordDeps,
  tx: Tx,
  said: readonly { held: HeldAttempt; frames: readonly FrameBody[] }[],
  leaseMs: number | null = null,
): Promise<{ after: HeldAttempt[]; leaseUntil: Date | null }> {
  const at = new Date().toISOString()
  const followed = said.map(({ held, frames }) => {
    const own = { execution_id: held.id, at }
    const numbered = frames.map(
      (body, i) => ({ ...body, ...own, seq: held.last_seq + i + 1 }) as AttemptFrame,
    )
    return followFrames(
      held,
      numbered.map((frame) => redacted(deps.redact, frame)),
    )
  })
  const leaseUntil = await write(deps, tx, leaseMs === null ? followed : followed.map(leasing(leaseMs)))
  return { after: followed.map(({ held }) => held), leaseUntil }
}

/** What begins has a lease, until its holder is heard of again. */
const leasing =
  (ms: number) =>
  (one: Followed): Followed => ({
    ...one,
    steps: one.steps.map((step) =>
      step.kind === 'task' && step.to === 'running'
        ? { ...step, set: { ...step.set, lease_until: inMs(ms) } }
        : step,
    ),
  })

/**
 * Attempts that the agent had accepted and no longer knows: evidence that they are gone. In the caller's transaction,
 * since the evidence is given once. Idempotent.
 */
export async function recordLost(
  deps: SettleDeps,
  tx: Tx,
  agentId: string,
  attemptIds: string[],
): Promise<void> {
  if (attemptIds.length === 0) return
  const held = await lockReported(tx, agentId, attemptIds, attemptIds)
  await write(deps, tx, held.map(followLoss))
}

/** All that was said goes to the server together; what follows from it for the runs is looked at once that is written. */
async function write(deps: SettleDeps, tx: Tx, followed: readonly Followed[]): Promise<Date | null> {
  const [only] = followed
  if (followed.length === 1 && only && canWriteAlone(only)) return writeOnly(deps, tx, only)
  const settled = [...Map.groupBy(followed, (one) => one.held.run_id)].filter(([, ofRun]) =>
    ofRun.some((one) => one.settle),
  )
  await Promise.all([
    writeLogs(tx, followed),
    writeSteps(tx, followed),
    writeEnds(tx, followed),
    ...settled.map(([runId, ofRun]) =>
      settleRun(deps, tx, runId, { frees: ofRun.some((one) => one.freesSlot), locked: true }),
    ),
  ])
  tx.afterCommit(() => tellOthers(deps, followed))
  return null
}

/** The same of one attempt, in fewer statements. Returns its task's lease where that was written. */
async function writeOnly(deps: SettleDeps, tx: Tx, one: Followed): Promise<Date | null> {
  const settle = () => settleRun(deps, tx, one.held.run_id, { frees: one.freesSlot, locked: true })
  const mayEnd = mayEndRun(one)
  const [{ moved, leaseUntil }] = await Promise.all([
    writeAlone(tx, one),
    writeLogs(tx, [one]),
    writeEnds(tx, [one]),
    one.settle && !mayEnd ? settle() : null,
  ])
  if (mayEnd && moved.has('run')) tellSettled(deps, tx, one.held.run_id, one.freesSlot)
  else if (mayEnd) await settle()
  tx.afterCommit(() => tellOthers(deps, [one]))
  return leaseUntil
}

/** Frames that move nothing. */
const quiet = new Set<AttemptFrame['type']>(['log', 'progress'])

const movers = (groups: Groups): string[] =>
  [...groups].flatMap(([id, frames]) => (frames.every((frame) => quiet.has(frame.type)) ? [] : [id]))

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

/** How far each attempt is known and whether it is gone for good, where no step told it; and files that are free now. */
async function writeEnds(tx: Tx, followed: readonly Followed[]): Promise<void> {
  const further = followed.filter((one) => one.seq > one.held.last_seq && !tellsEnd(one))
  const written: Promise<object[]>[] = []
  if (further.length > 0)
    written.push(
      tx.query(
        `UPDATE attempt a SET last_seq = g.seq, exited_at = CASE WHEN g.exited THEN coalesce(a.exited_at, clock_timestamp()) ELSE a.exited_at END
         FROM unnest($1::uuid[], $2::int[], $3::bool[]) AS g(id, seq, exited) WHERE a.id = g.id`,
        [
          further.map(({ held }) => held.id),
          further.map(({ seq }) => seq),
          further.map(({ exited }) => exited),
        ],
      ),
    )
  const freed = followed.flatMap((one) => (one.freesFiles && one.held.owns_files ? one.held.task_id : []))
  if (freed.length > 0) written.push(freeFiles(tx, freed))
  await Promise.all(written)
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
