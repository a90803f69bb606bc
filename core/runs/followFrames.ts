import { assertNever } from '../assertNever.ts'
import type { AttemptStatus, TaskStatus } from '../events/states.ts'
import type { OtherEvent } from '../events/tellEvent.ts'
import { type Columns, inMs, now } from '../events/transition.ts'
import type { AttemptFrame, ExecutionResult } from '../protocol/frames.ts'

/** An attempt and its task as they stand in the ledger, both locked. */
export type HeldAttempt = {
  id: string
  task_id: string
  run_id: string
  status: AttemptStatus
  last_seq: number
  result: ExecutionResult | null
  exited: boolean
  cancel_at: Date | null
  effect: string
  task_status: TaskStatus
  /** The task is still this attempt's: its claim token is the task's. */
  holds: boolean
  attempts_made: number
  max_attempts: number
  /** Its task is one of a milestone, which may start or end with it. */
  in_milestone: boolean
  /** Its claim took files. */
  owns_files: boolean
  /** Its task seems to be the only one of a program's run, on which none waits: to be looked at again before it counts. */
  alone: boolean | null
}

/** One thing to write for one attempt. The order of an attempt's steps is the order of their events. */
export type Step =
  | { kind: 'attempt'; from: AttemptStatus; to: AttemptStatus; set: Columns }
  | { kind: 'task'; from: TaskStatus; to: TaskStatus; set: Columns; data: Record<string, unknown> }
  | { kind: 'event'; type: OtherEvent; data: Record<string, unknown> }
  /** The agent has it: the claim can no longer lapse. */
  | { kind: 'delivered' }
  /** A late holder's work must not go on: the agent is told to kill it. */
  | { kind: 'ask_cancel' }

export type Followed = {
  held: HeldAttempt
  /** Everything up to here is known. */
  seq: number
  steps: Step[]
  logs: Extract<AttemptFrame, { type: 'log' }>[]
  /** The agent has confirmed that nothing of the attempt is left. */
  exited: boolean
  freesFiles: boolean
  /** The agent holds one attempt less. */
  freesSlot: boolean
  /** Something moved that the run has to follow. */
  settle: boolean
  /** Something moved that is worth a look, though nothing follows from it. */
  progress: boolean
  wakes: ('tasks.dispatch' | 'attempts.cancel')[]
}

/**
 * What an attempt's frames mean, given how it stands: pure. Frames count in order of `seq`, each once; a gap ends it,
 * and the rest has to be sent again. Only the holder of the task's claim moves the task.
 */
export function followFrames(held: HeldAttempt, frames: readonly AttemptFrame[]): Followed {
  const state = standing(held)
  for (const frame of inOrder(frames, held.last_seq)) {
    follow(state, frame)
    state.seq = frame.seq
  }
  if (isForgotten(held, frames)) {
    lost(state)
    exited(state)
  }
  return state
}

/**
 * After a power cut an agent may have forgotten frames that the ledger has: it numbers `lost` as one of them. Said of an
 * attempt whose end was never confirmed it is news all the same.
 */
const isForgotten = (held: HeldAttempt, frames: readonly AttemptFrame[]): boolean =>
  !held.exited &&
  held.status !== 'claimed' &&
  frames.some((frame) => frame.type === 'lost' && frame.seq <= held.last_seq)

/** What it means that the agent no longer knows an attempt that it had accepted: the same as a `lost` frame. */
export function followLoss(held: HeldAttempt): Followed {
  const state = standing(held)
  if (held.status === 'accepted' || held.status === 'started') lost(state)
  return state
}

const standing = (held: HeldAttempt): Followed => ({
  held: { ...held },
  seq: held.last_seq,
  steps: [],
  logs: [],
  exited: held.exited,
  freesFiles: false,
  freesSlot: false,
  settle: false,
  progress: false,
  wakes: [],
})

/** Frames above `lastSeq` without a gap, lowest first. */
function inOrder(frames: readonly AttemptFrame[], lastSeq: number): AttemptFrame[] {
  const sorted = frames.filter((frame) => frame.seq > lastSeq).sort((a, b) => a.seq - b.seq)
  const fresh: AttemptFrame[] = []
  for (const frame of sorted) if (frame.seq === lastSeq + fresh.length + 1) fresh.push(frame)
  return fresh
}

function follow(state: Followed, frame: AttemptFrame): void {
  switch (frame.type) {
    case 'accepted':
      accepted(state)
      break
    case 'started':
      started(state, frame)
      break
    case 'refused':
      refused(state, frame)
      break
    case 'result':
      ended(state, frame.result)
      break
    case 'exited':
      exited(state)
      break
    case 'lost':
      lost(state)
      break
    case 'progress':
      progressed(state, frame)
      break
    case 'log':
      state.logs.push(frame)
      break
    default:
      assertNever(frame)
  }
}

function moveAttempt(state: Followed, from: AttemptStatus[], to: AttemptStatus, set: Columns): void {
  const { held, steps } = state
  if (!from.includes(held.status)) return
  steps.push({ kind: 'attempt', from: held.status, to, set })
  held.status = to
  if (to === 'exited' || to === 'refused' || to === 'lost') state.freesSlot = true
}

function moveTask(
  { held, steps }: Followed,
  from: TaskStatus[],
  to: TaskStatus,
  set: Columns,
  data: Record<string, unknown> = {},
): boolean {
  if (!held.holds || !from.includes(held.task_status)) return false
  steps.push({ kind: 'task', from: held.task_status, to, set, data })
  held.task_status = to
  return true
}

