import type { Chat, MaybeInaccessibleMessage } from 'grammy/types'
import type { Sql } from '../../core/storage/sql.ts'
import type { ChatRow } from '../turn.ts'

/** The topic of a message; 0 outside topics. */
export const topicOf = (message: MaybeInaccessibleMessage | undefined): number =>
  message && 'message_thread_id' in message && message.is_topic_message ? (message.message_thread_id ?? 0) : 0

/** The chat's row; who writes is reachable again. Strangers' private chats are not kept. */
export async function meetChat(sql: Sql, chat: Chat, keep: boolean, personName: string): Promise<ChatRow> {
  const title = 'title' in chat && chat.title ? chat.title : personName
  const [row] = keep
    ? await sql.query<{ paired_at: Date | null }>(
        'INSERT INTO chat (id, kind, title) VALUES ($1, $2, $3) ON CONFLICT (id) DO UPDATE SET title = $3, blocked_at = NULL RETURNING paired_at',
        [chat.id, chat.type, title.slice(0, 128)],
      )
    : await sql.query<{ paired_at: Date | null }>('SELECT paired_at FROM chat WHERE id = $1', [chat.id])
  return { id: chat.id, kind: chat.type, title, paired: row?.paired_at != null }
}
