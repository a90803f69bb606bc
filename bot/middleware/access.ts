import type { NextFunction } from 'grammy'
import { greetOnce, hasOwner, may } from '../../core/people/people.ts'
import type { BotContext } from '../context.ts'
import { say } from '../delivery/say.ts'
import { reply } from '../reply.ts'
import type { BotDeps } from '../turn.ts'

const isPairing = (ctx: BotContext): boolean => /^\/pair(@\w+)?(\s|$)/.test(ctx.message?.text ?? '')

/**
 * Who may go on: people with a role, in private or in a group that an owner paired. `/pair` always passes. A stranger
 * gets one polite line, once a day at most; a group that is not paired gets none but to somebody with a role who gives a command.
 */
export const access =
  (deps: BotDeps) =>
  async (ctx: BotContext, next: NextFunction): Promise<void> => {
    const { person, chat } = ctx.turn
    if (isPairing(ctx)) return next()
    if (person.role === null) return greetStranger(deps, ctx)
    if (chat.kind !== 'private' && !chat.paired) {
      if (ctx.message?.text?.startsWith('/') && may(person, 'look'))
        await reply(deps, ctx.turn, 'This group is not paired yet. An owner can send /pair here.')
      return
    }
    return next()
  }

async function greetStranger(deps: BotDeps, ctx: BotContext): Promise<void> {
  const { tx, person, chat, topicId } = ctx.turn
  if (chat.kind !== 'private' || !ctx.message || !(await greetOnce(tx, person.id))) return
  const hint = (await hasOwner(tx))
    ? 'Ask an owner if you should have access.'
    : 'The first start printed a pairing code: send /pair CODE.'
  await say(
    tx,
    deps.bus,
    { chatId: chat.id, topicId },
    `Hello! This bot works for its owners only. ${hint}\nYour user id is <code>${person.telegramId}</code>.`,
    {},
  )
}
