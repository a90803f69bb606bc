import { tellEvent } from '../events/tellEvent.ts'
import type { Sql } from '../storage/sql.ts'
import { type Actor, toldBy } from './actor.ts'

/** Where somebody may act. */
export const entitlementKinds = ['chat', 'machine'] as const
export type EntitlementKind = (typeof entitlementKinds)[number]
export type Entitlement = { kind: EntitlementKind; target: string; name: string }

/** In SQL: whether this is not among the person's. Rows of a kind name the only chats or machines; without any it is. */
export const isOutside = (person: string, kind: EntitlementKind, target: string): string =>
  `(EXISTS (SELECT 1 FROM entitlement e WHERE e.person_id = ${person} AND e.kind = '${kind}')
    AND NOT EXISTS (SELECT 1 FROM entitlement e WHERE e.person_id = ${person} AND e.kind = '${kind}' AND e.target = ${target}))`

/** Whether this person may act in this chat; 0: in none, as programs do. */
export async function mayActIn(sql: Sql, personId: string, chatId: number): Promise<boolean> {
  const rows = await sql.query(`SELECT 1 WHERE ${isOutside('$1::uuid', 'chat', '$2')}`, [
    personId,
    String(chatId),
  ])
  return rows.length === 0
}

/** The name of the first of these machines on which this person may not act; null when they may on all. */
export async function foreignMachine(
  sql: Sql,
  personId: string,
  agentIds: readonly string[],
): Promise<string | null> {
  const [row] = await sql.query<{ name: string }>(
    `SELECT coalesce(a.name, 'that machine') AS name FROM unnest($2::uuid[]) AS x(id) LEFT JOIN agent a ON a.id = x.id
     WHERE ${isOutside('$1::uuid', 'machine', 'x.id::text')} ORDER BY 1 LIMIT 1`,
    [personId, [...new Set(agentIds)]],
  )
  return row?.name ?? null
}

/** Why a person may not act on a run: it is of another chat, or works on another machine than theirs. */
export type Outside = { kind: 'chat' } | { kind: 'machine'; name: string }

/** What keeps this person from acting on this run; null when nothing does. A run of no chat is of none of theirs. */
export async function outsideOf(sql: Sql, personId: string, runId: string): Promise<Outside | null> {
  const [row] = await sql.query<{ chat: boolean; agents: string[] }>(
    `SELECT ${isOutside('$1::uuid', 'chat', "coalesce(r.chat_id::text, '')")} AS chat,
     ARRAY(SELECT t.agent_id FROM task t WHERE t.run_id = r.id UNION SELECT r.agent_id WHERE r.agent_id IS NOT NULL) AS agents
     FROM run r WHERE r.id = $2`,
    [personId, runId],
  )
  if (!row) return null
  if (row.chat) return { kind: 'chat' }
  const name = await foreignMachine(sql, personId, row.agents)
  return name === null ? null : { kind: 'machine', name }
}

/** The same as a sentence. */
export const outsideLine = (outside: Outside): string =>
  outside.kind === 'chat'
    ? 'This belongs to a chat in which you may not act.'
    : `You may not act on ${outside.name}.`

/** A row of this target names no chat and no machine: it keeps a kind restricted when its last entry is gone. */
const NONE = 'none'

/**
 * Lets a person act in this chat or on this machine (`on`), and from the first one on in no other; or not any more. Whose
 * last one is taken away may act in no chat, or on no machine, until `actEverywhere` is said. False: it was so already.
 */
export async function setEntitlement(
  tx: Sql,
  personId: string,
  { kind, target, on }: { kind: EntitlementKind; target: string; on: boolean },
  by: Actor,
): Promise<boolean> {
  const changed = on
    ? 'INSERT INTO entitlement (person_id, kind, target) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING RETURNING 1'
    : `WITH gone AS (DELETE FROM entitlement WHERE person_id = $1 AND kind = $2 AND target = $3 RETURNING 1)
       INSERT INTO entitlement (person_id, kind, target) SELECT $1, $2, '${NONE}' FROM gone
       ON CONFLICT (person_id, kind, target) DO UPDATE SET target = excluded.target RETURNING 1`
  const rows = await tx.query(changed, [personId, kind, target])
  if (rows.length > 0)
    await tellEvent(tx, 'person.entitled', {}, { person_id: personId, kind, target, on, ...toldBy(by) })
  return rows.length > 0
}

/** Takes every restriction of this kind away: the person may act in all chats, or on all machines. False: none was there. */
export async function actEverywhere(
  tx: Sql,
  personId: string,
  kind: EntitlementKind,
  by: Actor,
): Promise<boolean> {
  const rows = await tx.query('DELETE FROM entitlement WHERE person_id = $1 AND kind = $2 RETURNING 1', [
    personId,
    kind,
  ])
  if (rows.length > 0)
    await tellEvent(
      tx,
      'person.entitled',
      {},
      { person_id: personId, kind, target: 'everywhere', on: true, ...toldBy(by) },
    )
  return rows.length > 0
}

/** Where a person may act, by the names people know; no row of a kind: everywhere; one alone called `none`: nowhere. */
export const entitlementsOf = (sql: Sql, personId: string): Promise<Entitlement[]> =>
  sql.query<Entitlement>(
    `SELECT e.kind, e.target, coalesce(a.name, c.title, e.target) AS name FROM entitlement e
     LEFT JOIN agent a ON e.kind = 'machine' AND a.id::text = e.target LEFT JOIN chat c ON e.kind = 'chat' AND c.id::text = e.target
     WHERE e.person_id = $1 ORDER BY e.kind, 3`,
    [personId],
  )

/** The same in words: `acts everywhere`, `acts only in Team, only on laptop`, `acts on no machine`. */
export function whereWords(all: readonly Entitlement[]): string {
  const parts = [partWords(all, 'chat', 'in', 'in no chat'), partWords(all, 'machine', 'on', 'on no machine')]
  return `acts ${parts.filter(Boolean).join(', ') || 'everywhere'}`
}

function partWords(all: readonly Entitlement[], kind: EntitlementKind, at: string, nowhere: string): string {
  const own = all.filter((one) => one.kind === kind)
  const names = own.filter(({ target }) => target !== NONE).map(({ name }) => name)
  if (names.length > 0) return `only ${at} ${names.join(', ')}`
  return own.length > 0 ? nowhere : ''
}
