import type { Message } from 'grammy/types'
import { toChat } from './chats.ts'
import type { ChatRecord, StoredMessage } from './types.ts'
import type { World } from './world.ts'

/**
 * A stored message in the Bot API's shape. The message it replies to is included once, without
 * its own reply, as Telegram does.
 */
export function toMessage(world: Pick<World, 'store'>, message: StoredMessage, nested = false): Message {
  const chat = world.store.state.chats.get(message.chat_id)
  if (!chat) throw new Error(`Message ${message.message_id} has no chat ${message.chat_id}`)
  const shape = {
    message_id: message.message_id,
    from: message.from,
    chat: toChat(chat),
    date: message.date,
    ...content(message),
    ...placing(message),
    ...(nested ? {} : reply(world, chat, message)),
    ...message.service,
  }
  // A union of hundreds of fields: the parts above are checked, their sum cannot be narrowed.
  return shape as Message
}

function content(message: StoredMessage): Partial<Message> {
  const { text, entities, caption, caption_entities, document, photo, edit_date, reply_markup } = message
  return {
    ...(edit_date === undefined ? {} : { edit_date }),
    ...(text === undefined ? {} : { text }),
    ...(entities?.length ? { entities } : {}),
    ...(caption === undefined ? {} : { caption }),
    ...(caption_entities?.length ? { caption_entities } : {}),
    ...(document ? { document } : {}),
    ...(photo ? { photo } : {}),
    ...(reply_markup && 'inline_keyboard' in reply_markup ? { reply_markup } : {}),
  }
}

function placing(message: StoredMessage): Partial<Message> {
  const { message_thread_id, forward_origin } = message
  return {
    ...(message_thread_id === undefined ? {} : { message_thread_id, is_topic_message: true }),
    ...(forward_origin === undefined ? {} : { forward_origin }),
  }
}

function reply(world: Pick<World, 'store'>, chat: ChatRecord, message: StoredMessage): object {
  const original = message.reply_to && world.store.state.messages.get(chat.id)?.get(message.reply_to)
  return original && !original.deleted ? { reply_to_message: toMessage(world, original, true) } : {}
}
