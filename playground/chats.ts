import type { Chat, ChatMember, User } from 'grammy/types'
import { badRequest, forbidden } from './apiError.ts'
import type { ChatRecord, Person, StoredMessage } from './types.ts'
import type { World } from './world.ts'

/** A person as Telegram names them in messages. */
export function toUser(world: Pick<World, 'options'>, person: Person): User {
  const { visitor } = world.options
  const username = person.id === visitor.id ? visitor.username : undefined
  return {
    id: person.id,
    is_bot: false,
    first_name: person.first_name,
    language_code: 'en',
    ...(username ? { username } : {}),
  }
}

/** The chat's record, or undefined when the bot never saw it. */
export function findChat(world: Pick<World, 'store'>, chatId: number): ChatRecord | undefined {
  return world.store.state.chats.get(chatId)
}

/** Opens a private chat on a person's first message. */
export function openPrivateChat(world: Pick<World, 'store' | 'options'>, person: Person): ChatRecord {
  const known = findChat(world, person.id)
  if (known) return known
  const members = [toUser(world, person)]
  const chat: ChatRecord = {
    id: person.id,
    type: 'private',
    members,
    bot: 'member',
    privacy: false,
    forum: false,
    threads: [],
  }
  world.store.record({ kind: 'chat', chat })
  return chat
}

/** A chat the bot may write to. Throws what Telegram answers where it may not. */
export function requireWritable(world: Pick<World, 'store'>, chatId: number | undefined): ChatRecord {
  const chat = requireChat(world, chatId)
  if (chat.migrated_to !== undefined) {
    throw badRequest('group chat was upgraded to a supergroup chat', { migrate_to_chat_id: chat.migrated_to })
  }
  if (chat.bot === 'blocked') throw forbidden('bot was blocked by the user')
  if (chat.bot === 'kicked') throw forbidden(`bot was kicked from the ${chat.type} chat`)
  if (chat.bot === 'left') throw forbidden(`bot is not a member of the ${chat.type} chat`)
  return chat
}

/** A chat the bot knows. Throws Telegram's 400 otherwise. */
export function requireChat(world: Pick<World, 'store'>, chatId: number | undefined): ChatRecord {
  if (chatId === undefined) throw badRequest('chat_id is empty')
  const chat = findChat(world, chatId)
  if (!chat) throw badRequest('chat not found')
  return chat
}

/** A chat in the shape messages carry. */
export function toChat(chat: ChatRecord): Chat {
  const [first] = chat.members
  if (chat.type === 'private') {
    const { first_name = '', username } = first ?? {}
    return { id: chat.id, type: 'private', first_name, ...(username ? { username } : {}) }
  }
  const title = chat.title ?? ''
  if (chat.type === 'group') return { id: chat.id, type: 'group', title }
  return { id: chat.id, type: 'supergroup', title, ...(chat.forum ? { is_forum: true as const } : {}) }
}

/** Messages of a chat in order, deleted ones too. */
export function messagesOf(world: Pick<World, 'store'>, chatId: number): StoredMessage[] {
  return [...(world.store.state.messages.get(chatId)?.values() ?? [])].sort(
    (a, b) => a.message_id - b.message_id,
  )
}

/** A message that is there and not deleted. */
export function findMessage(
  world: Pick<World, 'store'>,
  chatId: number,
  messageId: number | undefined,
): StoredMessage | undefined {
  const message = messageId === undefined ? undefined : world.store.state.messages.get(chatId)?.get(messageId)
  return message?.deleted ? undefined : message
}

/** The next free message id: supergroups count alone, all other chats together, as in Telegram. */
export function nextMessageId(world: Pick<World, 'store'>, chat: ChatRecord): number {
  if (chat.type !== 'supergroup') return world.store.state.nextMessage
  return Math.max(0, ...(world.store.state.messages.get(chat.id)?.keys() ?? [])) + 1
}

/** Keeps a new or changed message and tells the page when it is the visitor's chat. */
export function keepMessage(world: Pick<World, 'store' | 'hub' | 'options'>, message: StoredMessage): void {
  world.store.record({ kind: 'message', message })
  if (message.chat_id === world.options.visitor.id) world.hub.publish({ type: 'message', message })
  else world.hub.touch()
}

/** The bot's own standing in a chat. */
export function botMember(world: Pick<World, 'me'>, chat: ChatRecord): ChatMember {
  const { id, is_bot, first_name, username } = world.me
  const user: User = { id, is_bot, first_name, username }
  if (chat.bot === 'administrator') return administrator(user)
  if (chat.bot === 'member') return { user, status: 'member' }
  if (chat.bot === 'left') return { user, status: 'left' }
  return { user, status: 'kicked', until_date: 0 }
}

/** An administrator with the rights Telegram gives by default. */
export function administrator(user: User): ChatMember {
  return {
    user,
    status: 'administrator',
    can_be_edited: false,
    is_anonymous: false,
    can_manage_chat: true,
    can_delete_messages: true,
    can_manage_video_chats: true,
    can_restrict_members: true,
    can_promote_members: false,
    can_change_info: true,
    can_invite_users: true,
    can_post_stories: false,
    can_edit_stories: false,
    can_delete_stories: false,
    can_send_welcome_messages: false,
  }
}
