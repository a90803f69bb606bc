import type { LedgerEvent } from '../events/readEvents.ts'
import type { Sql } from '../storage/sql.ts'

/** Events whose `person_id` is whom it was done to. */
const aboutPeople: ReadonlySet<string> = new Set(['person.role', 'person.entitled', 'token.made'])
const uuid = (value: unknown): string | null =>
  typeof value === 'string' && /^[0-9a-f-]{36}$/.test(value) ? value : null

type Told = Pick<LedgerEvent, 'type' | 'data'>

/** Whose act an event tells of; null for the command line, or SKYNET itself. */
export const actorOf = ({ type, data }: Told): string | null =>
  uuid(data.by) ?? (aboutPeople.has(type) ? null : uuid(data.person_id))

/** The people of these events by id: `Ana (7000001)`, or `token ci`. */
export async function actorNames(sql: Sql, events: readonly Told[]): Promise<Map<string, string>> {
  const ids = events.flatMap((event) => actorOf(event) ?? [])
  if (ids.length === 0) return new Map()
  const people = await sql.query<{ id: string; name: string; telegram_id: number | null }>(
    'SELECT id, name, telegram_id FROM person WHERE id = ANY($1::uuid[])',
    [[...new Set(ids)]],
  )
  return new Map(
    people.map((p) => [p.id, p.telegram_id === null ? `token ${p.name}` : `${p.name} (${p.telegram_id})`]),
  )
}

/** Who it was, in words. */
export function nameIn(names: ReadonlyMap<string, string>, event: Told): string {
  const id = actorOf(event)
  const person = id === null ? undefined : names.get(id)
  if (person) return person
  return typeof event.data.cli === 'string' ? `command line of ${event.data.cli}` : 'SKYNET'
}

/** Who did what one event tells of, in words. */
export const actorName = async (sql: Sql, event: Told): Promise<string> =>
  nameIn(await actorNames(sql, [event]), event)
