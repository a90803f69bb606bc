/**
 * The legal transitions of each machine (docs/states.md explains each). `transition` is the only writer of a
 * status and refuses every pair that is not listed here.
 */
export const machines = {
  run: {
    planning: ['awaiting_approval', 'running', 'refused', 'failed', 'cancelled'],
    awaiting_approval: ['running', 'denied', 'expired', 'planning', 'cancelled'],
    running: ['paused', 'cancelling', 'succeeded', 'failed'],
    paused: ['running', 'cancelling', 'succeeded', 'failed'],
    cancelling: ['cancelled', 'force_cancelled', 'succeeded', 'failed'],
    force_cancelled: ['cancelled'],
    expired: ['awaiting_approval'],
    failed: ['running'],
    succeeded: [],
    cancelled: [],
    denied: [],
    refused: [],
  },
  task: {
    held: ['blocked', 'cancelled', 'skipped'],
    blocked: ['queued', 'cancelled', 'skipped'],
    queued: ['claimed', 'held', 'failed', 'cancelled', 'skipped'],
    claimed: ['running', 'queued', 'failed', 'failed_timeout', 'cancelled', 'skipped', 'force_cancelled'],
    running: [
      'succeeded',
      'failed',
      'failed_timeout',
      'cancelled',
      'queued',
      'needs_review',
      'force_cancelled',
    ],
    needs_review: ['running', 'succeeded', 'failed', 'failed_timeout', 'queued', 'skipped', 'cancelled'],
    failed: ['queued'],
    failed_timeout: ['queued'],
    skipped: ['blocked'],
    force_cancelled: ['cancelled'],
    succeeded: [],
    cancelled: [],
  },
  approval: {
    pending: ['approved', 'denied', 'expired', 'superseded'],
    approved: [],
    denied: [],
    expired: [],
    superseded: [],
  },
  recovery: {
    open: ['trying', 'not_helped', 'cancelled'],
    trying: ['helped', 'not_helped', 'cancelled'],
    asked: ['trying'],
    helped: [],
    not_helped: [],
    cancelled: [],
  },
  attempt: {
    claimed: ['accepted', 'started', 'refused', 'exited', 'lost', 'released'],
    accepted: ['started', 'refused', 'exited', 'lost'],
    started: ['exited', 'lost'],
    lost: ['started', 'exited'],
    exited: [],
    refused: [],
    released: [],
  },
} as const

export type Machine = keyof typeof machines
export type Status<M extends Machine> = Extract<keyof (typeof machines)[M], string>
export type RunStatus = Status<'run'>
export type TaskStatus = Status<'task'>
export type ApprovalStatus = Status<'approval'>
export type AttemptStatus = Status<'attempt'>
export type RecoveryStatus = Status<'recovery'>

export const runEnds: readonly RunStatus[] = [
  'succeeded',
  'failed',
  'cancelled',
  'force_cancelled',
  'denied',
  'refused',
  'expired',
]
export const taskEnds: readonly TaskStatus[] = [
  'succeeded',
  'failed',
  'failed_timeout',
  'cancelled',
  'skipped',
  'force_cancelled',
]

export const isRunEnd = (status: string): boolean => (runEnds as readonly string[]).includes(status)
export const isTaskEnd = (status: string): boolean => (taskEnds as readonly string[]).includes(status)

/** Whether `from -> to` stands in the table. */
export const isLegal = (machine: Machine, from: string, to: string): boolean => {
  const table: Record<string, readonly string[]> = machines[machine]
  return table[from]?.includes(to) ?? false
}
