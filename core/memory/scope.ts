import type { Sql } from '../storage/sql.ts'

/** Whose eyes a search has. `chats` and `agents`: the only ones; null: all. */
export type Scope = { personId: string | null; chats: string[] | null; agents: string[] | null }

/** SKYNET's own eyes, and those of programs that stand for nobody: all but the preferences of people. */
export const everything: Scope = { personId: null, chats: null, agents: null }

/**
 * What a person may be shown: all, or that of their chats and machines where they have only some. In a group, where others
 * read along, that of this group alone, without anybody's preferences.
 */
export async function scopeOf(
  sql: Sql,
  personId: string | null,
  groupId: number | null = null,
): Promise<Scope> {
  const own = await ownScope(sql, personId)
  if (groupId === null) return own
  const group = String(groupId)
  return { ...own, personId: null, chats: own.chats?.includes(group) === false ? [] : [group] }
}

async function ownScope(sql: Sql, personId: string | null): Promise<Scope> {
  if (personId === null) return everything
  const rows = await sql.query<{ kind: string; targets: string[] }>(
    'SELECT kind, array_agg(target) AS targets FROM entitlement WHERE person_id = $1 GROUP BY kind',
    [personId],
  )
  const targets = (kind: string): string[] | null => rows.find((row) => row.kind === kind)?.targets ?? null
  return { personId, chats: targets('chat'), agents: targets('machine') }
}

/** The values of `visible`, for the parameters from `first` on. */
export const scopeValues = ({ personId, chats, agents }: Scope): unknown[] => [personId, chats, agents]

/**
 * In SQL: whether a memory (alias `m`) may be shown, with `scopeValues` in three parameters from `first` on. What
 * belongs to no chat or machine is, for somebody who has only some, only their own. Preferences are for their person.
 */
export const visible = (first: number): string => {
  const [person, chats, agents] = [`$${first}::uuid`, `$${first + 1}::text[]`, `$${first + 2}::text[]`]
  const among = (column: string, list: string) =>
    `(${list} IS NULL OR ${column}::text = ANY(${list}) OR (${column} IS NULL AND m.person_id = ${person}))`
  return `(m.kind <> 'preference' OR m.person_id = ${person}) AND ${among('m.chat_id', chats)} AND ${among('m.agent_id', agents)}`
}
