import { Composer } from 'grammy'
import type { BotContext } from '../context.ts'
import { putAside } from '../conversations/leave.ts'
import { reply } from '../reply.ts'
import { startOrAsk } from '../startRun.ts'
import { type BotDeps, isForwarded } from '../turn.ts'

/** /run and /plan. `/plan` alone starts the conversation. */
export function work(deps: BotDeps): Composer<BotContext> {
  const composer = new Composer<BotContext>()
  composer.command('run', async (ctx) => {
    const command = String(ctx.match).trim()
    if (!command) return reply(deps, ctx.turn, 'Write the command after it: <code>/run git status</code>')
    await putAside(deps, ctx)
    await startOrAsk(deps, ctx.turn, 'command', command)
  })
  composer.command('plan', async (ctx) => {
    const request = String(ctx.match).trim()
    await putAside(deps, ctx, request === '' ? 'request' : undefined)
    await ctx.conversation.enter('request', {
      ...{ asked: request, placed: false, forwarded: isForwarded(ctx.turn) },
    })
  })
  return composer
}
