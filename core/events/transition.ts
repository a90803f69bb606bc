import { failpoint } from '../config/failpoint.ts'
import { jsonText } from '../storage/jsonText.ts'
import { beside, type Sql, type Tx } from '../storage/sql.ts'
import { isLegal, type Machine, type Status } from './states.ts'

/** A column's value that PostgreSQL computes. */
export class SqlExpression {
  readonly text: string
  constructor(text: string) {
    this.text = text
  }
}
/** A column's value that differs from row to row, by the row's id: there is one for each of the move's ids. */
export class ByRow {
  readonly values: ReadonlyMap<string, unknown>
  readonly type: 'text' | 'int' | 'jsonb' | 'timestamptz'
  constructor(values: ReadonlyMap<string, unknown>, type: ByRow['type'] = 'text') {
    this.values = values
    this.type = type
  }
}
export const now = new SqlExpression('clock_timestamp()')
/** The same moment for every row of a statement. */
export const atOnce = new SqlExpression('statement_timestamp()')
export const inMs = (ms: number): SqlExpression =>
  new SqlExpression(`clock_timestamp() + interval '${Math.trunc(ms)} ms'`)
export const minusOne = (column: string): SqlExpression => new SqlExpression(`${column} - 1`)
export const plusOne = (column: string): SqlExpression => new SqlExpression(`${column} + 1`)

export type Columns = Record<string, unknown>
export type Transition<M extends Machine> = {
  ids: readonly string[]
  from: readonly Status<M>[]
  to: Status<M>
  /** Columns that change with the status. Values that are objects are stored as JSON. */
  set?: Columns
  /** Further conditions, as SQL over the row (of the table of the machine's name) with parameters from $1. */
  where?: { sql: string; values: readonly unknown[] }
  /** What the event tells besides the status: who, why. Never a secret. */
  data?: Record<string, unknown> | ByRow
  /** What is written in the same statement for those that moved. */
  also?: Also
}

/** More of one statement, in SQL over `moved`: the rows that moved, with `id` and what an event names. */
export type Also = {
  /** Columns that `moved` has besides, and that are returned. */
  columns: readonly string[]
  /** Further parts, each writing something. `param` makes a parameter of a value. */
  parts(param: (value: unknown) => string): string
  /** Their events, which come after those of the moves: a query with the columns of `event` in the order of `toldColumns`. */
  told: string
}
/** The columns of an event, in the order in which all writers name them. */
export const toldColumns = 'type, run_id, task_id, attempt_id, approval_id, agent_id, data'

/** Columns of the event that name what moved. */
export const subjects: Record<Machine, string> = {
  run: 'id, NULL::uuid, NULL::uuid, NULL::uuid, agent_id',
  task: 'run_id, id, NULL::uuid, NULL::uuid, agent_id',
  approval: 'run_id, NULL::uuid, NULL::uuid, id, NULL::uuid',
  recovery: 'run_id, task_id, NULL::uuid, NULL::uuid, NULL::uuid',
  attempt: '(SELECT t.run_id FROM task t WHERE t.id = moved.task_id), task_id, id, NULL::uuid, agent_id',
}

/** What those columns are made of. */
export const returned: Record<Machine, string> = {
  run: 'id, agent_id',
  task: 'id, run_id, agent_id',
  approval: 'id, run_id',
  recovery: 'id, run_id, task_id',
  attempt: 'id, task_id, agent_id',
}

/** A recovery has no column of the event: its id stands in the data. */
export const named: Partial<Record<Machine, string>> = {
  recovery: " || jsonb_build_object('recovery_id', id)",
}

export type Moved = { id: string; was: string } & Record<string, unknown>

/**
 * The one writer of statuses: moves those of `ids` that are in a status of `from` to `to`, sets the columns and
 * writes an event for each, in one statement. Returns those that moved; rows in another status are left alone
 * (compare-and-set). Throws when the table of core/events/states.ts does not allow a pair.
 */
export async function transition<M extends Machine>(
  sql: Sql & Partial<Pick<Tx, 'afterCommit'>>,
  machine: M,
  move: Transition<M>,
): Promise<Moved[]> {
  for (const from of move.from)
    if (!isLegal(machine, from, move.to))
      throw new Error(`${machine}: ${from} -> ${move.to} is not a transition`)
  if (move.ids.length === 0) return []
  const { text, values } =
    move.ids.length === 1 && move.from.length === 1 ? ofOne(machine, move) : ofMany(machine, move)
  failpoint(`${machine}.${move.to}:before`)
  const moved = await sql.query<Moved>(text, values)
  if (moved.length === 0) return moved
  failpoint(`${machine}.${move.to}:after`)
  sql.afterCommit?.(() => failpoint(`${machine}.${move.to}:committed`))
  return moved
}

type Statement = { text: string; values: unknown[] }

