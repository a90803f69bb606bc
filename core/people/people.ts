import { randomUUID } from 'node:crypto'
import { tellEvent } from '../events/tellEvent.ts'
import type { Sql } from '../storage/sql.ts'
import { type Actor, toldBy } from './actor.ts'

export const roles = ['viewer', 'operator', 'approver', 'owner'] as const
export type Role = (typeof roles)[number]
export type Person = { id: string; telegramId: number; name: string; role: Role | null; greeted: boolean }

/** What a role may do; each role may all that the ones before it may. */
const needs = {
  look: 'viewer',
  start: 'operator',
  steer_own: 'operator',
  decide: 'approver',
  steer_any: 'approver',
  manage: 'owner',
} as const
export type Right = keyof typeof needs

export const may = (person: Pick<Person, 'role'>, right: Right): boolean =>
  person.role !== null && roles.indexOf(person.role) >= roles.indexOf(needs[right])

type Row = { id: string; telegram_id: number; name: string; role: Role | null; greeted_at: Date | null }
const personOf = (row: Row): Person => ({
  id: row.id,
  telegramId: row.telegram_id,
  name: row.name,
  role: row.role,
  greeted: row.greeted_at !== null,
})

/** The person behind a Telegram user, made when new. Owners of the settings are owners from the start. */
export async function meetPerson(
  sql: Sql,
  user: { id: number; name: string },
  ownerIds: readonly number[],
): Promise<Person> {
  const role = ownerIds.includes(user.id) ? 'owner' : null
  const [row] = await sql.query<Row>(
    `INSERT INTO person AS p (id, telegram_id, name, role) VALUES ($1, $2, $3, $4)
     ON CONFLICT (telegram_id) DO UPDATE SET name = $3, role = CASE WHEN p.revoked_at IS NULL THEN coalesce($4, p.role) END RETURNING *`,
    [randomUUID(), user.id, user.name.slice(0, 64) || 'Someone', role],
  )
  if (!row) throw new Error('the person was not written')
  return personOf(row)
}

/** Gives a role (null takes it away), with its event. */
export async function setRole(tx: Sql, personId: string, role: Role | null, by: Actor): Promise<void> {
  await tx.query(
    'UPDATE person SET role = $2, revoked_at = CASE WHEN $2::text IS NULL THEN clock_timestamp() END WHERE id = $1',
    [personId, role],
  )
  await tellEvent(tx, 'person.role', {}, { person_id: personId, role, ...toldBy(by) })
}

/** Marks a stranger as greeted; true once in 24 hours at most. */
export const greetOnce = async (tx: Sql, personId: string): Promise<boolean> =>
  (
    await tx.query(
      "UPDATE person SET greeted_at = clock_timestamp() WHERE id = $1 AND (greeted_at IS NULL OR greeted_at < clock_timestamp() - interval '24 h') RETURNING id",
      [personId],
    )
  ).length > 0

export const listPeople = async (sql: Sql): Promise<Person[]> =>
  (await sql.query<Row>('SELECT * FROM person WHERE telegram_id IS NOT NULL ORDER BY created_at')).map(
    personOf,
  )

/** Whether anyone is an owner yet; until then the start prints a pairing code. */
export const hasOwner = async (sql: Sql): Promise<boolean> =>
  (await sql.query("SELECT 1 FROM person WHERE role = 'owner' LIMIT 1")).length > 0
