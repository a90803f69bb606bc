import { failpoint } from '../config/failpoint.ts'
import { jsonText } from '../storage/jsonText.ts'
import { beside, type Sql, type Tx } from '../storage/sql.ts'
import { isLegal, type Machine } from './states.ts'
import type { Told } from './tellEvent.ts'
import { type Columns, columnValue, named, returned, subjects, toldColumns } from './transition.ts'

/** A move of one row, the status of which is known. */
export type RowMove = {
  machine: Machine
  id: string
  from: string
  to: string
  set: Columns
  data?: Record<string, unknown>
  /** The run of an attempt, which its row does not name; of others it is not needed. */
  runId?: string
  /** A condition, as SQL over the row with parameters from $1; without it the row has to move. */
  onlyIf?: { sql: string; values: readonly unknown[] }
}
/** Columns of one row that change without its status. */
export type RowChange = { machine: Machine; id: string; set: Columns }
export type Happening = RowMove | RowChange | Told

export type Together = {
  /** Whether each row that moved on a condition did, by machine. */
  moved: ReadonlySet<Machine>
  /** The lease of the task that moved, where it has one. */
  leaseUntil: Date | null
}

type Row = { machine: Machine; id: string; moves: RowMove[]; set: Columns }

/**
 * All that happens to a few rows at once, in one statement: `transition` for each of them, their moves and other events
 * told in the order given. A row that moves more than once is written once, each of its moves with an event of its own.
 * One row of each machine at most, all of them locked; throws when one is not in the status said, and what was written
 * then goes with the transaction. At most one may have a condition.
 */
export async function moveTogether(
  tx: Sql & Pick<Tx, 'afterCommit'>,
  happenings: readonly Happening[],
): Promise<Together> {
  const rows = rowsOf(happenings)
  const moves = happenings.filter((one) => 'to' in one)
  for (const { machine, from, to } of moves)
    if (!isLegal(machine, from as never, to as never))
      throw new Error(`${machine}: ${from} -> ${to} is not a transition`)
  const { text, values } = statement(rows, happenings)
  for (const { machine, to } of moves) failpoint(`${machine}.${to}:before`)
  const [found] = await tx.query<Record<string, boolean> & { lease_until: Date | null }>(text, values)
  const moved = new Set<Machine>()
  for (const [n, row] of rows.entries()) {
    if (found?.[`m${n}`] === true) moved.add(row.machine)
    else if (!isConditional(row)) throw new Error(`a ${row.machine} moved while it was locked`)
  }
  for (const { machine, to } of moves) {
    if (!moved.has(machine)) continue
    failpoint(`${machine}.${to}:after`)
    tx.afterCommit(() => failpoint(`${machine}.${to}:committed`))
  }
  return { moved, leaseUntil: found?.lease_until ?? null }
}

const isConditional = ({ moves }: Row): boolean => moves.some(({ onlyIf }) => onlyIf)

/** What becomes of each row in all: a statement can write a row once. */
function rowsOf(happenings: readonly Happening[]): Row[] {
  const rows: Row[] = []
  for (const one of happenings) {
    if ('type' in one) continue
    let row = rows.find(({ machine, id }) => machine === one.machine && id === one.id)
    if (!row) {
      row = { machine: one.machine, id: one.id, moves: [], set: {} }
      rows.push(row)
    }
    Object.assign(row.set, one.set)
    if ('to' in one) row.moves.push(one)
  }
  return rows
}

function statement(
  rows: readonly Row[],
  happenings: readonly Happening[],
): { text: string; values: unknown[] } {
  const condition = rows.flatMap(({ moves }) => moves.flatMap(({ onlyIf }) => onlyIf ?? []))[0]
  const values: unknown[] = [...(condition?.values ?? [])]
  const param = (value: unknown): string => `$${values.push(value)}`
  const updates = rows.map((row, n) => `m${n} AS (${update(row, param)})`)
  const told = happenings.flatMap((one) => {
    if ('type' in one) return eventOf(one, param)
    const n = rows.findIndex(({ machine, id }) => machine === one.machine && id === one.id)
    return 'to' in one ? moveOf(one, `m${n}`, param) : []
  })
  const task = rows.findIndex(({ machine }) => machine === 'task')
  const parts = [...updates, `told AS (INSERT INTO event (${toldColumns}) ${told.join(' UNION ALL ')})`]
  const found = [
    ...rows.map((_, n) => `EXISTS (SELECT 1 FROM m${n}) AS m${n}`),
    task < 0 ? 'NULL::timestamptz AS lease_until' : `(SELECT lease_until FROM m${task}) AS lease_until`,
  ]
  return { text: `WITH ${(told.length > 0 ? parts : updates).join(', ')} SELECT ${found.join(', ')}`, values }
}

type Param = (value: unknown) => string

function update({ machine, id, moves, set }: Row, param: Param): string {
  const last = moves.at(-1)
  const status = last ? [`status = ${param(last.to)}`] : []
  const columns = Object.entries(set).map(([column, value]) => `${column} = ${columnValue(value, param)}`)
  const was = moves[0] ? ` AND ${beside(`status = ${param(moves[0].from)}`)}` : ''
  const only = moves.flatMap(({ onlyIf }) => (onlyIf ? ` AND (${onlyIf.sql})` : [])).join('')
  const back = machine === 'task' ? `${returned[machine]}, lease_until` : returned[machine]
  return `UPDATE ${machine} SET ${[...status, ...columns].join(', ')} WHERE id = ${param(id)}::uuid${was}${only} RETURNING ${back}`
}

const ofAttempt = 'task_id, id, NULL::uuid, agent_id'

function moveOf({ machine, from, to, data, runId }: RowMove, table: string, param: Param): string {
  const text = jsonText({ from, to, ...(data ?? {}) })
  const columns = machine === 'attempt' ? `${param(runId)}::uuid, ${ofAttempt}` : subjects[machine]
  return `SELECT ${param(`${machine}.${to}`)}::text, ${columns}, ${param(text)}::jsonb${named[machine] ?? ''} FROM ${table}`
}

function eventOf({ type, subject, data }: Told, param: Param): string {
  const { runId, taskId, attemptId, approvalId, agentId } = subject
  const ids = [runId, taskId, attemptId, approvalId, agentId].map((id) => `${param(id ?? null)}::uuid`)
  return `SELECT ${param(type)}::text, ${ids.join(', ')}, ${param(jsonText(data))}::jsonb`
}
