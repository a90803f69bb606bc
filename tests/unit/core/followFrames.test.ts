import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { isLegal, machines } from '../../../core/events/states.ts'
import type { AttemptFrame, ExecutionResult } from '../../../core/protocol/frames.ts'
import { followFrames, followLoss, type HeldAttempt } from '../../../core/runs/followFrames.ts'

const at = '2026-11-21T12:00:00.000Z'
const execution_id = '00000000-0000-4000-8000-000000000001'
const result = (status: ExecutionResult['status']): ExecutionResult => ({
  status,
  exit_code: status === 'succeeded' ? 0 : 1,
  signal: null,
  summary: '',
  output_bytes: 0,
  output_lost: 0,
  duration_ms: 1,
  error: null,
  changed: [],
})
const held = (over: Partial<HeldAttempt> = {}): HeldAttempt => ({
  id: execution_id,
  task_id: 'task',
  run_id: 'run',
  status: 'claimed',
  last_seq: 0,
  result: null,
  exited: false,
  cancel_at: null,
  effect: 'write',
  task_status: 'claimed',
  holds: true,
  attempts_made: 1,
  max_attempts: 3,
  in_milestone: false,
  owns_files: true,
  alone: false,
  ...over,
})

type Body = AttemptFrame extends infer F
  ? F extends AttemptFrame
    ? Omit<F, 'execution_id' | 'seq' | 'at'>
    : never
  : never
const number = (bodies: Body[], from = 1): AttemptFrame[] =>
  bodies.map((body, n) => ({ ...body, execution_id, seq: from + n, at }) as AttemptFrame)
const states = (row: HeldAttempt, bodies: Body[]): string[] =>
  followFrames(row, number(bodies)).steps.map((step) =>
    step.kind === 'attempt' || step.kind === 'task' ? `${step.kind} ${step.from} -> ${step.to}` : step.kind,
  )

describe('an agent that a power cut made forget', () => {
  const forgotten = number([{ type: 'lost' }, { type: 'exited' }], 2)
  const steps = (row: HeldAttempt): string[] =>
    followFrames(row, forgotten).steps.flatMap((step) =>
      step.kind === 'attempt' || step.kind === 'task' ? `${step.kind} ${step.to}` : [],
    )

  test('says of running work that it is lost, under numbers that the ledger has: it is', () => {
    const row = held({ status: 'started', task_status: 'running', last_seq: 7 })
    expect(steps(row)).toEqual(['attempt lost', 'task needs_review'])
    expect(followFrames(row, forgotten)).toMatchObject({ seq: 7, exited: true })
  })

  test('says so of work whose cancel was all but confirmed: it is confirmed', () => {
    const row = held({
      status: 'exited',
      task_status: 'running',
      last_seq: 7,
      result: result('cancelled'),
      cancel_at: new Date(),
    })
    expect(steps(row)).toEqual(['task cancelled'])
  })

  test('says so of work whose end is confirmed: nothing changes', () => {
    const row = held({
      status: 'exited',
      task_status: 'succeeded',
      last_seq: 7,
      result: result('succeeded'),
      exited: true,
    })
    expect(followFrames(row, forgotten).steps).toEqual([])
  })
})

const bodies: fc.Arbitrary<Body> = fc.oneof(
  fc.constantFrom<Body>(
    { type: 'accepted' },
    { type: 'started', pid: 7, containment: 'bwrap' },
    { type: 'exited' },
    { type: 'lost' },
    { type: 'log', stream: 'stdout', text: 'x' },
    { type: 'progress', text: 'half', fraction: 0.5 },
  ),
  fc
    .constantFrom('busy', 'grant_expired', 'outside_roots')
    .map((code): Body => ({ type: 'refused', code, reason: 'no' })),
  fc.constantFrom('succeeded', 'failed', 'timeout', 'cancelled').map(
    (status): Body => ({
      type: 'result',
      result: result(status as ExecutionResult['status']),
    }),
  ),
)
const rows: fc.Arbitrary<HeldAttempt> = fc
  .record({
    status: fc.constantFrom(...(Object.keys(machines.attempt) as HeldAttempt['status'][])),
    task_status: fc.constantFrom(...(Object.keys(machines.task) as HeldAttempt['task_status'][])),
    holds: fc.boolean(),
    effect: fc.constantFrom('read', 'write'),
    attempts_made: fc.integer({ min: 1, max: 3 }),
    cancel_at: fc.constantFrom(null, new Date(0)),
  })
  .map(held)

