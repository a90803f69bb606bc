import type { Sql } from '../storage/sql.ts'

/** Whether what is said there is read by others: Telegram gives groups ids below zero. Pure. */
export const isGroup = ({ chatId }: { chatId: number }): boolean => chatId < 0

/**
 * In SQL: whether a run (its alias) may be shown in a chat (a parameter). In private all may, which looking is not limited
 * for; in a group nothing but what was asked for there, whoever looks: others read along.
 */
export const shownIn = (run: string, chat: string): string =>
  `(${chat}::bigint >= 0 OR ${run}.chat_id IS NOT DISTINCT FROM ${chat}::bigint)`

/**
 * The same for a list in one chat that is known when the statement is written: in a group its own runs are found by index,
 * which no plan for both can do. Pure.
 */
export const listedIn = (run: string, chat: string, chatId: number): string =>
  isGroup({ chatId }) ? `${run}.chat_id = ${chat}::bigint` : `${chat}::bigint >= 0`

/** Whether anything of this run may be shown in this chat. Not where there is no such run. */
export async function isShownIn(sql: Sql, runId: string, chatId: number): Promise<boolean> {
  const rows = await sql.query(`SELECT 1 FROM run r WHERE r.id = $1 AND ${shownIn('r', '$2')}`, [
    runId,
    chatId,
  ])
  return rows.length > 0
}

/** The run of a number such as 12, where it may be shown in this chat; null when it may not, or there is none. */
export async function findShown(sql: Sql, number: number, chatId: number): Promise<string | null> {
  if (!Number.isSafeInteger(number) || number >= 2 ** 31) return null
  const [row] = await sql.query<{ id: string }>(
    `SELECT r.id FROM run r WHERE r.number = $1 AND ${shownIn('r', '$2')}`,
    [number, chatId],
  )
  return row?.id ?? null
}

/** What is said where there is none: the same whether another chat has one of that number. HTML. Pure. */
export const noSuchRun = (number: number | string, at: { chatId: number }): string =>
  isGroup(at)
    ? `There is no run #${number} of this chat. /runs lists those there are; of others I tell in private.`
    : `There is no run #${number}. /runs lists them.`
