import { tellEvent } from '../../core/events/tellEvent.ts'
import type { Tx } from '../../core/storage/sql.ts'

/** Telegram refuses a chat for good (403): nothing more is delivered there, and /status tells. */
export async function blockChat(tx: Tx, chatId: number, reason: string): Promise<void> {
  await tx.query('UPDATE chat SET blocked_at = clock_timestamp() WHERE id = $1 AND blocked_at IS NULL', [
    chatId,
  ])
  await tx.query(
    "UPDATE delivery SET status = 'failed', error = $2 WHERE chat_id = $1 AND status = 'pending'",
    [chatId, reason],
  )
  await tx.query("UPDATE card SET state = 'settled' WHERE chat_id = $1 AND state <> 'settled'", [chatId])
  await tellEvent(tx, 'chat.blocked', {}, { chat_id: chatId, reason })
}