describe('what frames mean', () => {
  test('a life from claim to end, in the order of its events', () => {
    expect(
      states(held(), [
        { type: 'accepted' },
        { type: 'started', pid: 7, containment: 'bwrap' },
        { type: 'log', stream: 'stdout', text: 'hello' },
        { type: 'result', result: result('succeeded') },
        { type: 'exited' },
      ]),
    ).toEqual([
      'attempt claimed -> accepted',
      'delivered',
      'attempt accepted -> started',
      'task claimed -> running',
      'attempt started -> exited',
      'task running -> succeeded',
      'event',
    ])
  })

  test('cancelled only once the agent confirms that the tree is gone', () => {
    const running = held({ status: 'started', task_status: 'running', cancel_at: new Date(0) })
    const ended = followFrames(running, number([{ type: 'result', result: result('cancelled') }]))
    expect(ended.held.task_status).toBe('running')
    expect(ended.freesFiles).toBe(false)
    const gone = followFrames(
      running,
      number([{ type: 'result', result: result('cancelled') }, { type: 'exited' }]),
    )
    expect(gone.held.task_status).toBe('cancelled')
    expect(gone).toMatchObject({ exited: true, freesFiles: true })
  })

  test('lost: what reads is queued again, what writes waits for a person and keeps its files', () => {
    const running = { status: 'started', task_status: 'running' } as const
    expect(followLoss(held({ ...running, effect: 'read' }))).toMatchObject({
      held: { task_status: 'queued' },
      freesFiles: true,
      wakes: ['tasks.dispatch'],
    })
    expect(followLoss(held(running))).toMatchObject({
      held: { task_status: 'needs_review' },
      freesFiles: false,
    })
    expect(followLoss(held({ ...running, effect: 'read', attempts_made: 3 })).held.task_status).toBe(
      'failed_timeout',
    )
    expect(followLoss(held({ status: 'exited', task_status: 'succeeded' })).steps).toEqual([])
  })

  test('a late holder that starts is told to die, also while another holder runs', () => {
    const late = followFrames(
      held({ status: 'released', holds: false, task_status: 'running', exited: true }),
      number([{ type: 'started', pid: 1, containment: 'group' }]),
    )
    expect(late.steps.map((step) => step.kind)).toEqual(['ask_cancel', 'event'])
    expect(late).toMatchObject({ exited: false, wakes: ['attempts.cancel'] })
  })

  test('whatever comes to whatever state: only legal moves, and the task only by its holder', () => {
    fc.assert(
      fc.property(rows, fc.array(bodies, { maxLength: 8 }), (row, frames) => {
        const followed = followFrames(row, number(frames))
        for (const step of followed.steps) {
          if (step.kind !== 'attempt' && step.kind !== 'task') continue
          expect(isLegal(step.kind, step.from, step.to)).toBe(true)
          if (step.kind === 'task') expect(row.holds).toBe(true)
        }
        const isOthers =
          !row.holds && ['claimed', 'running', 'needs_review', 'force_cancelled'].includes(row.task_status)
        if (followed.freesFiles) expect(isOthers).toBe(false)
        expect(followed.seq).toBe(frames.length)
      }),
      { numRuns: 2000 },
    )
  })

  test('order, repetition and a gap: each frame counts once, and what follows a gap does not count', () => {
    const all = number([
      { type: 'accepted' },
      { type: 'started', pid: 7, containment: 'bwrap' },
      { type: 'lost' },
    ])
    const [first, second, third] = all as [AttemptFrame, AttemptFrame, AttemptFrame]
    expect(followFrames(held(), [third, second, first, second]).steps).toEqual(
      followFrames(held(), all).steps,
    )
    expect(followFrames(held(), [first, third]).seq).toBe(1)
    expect(followFrames(held({ last_seq: 3 }), all)).toMatchObject({ seq: 3, steps: [] })
  })
})
