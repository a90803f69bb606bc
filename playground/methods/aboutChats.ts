import type { ChatMember } from 'grammy/types'
import { badRequest } from '../apiError.ts'
import { administrator, botMember, requireChat, requireWritable, toChat } from '../chats.ts'
import { integer } from '../readParams.ts'
import type { ChatRecord } from '../types.ts'
import type { World } from '../world.ts'
import type { Method } from './method.ts'

export const getMe: Method = (world) => world.me

export const getChat: Method = (world, params) => {
  const chat = requireWritable(world, integer(params, 'chat_id'))
  return { ...toChat(chat), accent_color_id: 0, max_reaction_count: 11, accepted_gift_types: {} }
}

export const getChatMember: Method = (world, params) => {
  const chat = requireWritable(world, integer(params, 'chat_id'))
  const member = findMember(world, chat, integer(params, 'user_id'))
  if (!member) throw badRequest('PARTICIPANT_ID_INVALID')
  return member
}

function findMember(world: World, chat: ChatRecord, userId: number | undefined): ChatMember | undefined {
  if (userId === world.me.id) return botMember(world, chat)
  const index = chat.members.findIndex((member) => member.id === userId)
  const user = chat.members[index]
  if (!user) return undefined
  return index === 0 && chat.type !== 'private'
    ? { user, status: 'creator', is_anonymous: false }
    : { user, status: 'member' }
}

export const getChatAdministrators: Method = (world, params) => {
  const chat = requireWritable(world, integer(params, 'chat_id'))
  if (chat.type === 'private') throw badRequest('there are no administrators in the private chat')
  const [owner] = chat.members
  const { id, is_bot, first_name, username } = world.me
  return [
    ...(owner ? [{ user: owner, status: 'creator', is_anonymous: false }] : []),
    ...(chat.bot === 'administrator' ? [administrator({ id, is_bot, first_name, username })] : []),
  ]
}

export const getChatMemberCount: Method = (world, params) =>
  requireWritable(world, integer(params, 'chat_id')).members.length + 1

export const leaveChat: Method = (world, params) => {
  const chat = requireChat(world, integer(params, 'chat_id'))
  if (chat.type === 'private') throw badRequest("chat member status can't be changed in private chats")
  world.store.record({ kind: 'chat', chat: { ...chat, bot: 'left' } })
  return true
}
