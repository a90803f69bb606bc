import { Composer } from 'grammy'
import { may } from '../../core/people/people.ts'
import type { BotContext } from '../context.ts'
import { reply } from '../reply.ts'
import { startOrAsk } from '../startRun.ts'
import type { BotDeps } from '../turn.ts'

/** /run and /plan. `/plan` alone starts the conversation. */
export function work(deps: BotDeps): Composer<BotContext> {
  const composer = new Composer<BotContext>()
  composer.command('run', async (ctx) => {
    if (!may(ctx.turn.person, 'start'))
      return reply(deps, ctx.turn, 'Your role lets you look, not start work.')
    const command = String(ctx.match).trim()
    if (!command) return reply(deps, ctx.turn, 'Write the command after it: <code>/run git status</code>')
    await startOrAsk(deps, ctx.turn, 'command', command)
  })
  composer.command('plan', async (ctx) => {
    if (!may(ctx.turn.person, 'start'))
      return reply(deps, ctx.turn, 'Your role lets you look, not start work.')
    await ctx.conversation.exitAll()
    const request = String(ctx.match).trim()
    await ctx.conversation.enter('request', { asked: request, placed: false })
  })
  return composer
}