/** The end of a statement: events of what moved and of what was written with it, and what is returned. */
function ending(
  also: Also | undefined,
  param: (value: unknown) => string,
  { told, was }: { told: string; was: string },
): string {
  const more = also?.parts(param)
  return `${more ? `, ${more}` : ''}, told AS (
      INSERT INTO event (${toldColumns})
      ${told}${also ? ` UNION ALL ${also.told}` : ''}
    )
    SELECT ${['id', was, ...(also?.columns ?? [])].join(', ')} FROM moved`
}

/** One row in one known status: what it was need not be read, and nothing else could lock it in another order. */
function ofOne<M extends Machine>(machine: M, move: Transition<M>): Statement {
  const [id = ''] = move.ids
  const [was = ''] = move.from
  const values: unknown[] = [...(move.where?.values ?? [])]
  const param = (value: unknown): string => `$${values.push(value)}`
  const own = (value: unknown): string =>
    value instanceof ByRow
      ? `${param(textOf(value.values.get(id), value.type))}::${value.type}`
      : columnValue(value, param)
  const sets = Object.entries(move.set ?? {}).map(([column, value]) => `${column} = ${own(value)}`)
  const data = move.data instanceof ByRow ? move.data.values.get(id) : move.data
  const told = jsonText({ from: was, to: move.to, ...(data ?? {}) })
  const text = `
    WITH moved AS (
      UPDATE ${machine} SET ${[`status = ${param(move.to)}`, ...sets].join(', ')}
      WHERE id = ${param(id)}::uuid AND ${beside(`status = ${param(was)}`)} ${move.where ? `AND (${move.where.sql})` : ''}
      RETURNING ${[returned[machine], ...(move.also?.columns ?? [])].join(', ')}
    )${ending(move.also, param, {
      told: `SELECT ${param(`${machine}.${move.to}`)}, ${subjects[machine]}, ${param(told)}::jsonb${named[machine] ?? ''} FROM moved`,
      was: `${param(was)} AS was`,
    })}`
  return { text, values }
}

/** Rows are locked in order of their ids, as by everybody. */
function ofMany<M extends Machine>(machine: M, move: Transition<M>): Statement {
  const values: unknown[] = [...(move.where?.values ?? [])]
  const param = (value: unknown): string => `$${values.push(value)}`
  const given = new Given(move.ids, param)
  const sets = Object.entries(move.set ?? {}).map(
    ([column, value]) =>
      `${column} = ${value instanceof ByRow ? given.column(value) : columnValue(value, param)}`,
  )
  const data =
    move.data instanceof ByRow ? given.column(move.data) : `${param(jsonText(move.data ?? {}))}::jsonb`
  const text = `
    WITH old AS (
      SELECT id, status AS was FROM ${machine}
      WHERE id = ANY(${param(move.ids)}::uuid[]) AND ${beside(`status = ANY(${param(move.from)}::text[])`)}
      ${move.where ? `AND (${move.where.sql})` : ''} ORDER BY id FOR UPDATE
    ), moved AS (
      UPDATE ${machine} m SET ${[`status = ${param(move.to)}`, ...sets].join(', ')} FROM old${given.from()}
      WHERE m.id = old.id${given.where()} RETURNING m.*, old.was, ${data} AS told
    )${ending(move.also, param, {
      told: `SELECT ${param(`${machine}.${move.to}`)}, ${subjects[machine]}, jsonb_build_object('from', was, 'to', status) || told${named[machine] ?? ''} FROM moved`,
      was: 'was',
    })}`
  return { text, values }
}

/** The values that differ from row to row, as a table of their own beside the rows that move. */
class Given {
  readonly #columns: string[] = []
  readonly #ids: readonly string[]
  readonly #param: (value: unknown) => string
  constructor(ids: readonly string[], param: (value: unknown) => string) {
    this.#ids = ids
    this.#param = param
  }

  /** The expression that stands for the row's own value. */
  column({ values, type }: ByRow): string {
    const texts = this.#ids.map((id) => textOf(values.get(id), type))
    this.#columns.push(`${this.#param(texts)}::text[]`)
    return `given.c${this.#columns.length}::${type}`
  }

  from(): string {
    if (this.#columns.length === 0) return ''
    const names = this.#columns.map((_, n) => `c${n + 1}`).join(', ')
    return `, unnest(${this.#param(this.#ids)}::uuid[], ${this.#columns.join(', ')}) AS given(id, ${names})`
  }

  where(): string {
    return this.#columns.length === 0 ? '' : ' AND given.id = m.id'
  }
}

const textOf = (value: unknown, type: ByRow['type']): string | null =>
  value === null || value === undefined ? null : type === 'jsonb' ? jsonText(value) : String(value)

export function columnValue(value: unknown, param: (value: unknown) => string): string {
  if (value instanceof SqlExpression) return value.text
  const json =
    value !== null && typeof value === 'object' && !(value instanceof Date) && !Array.isArray(value)
  return json ? `${param(jsonText(value))}::jsonb` : param(value)
}
