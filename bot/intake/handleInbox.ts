import type { Update } from 'grammy/types'
import { failpoint } from '../../core/config/failpoint.ts'
import { messageOf } from '../../core/config/logger.ts'
import { isDatabaseAway } from '../../core/storage/databaseAway.ts'
import type { Tx } from '../../core/storage/sql.ts'
import { say } from '../delivery/say.ts'
import type { BotDeps } from '../turn.ts'

/** An update whose handling fails this often is set aside, and the person is told. */
const MAX_TRIES = 3

type Handler = (tx: Tx, update: Update) => Promise<void>
type Row = { update_id: number; key: string; payload: Update; tries: number }

/**
 * Handles what the inbox has: each update in one transaction with all its effects, updates of one key in order.
 * A crash before the commit leaves the update unhandled and nothing else; after it, all is there.
 */
export function createInbox(deps: BotDeps, handle: Handler) {
  const lanes = new Map<string, Promise<void>>()
  const known = new Set<number>()

  const handleOne = async (row: Pick<Row, 'update_id' | 'key'>): Promise<void> => {
    for (;;) {
      try {
        await deps.db.tx(async (tx) => {
          const [locked] = await tx.query<Row>(
            'SELECT * FROM telegram_update WHERE update_id = $1 AND handled_at IS NULL FOR UPDATE SKIP LOCKED',
            [row.update_id],
          )
          if (!locked) return
          failpoint('update.handled:before')
          await handle(tx, locked.payload)
          failpoint('update.handled:after')
          tx.afterCommit(() => failpoint('update.handled:committed'))
          await tx.query('UPDATE telegram_update SET handled_at = clock_timestamp() WHERE update_id = $1', [
            row.update_id,
          ])
        })
        return
      } catch (error) {
        if (await setAside(row.update_id, error)) return
      }
    }
  }

  /** True when the update is given up. A database that is away does not count as a try. */
  const setAside = async (updateId: number, error: unknown): Promise<boolean> => {
    if (isDatabaseAway(error)) {
      await new Promise((resolve) => setTimeout(resolve, 1000))
      return false
    }
    deps.log.error(`update ${updateId}: ${error instanceof Error ? error.stack : messageOf(error)}`)
    const rows = await deps.db
      .query<{ tries: number; payload: Update }>(
        'UPDATE telegram_update SET tries = tries + 1, error = $2 WHERE update_id = $1 RETURNING tries, payload',
        [updateId, messageOf(error).slice(0, 500)],
      )
      .catch(() => null)
    const row = rows?.[0]
    if (!row) await new Promise((resolve) => setTimeout(resolve, 1000))
    if (!row || row.tries < MAX_TRIES) return false
    await deps.db.query('UPDATE telegram_update SET handled_at = clock_timestamp() WHERE update_id = $1', [
      updateId,
    ])
    await apologise(updateId, row.payload).catch((e) => deps.log.error(`update ${updateId}: ${messageOf(e)}`))
    return true
  }

  const apologise = async (updateId: number, update: Update): Promise<void> => {
    const chat = update.message?.chat ?? update.callback_query?.message?.chat
    if (typeof chat?.id !== 'number') return
    const text = `Something went wrong with that (u${updateId}). It was not carried out; please try again.`
    await deps.db.tx((tx) =>
      say(tx, deps.bus, { chatId: chat.id, topicId: 0 }, text, { key: `broken:${updateId}` }),
    )
  }

  const enqueue = (row: Pick<Row, 'update_id' | 'key'>): void => {
    if (known.has(row.update_id)) return
    known.add(row.update_id)
    const before = lanes.get(row.key) ?? Promise.resolve()
    const mine = before
      .then(() => handleOne(row))
      .catch((error) => void deps.log.error(`update ${row.update_id}: ${messageOf(error)}`))
      .finally(() => {
        known.delete(row.update_id)
        if (lanes.get(row.key) === mine) lanes.delete(row.key)
      })
    lanes.set(row.key, mine)
  }

  /** Takes up everything that is not handled yet, oldest first. */
  const look = async (): Promise<void> => {
    const rows = await deps.db.query<Row>(
      'SELECT update_id, key FROM telegram_update WHERE handled_at IS NULL ORDER BY update_id LIMIT 500',
    )
    for (const row of rows) enqueue(row)
  }

  return { enqueue, look, idle: async (): Promise<void> => void (await Promise.all(lanes.values())) }
}
export type Inbox = ReturnType<typeof createInbox>
