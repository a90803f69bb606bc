import { Composer } from 'grammy'
import type { BotContext } from '../context.ts'
import type { BotDeps } from '../turn.ts'
import { cancelAndShow } from './steer.ts'

/**
 * The stop button of a preview: what is being planned there is cancelled, and with it the question to the model. A draft's
 * id is its run's number. One that comes when planning is over changes nothing: what was planned asks or shows itself.
 */
export function stopDraft(deps: BotDeps): Composer<BotContext> {
  const composer = new Composer<BotContext>()
  composer.use(async (ctx, next) => {
    const stop = ctx.update.stopped_message_generation
    if (!stop) return next()
    const [run] = await ctx.turn.tx.query<{ id: string }>(
      "SELECT id FROM run WHERE number = $1 AND chat_id = $2 AND status = 'planning'",
      [stop.draft_id, ctx.turn.chat.id],
    )
    if (run) await cancelAndShow(deps, ctx, run.id)
  })
  return composer
}
