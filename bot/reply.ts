import { answer, type SayOptions, say, type Where } from './delivery/say.ts'
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
