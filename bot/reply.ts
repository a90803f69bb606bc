import { answer, edit, type SayOptions, say, type Where } from './delivery/say.ts'
import type { Buttons } from './render/buttons.ts'
import type { BotDeps, Turn } from './turn.ts'

export const here = (turn: Turn, toMessage = true): Where => ({
  chatId: turn.chat.id,
  topicId: turn.topicId,
  replyTo: toMessage ? turn.messageId : null,
})

/** Answers the message that is being handled; in private chats without quoting it. */
export const reply = (
  deps: Pick<BotDeps, 'bus'>,
  turn: Turn,
  html: string,
  options: SayOptions = {},
): Promise<void> => say(turn.tx, deps.bus, here(turn, turn.chat.kind !== 'private'), html, options)

/** Answers the tap that is being handled with a toast, or a box. */
export async function toast(deps: Pick<BotDeps, 'bus'>, turn: Turn, text = '', alert = false): Promise<void> {
  const id = turn.update.callback_query?.id
  if (id) await answer(turn.tx, deps.bus, id, text, alert)
}

/** Puts other words, and other buttons or none, in place of the message whose button is being handled. */
export async function replace(
  deps: Pick<BotDeps, 'bus'>,
  turn: Turn,
  html: string,
  buttons: Buttons = [],
): Promise<void> {
  const messageId = turn.update.callback_query?.message?.message_id
  if (messageId) await edit(turn.tx, deps.bus, { chatId: turn.chat.id, messageId }, html, buttons)
}
