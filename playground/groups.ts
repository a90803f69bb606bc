import type { ChatMemberUpdated } from 'grammy/types'
import { botMember, findChat, keepMessage, nextMessageId, openPrivateChat, toChat, toUser } from './chats.ts'
import { toMessage } from './toMessage.ts'
import type { ChatRecord, GroupOptions, Person, ServiceNote, StoredMessage } from './types.ts'
import type { NewUpdate } from './updateQueue.ts'
import { unixNow, type World } from './world.ts'

type Deps = Pick<World, 'store' | 'hub' | 'queue' | 'options' | 'me'>

/** Makes a group with these people, the first of them its owner, who adds the bot. */
export function createGroup(world: Deps, group: GroupOptions): void {
  if (group.id >= 0) throw new Error('A group has a negative id')
  const chat: ChatRecord = {
    id: group.id,
    type: group.id <= -1_000_000_000_000 ? 'supergroup' : 'group',
    title: group.title,
    members: group.members.map((person) => toUser(world, person)),
    bot: 'left',
    privacy: group.privacy ?? true,
    forum: group.forum ?? false,
    threads: [],
  }
  world.store.record({ kind: 'chat', chat })
  const owner = group.members[0] ?? world.options.visitor
  changeBot(world, chat, group.admin ? 'administrator' : 'member', owner)
  const { id, is_bot, first_name, username } = world.me
  postService(world, chat, owner, { new_chat_members: [{ id, is_bot, first_name, username }] })
}

/** Blocks, removes or brings back the bot, with the update Telegram sends. */
export function setBotAccess(
  world: Deps,
  chatId: number,
  access: 'member' | 'blocked' | 'kicked',
  by?: Person,
): void {
  const visitor = world.options.visitor
  const chat =
    findChat(world, chatId) ??
    (chatId === (by ?? visitor).id ? openPrivateChat(world, by ?? visitor) : undefined)
  if (!chat) throw new Error(`No chat ${chatId}`)
  changeBot(world, chat, access, by ?? chat.members[0] ?? visitor)
}

function changeBot(world: Deps, chat: ChatRecord, bot: ChatRecord['bot'], by: Person): void {
  const next = { ...chat, bot }
  world.store.record({ kind: 'chat', chat: next })
  const change: ChatMemberUpdated = {
    chat: toChat(chat),
    from: toUser(world, by),
    date: unixNow(),
    old_chat_member: botMember(world, chat),
    new_chat_member: botMember(world, next),
  }
  world.queue.push({ my_chat_member: change })
}

/** Upgrades a group: everything sent to the old id is then answered with the new one. */
export function migrateGroup(world: Deps, fromId: number, toId: number): void {
  const old = findChat(world, fromId)
  if (!old) throw new Error(`No chat ${fromId}`)
  const owner = old.members[0] ?? world.options.visitor
  const next: ChatRecord = { ...old, id: toId, type: 'supergroup', threads: [] }
  world.store.record({ kind: 'chat', chat: next })
  world.store.record({ kind: 'chat', chat: { ...old, migrated_to: toId } })
  postService(world, old, owner, { migrate_to_chat_id: toId })
  postService(world, next, owner, { migrate_from_chat_id: fromId })
}

function postService(world: Deps, chat: ChatRecord, by: Person, service: ServiceNote): void {
  const message: StoredMessage = {
    message_id: nextMessageId(world, chat),
    chat_id: chat.id,
    from: toUser(world, by),
    date: unixNow(),
    service,
    edits: 0,
    silent: true,
    deleted: false,
  }
  keepMessage(world, message)
  world.queue.push({ message: toMessage(world, message) as NewUpdate['message'] })
}
