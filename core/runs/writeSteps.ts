import type { Status } from '../events/states.ts'
import { tellEvents } from '../events/tellEvent.ts'
import { ByRow, type Columns, SqlExpression, transition } from '../events/transition.ts'
import type { Tx } from '../storage/sql.ts'
import type { Followed, HeldAttempt, Step } from './followFrames.ts'

type Item = { held: HeldAttempt; step: Step }

/**
 * Writes the steps of many attempts, whose rows are locked, in as few statements as their order allows: equal steps
 * of different attempts go together, each attempt's own stay in order. All statements are on their way when it returns.
 */
export async function writeSteps(tx: Tx, followed: readonly Followed[]): Promise<void> {
  const queues = followed.map((one) => withEnd(one).map((step): Item => ({ held: one.held, step })))
  const written: Promise<void>[] = []
  for (;;) {
    const heads = queues.flatMap((queue) => queue.slice(0, 1))
    if (heads.length === 0) break
    const key = keyOf(first(heads).step)
    const group = queues.filter((queue) => queue[0] && keyOf(queue[0].step) === key)
    const items = group.flatMap((queue) => queue.splice(0, 1))
    written.push(writeGroup(tx, items))
  }
  await Promise.all(written)
}

/** Whether the last move of the attempt itself carries how far it is known: nothing after it may undo that. */
export const tellsEnd = ({ steps }: Followed): boolean =>
  steps.some((step) => step.kind === 'attempt') && steps.every((step) => step.kind !== 'ask_cancel')

const exitedNow = new SqlExpression('coalesce(exited_at, clock_timestamp())')

/** The steps, the last move of the attempt with what else is known of it then: a row is better written once than twice. */
export function withEnd(one: Followed): Step[] {
  if (!tellsEnd(one)) return one.steps
  const last = one.steps.findLastIndex((step) => step.kind === 'attempt')
  const end = { last_seq: one.seq, ...(one.exited ? { exited_at: exitedNow } : {}) }
  return one.steps.map((step, i) =>
    step.kind === 'attempt' && i === last ? { ...step, set: { ...step.set, ...end } } : step,
  )
}

/** The head that comes earliest in the life of an attempt: others may join it there. */
const first = (heads: Item[]): Item => heads.reduce((a, b) => (rankOf(b.step) < rankOf(a.step) ? b : a))

const lifeOf = ['claimed', 'accepted', 'delivered', 'started', 'running', 'refused', 'lost', 'exited']

function rankOf(step: Step): number {
  const name = step.kind === 'attempt' || step.kind === 'task' ? step.to : step.kind
  const rank = lifeOf.indexOf(name)
  return rank < 0 ? lifeOf.length : rank
}

/** Steps with the same key are written by one statement. */
function keyOf(step: Step): string {
  if (step.kind === 'event') return 'event'
  if (step.kind !== 'attempt' && step.kind !== 'task') return step.kind
  const columns = Object.entries(step.set).map(([name, value]) =>
    value instanceof SqlExpression ? `${name}=${value.text}` : name,
  )
  return [step.kind, step.from, step.to, ...columns].join(' ')
}

async function writeGroup(tx: Tx, items: Item[]): Promise<void> {
  const step = items[0]?.step
  switch (step?.kind) {
    case 'attempt':
      return move(tx, 'attempt', attemptMoves(items))
    case 'task':
      return move(tx, 'task', taskMoves(items))
    case 'event':
      return tellEvents(
        tx,
        items.flatMap(({ held, step: { kind, ...event } }) =>
          'type' in event
            ? { ...event, subject: { runId: held.run_id, taskId: held.task_id, attemptId: held.id } }
            : [],
        ),
      )
    case 'delivered':
      await tx.query('UPDATE task SET lease_until = NULL WHERE id = ANY($1::uuid[])', [
        items.map(({ held }) => held.task_id),
      ])
      return
    case 'ask_cancel':
      await tx.query(
        'UPDATE attempt SET cancel_at = clock_timestamp(), exited_at = NULL WHERE id = ANY($1::uuid[]) AND cancel_at IS NULL',
        [items.map(({ held }) => held.id)],
      )
      return
  }
}

type Move<M extends 'attempt' | 'task'> = {
  id: string
  from: Status<M>
  to: Status<M>
  set: Columns
  data: Record<string, unknown>
}

const attemptMoves = (items: Item[]): Move<'attempt'>[] =>
  items.flatMap(({ held, step }) => (step.kind === 'attempt' ? { ...step, id: held.id, data: {} } : []))

const taskMoves = (items: Item[]): Move<'task'>[] =>
  items.flatMap(({ held, step }) => (step.kind === 'task' ? { ...step, id: held.task_id } : []))

async function move<M extends 'attempt' | 'task'>(tx: Tx, machine: M, rows: Move<M>[]): Promise<void> {
  const [head] = rows
  if (!head) return
  const columns = Object.entries(head.set).map(([name, value]) => [
    name,
    value instanceof SqlExpression ? value : byRow(name, new Map(rows.map((row) => [row.id, row.set[name]]))),
  ])
  const moved = await transition<M>(tx, machine, {
    ids: rows.map((row) => row.id),
    from: [head.from],
    to: head.to,
    set: Object.fromEntries(columns),
    data: new ByRow(new Map(rows.map((row) => [row.id, row.data])), 'jsonb'),
  })
  if (moved.length !== rows.length) throw new Error(`a ${machine} moved while it was locked`)
}

/** The columns that are not text. */
const types: Record<string, 'int' | 'jsonb' | 'timestamptz'> = {
  pid: 'int',
  last_seq: 'int',
  exit_code: 'int',
  result: 'jsonb',
  error: 'jsonb',
  lease_until: 'timestamptz',
}

const byRow = (column: string, values: ReadonlyMap<string, unknown>): ByRow =>
  new ByRow(values, types[column] ?? 'text')
