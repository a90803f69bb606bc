import { randomInt } from 'node:crypto'
import type { InlineKeyboardButton } from 'grammy/types'
import { findChat, findMessage, keepMessage, nextMessageId, openPrivateChat, toUser } from './chats.ts'
import { formatText } from './formatText.ts'
import { toMessage } from './toMessage.ts'
import type { ChatRecord, Person, SayOptions, StoredMessage } from './types.ts'
import type { NewUpdate } from './updateQueue.ts'
import { botUsername, unixNow, type World } from './world.ts'

type Acting = Pick<World, 'store' | 'hub' | 'queue' | 'options' | 'queries' | 'me' | 'drafts'>

/** Sends a text as a user, from `from` (default: the visitor) in `chat_id` (default: their private chat). */
export function say(world: Acting, text: string, opts: SayOptions = {}): number {
  const from = opts.from ?? world.options.visitor
  const chat = placeOf(world, opts.chat_id ?? from.id, from, opts.thread_id)
  const formatted = formatText({ text })
  if (formatted.text === '') throw new Error('A message needs text')
  const message: StoredMessage = {
    message_id: nextMessageId(world, chat),
    chat_id: chat.id,
    from: toUser(world, from),
    date: unixNow(),
    ...formatted,
    ...(opts.reply_to === undefined ? {} : { reply_to: opts.reply_to }),
    ...(opts.thread_id === undefined ? {} : { message_thread_id: opts.thread_id }),
    ...(opts.forwarded_from === undefined ? {} : { forward_origin: originOf(world, opts.forwarded_from) }),
    edits: 0,
    silent: false,
    deleted: false,
  }
  keepMessage(world, message)
  if (botSees(world, chat, message))
    world.queue.push({ message: toMessage(world, message) as NewUpdate['message'] })
  return message.message_id
}

const originOf = (world: Acting, person: Person) => ({
  type: 'user' as const,
  sender_user: toUser(world, person),
  date: unixNow(),
})

/** The chat, with the person in it and the topic known. */
function placeOf(world: Acting, chatId: number, from: Person, thread: number | undefined): ChatRecord {
  const chat = chatId === from.id ? openPrivateChat(world, from) : findChat(world, chatId)
  if (!chat) throw new Error(`No chat ${chatId}; createGroup makes one`)
  const joined = chat.members.some((member) => member.id === from.id)
  const threadKnown = thread === undefined || chat.threads.includes(thread)
  if (joined && threadKnown) return chat
  const members = joined ? chat.members : [...chat.members, toUser(world, from)]
  const next = { ...chat, members, threads: threadKnown ? chat.threads : [...chat.threads, thread] }
  world.store.record({ kind: 'chat', chat: next })
  return next
}

/** In privacy mode a bot gets commands that may be its own, replies to it, and nothing else. */
function botSees(world: Acting, chat: ChatRecord, message: StoredMessage): boolean {
  if (chat.bot !== 'member' && chat.bot !== 'administrator') return false
  if (chat.type === 'private' || !chat.privacy || chat.bot === 'administrator') return true
  const command = /^\/\w+(?:@(\w+))?/.exec(message.text ?? '')
  if (command) return command[1] === undefined || command[1].toLowerCase() === botUsername
  return findMessage(world, chat.id, message.reply_to)?.from.id === world.me.id
}

/** Taps a button of a message by its text or data. Returns the callback query's id. */
export function tap(world: Acting, chatId: number, messageId: number, wanted: string, from?: Person): string {
  const message = findMessage(world, chatId, messageId)
  if (!message) throw new Error(`No message ${messageId} in chat ${chatId}`)
  const named = buttonsOf(message).find((button) => button.text === wanted)
  return tapData(world, message, (named && dataOf(named)) ?? wanted, from)
}

/** Taps the button that carries exactly this data. Throws when the message has none such. */
export function tapData(world: Acting, message: StoredMessage, data: string, from?: Person): string {
  const buttons = buttonsOf(message)
  if (buttons.some((button) => dataOf(button) === data)) {
    return enqueueTap(world, message, data, from ?? world.options.visitor)
  }
  const there = buttons.map((button) => button.text).join(', ') || 'none'
  throw new Error(`Message ${message.message_id} has no button "${data}" to tap; buttons: ${there}`)
}

const buttonsOf = (message: StoredMessage): InlineKeyboardButton[] =>
  message.reply_markup && 'inline_keyboard' in message.reply_markup
    ? message.reply_markup.inline_keyboard.flat()
    : []

const dataOf = (button: InlineKeyboardButton): string | undefined =>
  'callback_data' in button ? button.callback_data : undefined

function enqueueTap(world: Acting, message: StoredMessage, data: string, from: Person): string {
  const id = `${randomInt(1e9, 1e10 - 1)}${randomInt(1e8, 1e9 - 1)}`
  world.queries.set(id, Date.now())
  world.queue.push({
    callback_query: {
      id,
      from: toUser(world, from),
      message: toMessage(world, message),
      chat_instance: String(message.chat_id),
      data,
    },
  })
  return id
}

/** Edits a user's own message and tells the bot, where it may see it. */
export function edit(world: Acting, chatId: number, messageId: number, text: string, from?: Person): void {
  const message = findMessage(world, chatId, messageId)
  const chat = findChat(world, chatId)
  const editor = from ?? world.options.visitor
  if (!message || !chat || message.from.id !== editor.id) {
    throw new Error(`Message ${messageId} in chat ${chatId} is not one of ${editor.first_name}'s`)
  }
  const edited = { ...message, ...formatText({ text }), edit_date: unixNow(), edits: message.edits + 1 }
  keepMessage(world, edited)
  if (botSees(world, chat, edited)) {
    world.queue.push({ edited_message: toMessage(world, edited) as NewUpdate['edited_message'] })
  }
}

/** The visitor presses Stop on a draft that allows it. False when it is gone. */
export function stopDraft(world: Acting, draftId: number): boolean {
  const { id } = world.options.visitor
  const chat = openPrivateChat(world, world.options.visitor)
  if (world.drafts.get(id)?.draft_id !== draftId) return false
  world.drafts.delete(id)
  world.hub.publish({ type: 'draft', draft: null })
  const [first] = chat.members
  world.queue.push({
    stopped_message_generation: {
      chat: { id, type: 'private', first_name: first?.first_name ?? '' },
      draft_id: draftId,
    },
  })
  return true
}