/** The task is claimable again, under a new token. */
function requeue(
  state: Followed,
  from: TaskStatus[],
  set: Columns,
  why: { code: string; message: string },
): void {
  moveTask(state, from, 'queued', { claim_token: null, lease_until: null, ...set }, why)
  state.wakes.push('tasks.dispatch')
}

function accepted(state: Followed): void {
  moveAttempt(state, ['claimed'], 'accepted', { accepted_at: now })
  if (state.held.holds && state.held.task_status === 'claimed') state.steps.push({ kind: 'delivered' })
}

function progressed(state: Followed, { text, fraction }: Extract<AttemptFrame, { type: 'progress' }>): void {
  state.steps.push({ kind: 'event', type: 'attempt.progress', data: { text, fraction } })
  state.progress = true
}

function started(state: Followed, frame: Extract<AttemptFrame, { type: 'started' }>): void {
  const { held } = state
  moveAttempt(state, ['claimed', 'accepted', 'lost'], 'started', {
    started_at: now,
    pid: frame.pid,
    containment: frame.containment,
  })
  const moved = moveTask(state, ['claimed', 'needs_review'], 'running', {
    started_at: now,
    lease_until: null,
  })
  const goesOn = moved || (held.holds && held.task_status === 'running')
  if (!goesOn && !held.cancel_at) {
    state.steps.push(
      { kind: 'ask_cancel' },
      { kind: 'event', type: 'attempt.cancel_asked', data: { why: 'its claim is no longer valid' } },
    )
    state.exited = false
    state.wakes.push('attempts.cancel')
  }
  state.settle ||= held.in_milestone
  state.progress = true
}

/** Codes of a refusal that says nothing against the task itself: it may be claimed again. */
const passing = new Set(['busy', 'stopping', 'journal', 'grant_expired', 'file_alias'])

function refused(state: Followed, frame: Extract<AttemptFrame, { type: 'refused' }>): void {
  const { held } = state
  const error = { code: frame.code, message: frame.reason }
  moveAttempt(state, ['claimed', 'accepted'], 'refused', { error, ended_at: now, exited_at: now })
  if (held.cancel_at)
    moveTask(state, ['claimed', 'force_cancelled'], 'cancelled', { ended_at: now, error }, error)
  else if (passing.has(frame.code) && held.attempts_made < held.max_attempts)
    requeue(state, ['claimed'], { not_before: inMs(1000) }, error)
  else moveTask(state, ['claimed'], 'failed', { ended_at: now, error }, error)
  release(state)
}

const taskEnd: Record<ExecutionResult['status'], TaskStatus> = {
  succeeded: 'succeeded',
  failed: 'failed',
  timeout: 'failed_timeout',
  cancelled: 'cancelled',
}

function ended(state: Followed, result: ExecutionResult): void {
  const { held } = state
  const { exit_code, signal, duration_ms, output_bytes } = result
  moveAttempt(state, ['claimed', 'accepted', 'started', 'lost'], 'exited', {
    ended_at: now,
    exit_code,
    signal,
    result,
  })
  held.result = result
  moveTask(state, ['claimed'], 'running', { started_at: now, lease_until: null })
  const to = taskEnd[result.status]
  if (to === 'cancelled') return
  const message = result.error ?? `exit ${exit_code ?? signal}`
  const error = to === 'succeeded' ? null : { code: result.status, message }
  const set = { result, error, ended_at: now }
  const data = { exit_code, signal, duration_ms, output_bytes }
  if (!moveTask(state, ['force_cancelled'], 'cancelled', set, data))
    moveTask(state, ['running', 'needs_review'], to, set, data)
  release(state)
}

/** The agent confirms that nothing of the attempt is left: only now a cancelled task is said to be cancelled. */
function exited(state: Followed): void {
  const { held } = state
  state.exited = true
  state.steps.push({ kind: 'event', type: 'attempt.tree_exited', data: {} })
  if (held.result?.status !== 'cancelled' && held.task_status !== 'force_cancelled') return
  const error = { code: 'cancelled', message: held.result?.error ?? 'cancelled' }
  const set = { result: held.result, error, ended_at: now }
  moveTask(state, ['running', 'needs_review', 'force_cancelled'], 'cancelled', set)
  release(state)
}

/**
 * The agent had begun and knows no end: its processes died with it. What only reads is queued again under a new
 * token; anything else waits for a person, keeping its token and its files.
 */
function lost(state: Followed): void {
  const { held } = state
  const why = { code: 'lost', message: 'Its agent was lost while it ran; what it did is not known.' }
  moveAttempt(state, ['claimed', 'accepted', 'started'], 'lost', { ended_at: now, exited_at: now })
  moveTask(state, ['claimed'], 'running', { lease_until: null, started_at: now })
  state.settle = true
  if (held.cancel_at)
    moveTask(state, ['running', 'needs_review', 'force_cancelled'], 'cancelled', { ended_at: now }, why)
  else if (held.effect !== 'read') moveTask(state, ['running'], 'needs_review', { error: why }, why)
  else if (held.attempts_made < held.max_attempts) requeue(state, ['running'], {}, why)
  else moveTask(state, ['running'], 'failed_timeout', { ended_at: now, error: why }, why)
  if (held.task_status !== 'needs_review') release(state)
}

/** States in which a claim has the task's files. */
const owning = new Set<TaskStatus>(['claimed', 'running', 'needs_review', 'force_cancelled'])

/** Nothing of the attempt runs any more: the files of the task are free, unless a newer claim has them. */
function release(state: Followed): void {
  const { holds, task_status } = state.held
  if (holds || !owning.has(task_status)) state.freesFiles = true
  state.settle = true
}
