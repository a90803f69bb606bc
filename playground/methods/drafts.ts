import { badRequest } from '../apiError.ts'
import { requireWritable } from '../chats.ts'
import { countCharacters } from '../formatText.ts'
import { flag, integer, text } from '../readParams.ts'
import type { World } from '../world.ts'
import { readText, textLimit } from './messages.ts'
import type { Method } from './method.ts'

const draftMs = 30_000
const actions = new Set([
  'typing',
  'upload_photo',
  'record_video',
  'upload_video',
  'record_voice',
  'upload_voice',
  'upload_document',
  'choose_sticker',
  'find_location',
  'record_video_note',
  'upload_video_note',
])

/** Shows a text while it grows: private chats only, gone after 30 s or with the next message. */
export const sendMessageDraft: Method = (world, params) => {
  const chat = requireWritable(world, integer(params, 'chat_id'))
  if (chat.type !== 'private') throw badRequest('chat is not a private chat')
  const draftId = integer(params, 'draft_id')
  if (!draftId) throw badRequest('draft identifier must be non-zero')
  const formatted = readText(params, { text: 'text', entities: 'entities' })
  if (countCharacters(formatted.text) > textLimit) throw badRequest('message is too long')
  world.limiter.takeDraft(chat.id)
  showDraft(world, chat.id, {
    ...formatted,
    draft_id: draftId,
    can_stop: flag(params, 'can_stop'),
    until: Date.now() + draftMs,
  })
  return true
}

function showDraft(
  world: World,
  chatId: number,
  draft: World['drafts'] extends Map<number, infer D> ? D : never,
): void {
  world.drafts.set(chatId, draft)
  if (chatId === world.options.visitor.id) world.hub.publish({ type: 'draft', draft })
  else world.hub.touch()
}

export const sendChatAction: Method = (world, params) => {
  const chat = requireWritable(world, integer(params, 'chat_id'))
  const action = text(params, 'action') ?? ''
  if (!actions.has(action)) throw badRequest('wrong parameter action in request')
  if (chat.id === world.options.visitor.id) world.hub.publish({ type: 'action', action })
  return true
}
