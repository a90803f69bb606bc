import type { Message, MessageEntity } from 'grammy/types'
import { badRequest } from '../apiError.ts'
import { findMessage, keepMessage, nextMessageId, requireChat, requireWritable } from '../chats.ts'
import { countCharacters, formatText } from '../formatText.ts'
import type { FormattedText } from '../parseHtml.ts'
import { flag, integer, type Params, structure, text } from '../readParams.ts'
import { checkReplyMarkup } from '../replyMarkup.ts'
import { toMessage } from '../toMessage.ts'
import type { ChatRecord, ReplyMarkup, StoredMessage } from '../types.ts'
import { unixNow, type World } from '../world.ts'
import type { Method } from './method.ts'

/** Text limits in characters, after entities are parsed. */
export const textLimit = 4096
const captionLimit = 1024

/** The text of a call, formatted. `names` says which fields hold it. */
export function readText(params: Params, names: { text: string; entities: string }): FormattedText {
  const parse_mode = text(params, 'parse_mode')
  const entities = structure(params, names.entities)
  const given = Array.isArray(entities) ? { entities: entities as MessageEntity[] } : {}
  return formatText({ text: text(params, names.text) ?? '', ...given, ...(parse_mode ? { parse_mode } : {}) })
}

/** Reads the text of a message and refuses an empty or too long one. */
function requireText(params: Params, tooLong: string): FormattedText {
  const formatted = readText(params, { text: 'text', entities: 'entities' })
  if (formatted.text === '') throw badRequest('message text is empty')
  if (countCharacters(formatted.text) > textLimit) throw badRequest(tooLong)
  return formatted
}

/** Reads the caption of a document or photo; empty is fine. */
export function readCaption(params: Params): FormattedText {
  const formatted = readText(params, { text: 'caption', entities: 'caption_entities' })
  if (countCharacters(formatted.text) > captionLimit) throw badRequest('message caption is too long')
  return formatted
}

export const sendMessage: Method = (world, params) => {
  const chat = requireWritable(world, integer(params, 'chat_id'))
  return post(world, params, chat, requireText(params, 'message is too long'))
}

/** Sends as the bot: checks reply and topic, takes from the limits, keeps the message, ends the draft. */
export function post(
  world: World,
  params: Params,
  chat: ChatRecord,
  content: Partial<StoredMessage>,
): Message {
  const markup = checkReplyMarkup(structure(params, 'reply_markup'))
  const thread = readThread(params, chat)
  const replyTo = readReply(world, params, chat)
  world.limiter.take(chat.id)
  const { id, is_bot, first_name, username } = world.me
  const message: StoredMessage = {
    message_id: nextMessageId(world, chat),
    chat_id: chat.id,
    from: { id, is_bot, first_name, username },
    date: unixNow(),
    ...content,
    ...(markup ? { reply_markup: markup } : {}),
    ...(replyTo === undefined ? {} : { reply_to: replyTo }),
    ...(thread === undefined ? {} : { message_thread_id: thread }),
    edits: 0,
    silent: flag(params, 'disable_notification'),
    deleted: false,
  }
  endDraft(world, chat.id)
  keepMessage(world, message)
  return toMessage(world, message)
}

function endDraft(world: World, chatId: number): void {
  if (!world.drafts.delete(chatId) || chatId !== world.options.visitor.id) return
  world.hub.publish({ type: 'draft', draft: null })
}

function readThread(params: Params, chat: ChatRecord): number | undefined {
  const thread = integer(params, 'message_thread_id')
  if (thread === undefined || chat.threads.includes(thread)) return thread
  throw badRequest('message thread not found')
}

function readReply(world: World, params: Params, chat: ChatRecord): number | undefined {
  const given = structure(params, 'reply_parameters')
  const parameters: Record<string, unknown> = typeof given === 'object' && given !== null ? { ...given } : {}
  const id =
    parameters.message_id === undefined
      ? integer(params, 'reply_to_message_id')
      : Number(parameters.message_id)
  if (id === undefined || findMessage(world, chat.id, id)) return id
  if (parameters.allow_sending_without_reply === true || flag(params, 'allow_sending_without_reply'))
    return undefined
  throw badRequest('message to be replied not found')
}

export const editMessageText: Method = (world, params) => {
  const message = requireEditable(world, params)
  const formatted = requireText(params, 'MESSAGE_TOO_LONG')
  if (message.text === undefined) throw badRequest('there is no text in the message to edit')
  return replace(world, message, { ...formatted, reply_markup: inlineOnly(params) })
}

export const editMessageCaption: Method = (world, params) => {
  const message = requireEditable(world, params)
  const { text: caption, entities } = readCaption(params)
  if (!message.document && !message.photo) throw badRequest('there is no caption in the message to edit')
  return replace(world, message, { caption, caption_entities: entities, reply_markup: inlineOnly(params) })
}

export const editMessageReplyMarkup: Method = (world, params) =>
  replace(world, requireEditable(world, params), { reply_markup: inlineOnly(params) })

function requireEditable(world: World, params: Params): StoredMessage {
  const chat = requireWritable(world, integer(params, 'chat_id'))
  const id = integer(params, 'message_id')
  if (id === undefined) throw badRequest('message identifier is not specified')
  const message = findMessage(world, chat.id, id)
  if (!message) throw badRequest('message to edit not found')
  if (message.from.id !== world.me.id || message.service) throw badRequest("message can't be edited")
  return message
}

function inlineOnly(params: Params): ReplyMarkup | undefined {
  const markup = checkReplyMarkup(structure(params, 'reply_markup'))
  if (markup && !('inline_keyboard' in markup)) throw badRequest('inline keyboard expected')
  return markup
}

/** Without a keyboard in the call the old one goes, as in Telegram. */
function replace(
  world: World,
  message: StoredMessage,
  change: Partial<Record<keyof StoredMessage, unknown>>,
): Message {
  const edited = { ...message, ...change } as StoredMessage
  if (JSON.stringify(view(edited)) === JSON.stringify(view(message))) {
    throw badRequest(
      'message is not modified: specified new message content and reply markup are exactly the same as a current content and reply markup of the message',
    )
  }
  world.limiter.take(message.chat_id)
  const kept = { ...edited, edit_date: unixNow(), edits: message.edits + 1 }
  if (kept.reply_markup === undefined) delete kept.reply_markup
  keepMessage(world, kept)
  return toMessage(world, kept)
}

function view(message: StoredMessage): unknown[] {
  const { text, entities = [], caption, caption_entities = [], reply_markup = null } = message
  return [text, entities, caption, caption_entities, reply_markup]
}

export const deleteMessage: Method = (world, params) => {
  const chat = requireChat(world, integer(params, 'chat_id'))
  const message = findMessage(world, chat.id, integer(params, 'message_id'))
  if (!message) throw badRequest('message to delete not found')
  const own = message.from.id === world.me.id
  if (!own && chat.type !== 'private' && chat.bot !== 'administrator')
    throw badRequest("message can't be deleted")
  keepMessage(world, { ...message, deleted: true })
  return true
}

export const deleteMessages: Method = (world, params) => {
  const chat = requireChat(world, integer(params, 'chat_id'))
  const ids = structure(params, 'message_ids')
  if (!Array.isArray(ids)) throw badRequest('message identifiers are not specified')
  for (const id of ids) {
    const message = findMessage(world, chat.id, Number(id))
    if (message) keepMessage(world, { ...message, deleted: true })
  }
  return true
}
