import type { Update } from 'grammy/types'
import { topicOf } from '../middleware/meetChat.ts'

/** Who sent an update, in which chat and topic (0: none). */
export function partiesOf(update: Update) {
  const stopped = update.stopped_message_generation?.chat
  const message = update.message ?? update.edited_message ?? update.callback_query?.message
  const from =
    update.message?.from ??
    update.edited_message?.from ??
    update.callback_query?.from ??
    update.my_chat_member?.from ??
    // Only who has the private chat can stop a draft there; the update names the chat alone.
    (stopped && { ...stopped, is_bot: false })
  return { from, chat: message?.chat ?? update.my_chat_member?.chat ?? stopped, topicId: topicOf(message) }
}
