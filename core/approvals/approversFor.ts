import type { Deps } from '../deps.ts'
import { outsideOf } from '../people/entitlements.ts'
import type { Role } from '../people/people.ts'
import { may } from '../people/people.ts'
import type { Sql } from '../storage/sql.ts'

type Row = {
  run_id: string
  person_id: string | null
  role: Role | null
  /** The private chat of who asked is where the question stands, and they asked for it from a chat. */
  at_home: boolean
  from_chat: boolean
  quorum: number
}

/**
 * The private chats that a pending approval goes to beside the chat of its run: those of everybody who may decide it
 * there and on its machines, and who has started the bot. None where the question already stands before the one person
 * whose answer is enough. Who asked for it in a chat sees it there and gets no second one.
 */
export async function approversFor(
  sql: Sql,
  settings: Pick<Deps['settings'], 'fourEyes'>,
  approvalId: string,
): Promise<number[]> {
  const [row] = await sql.query<Row>(
    `SELECT a.run_id, r.person_id, p.role, coalesce(p.telegram_id = r.chat_id, false) AS at_home, a.quorum,
     EXISTS (SELECT 1 FROM delivery d WHERE d.key = 'card:' || r.id) AS from_chat
     FROM approval a JOIN run r ON r.id = a.run_id LEFT JOIN person p ON p.id = r.person_id WHERE a.id = $1 AND a.status = 'pending'`,
    [approvalId],
  )
  if (!row || (await sufficesAlone(sql, settings, row))) return []
  const reachable = await sql.query<{ id: string; chat_id: number }>(
    `SELECT p.id, c.id AS chat_id FROM person p JOIN chat c ON c.id = p.telegram_id AND c.kind = 'private' AND c.blocked_at IS NULL
     WHERE p.revoked_at IS NULL AND p.role IN ('approver', 'owner') AND NOT EXISTS (SELECT 1 FROM run r WHERE r.id = $1 AND r.chat_id = c.id)
     ORDER BY p.created_at, p.id`,
    [row.run_id],
  )
  const chats: number[] = []
  for (const { id, chat_id } of reachable) {
    if (row.from_chat && id === row.person_id) continue
    if ((await outsideOf(sql, id, row.run_id)) === null) chats.push(chat_id)
  }
  return chats
}

/** Whether who asked may approve it by themselves, in the private chat where they asked. */
async function sufficesAlone(
  sql: Sql,
  { fourEyes }: Pick<Deps['settings'], 'fourEyes'>,
  { run_id, person_id, role, at_home, from_chat, quorum }: Row,
): Promise<boolean> {
  if (!at_home || !from_chat || person_id === null || fourEyes || quorum > 1) return false
  return may({ role }, 'decide') && (await outsideOf(sql, person_id, run_id)) === null
}

/** Whether the person of this private chat may decide about this run now. */
export async function mayDecideAbout(sql: Sql, chatId: number, runId: string): Promise<boolean> {
  const [person] = await sql.query<{ id: string; role: Role | null }>(
    'SELECT id, role FROM person WHERE telegram_id = $1 AND revoked_at IS NULL',
    [chatId],
  )
  return person !== undefined && may(person, 'decide') && (await outsideOf(sql, person.id, runId)) === null
}
