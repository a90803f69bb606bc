import type { Conversation } from '@grammyjs/conversations'
import type { Context } from 'grammy'
import { isStopWord } from '../../core/talk/understand.ts'
import type { BotContext } from '../context.ts'
import { giveName } from '../features/guides.ts'
import { bold } from '../render/html.ts'
import { reply } from '../reply.ts'
import type { BotDeps } from '../turn.ts'

/** Asks for the new name of a learned playbook, and gives it. */
export const renameConversation = (deps: BotDeps) =>
  async function renamePlaybook(
    conversation: Conversation<BotContext, Context>,
    _ctx: Context,
    start: { name: string },
  ): Promise<void> {
    await conversation.external((ctx) =>
      reply(deps, ctx.turn, `What should ${bold(start.name)} be called? /cancel leaves it.`, {
        silent: false,
        forceReply: 'deploy-site',
      }),
    )
    const isText = (ctx: Context): boolean =>
      ctx.message?.text !== undefined && !ctx.message.text.startsWith('/') && !isStopWord(ctx.message.text)
    const text = (await conversation.waitUntil(isText, { next: true })).message?.text?.slice(0, 100) ?? ''
    await conversation.external(async (ctx) =>
      reply(deps, ctx.turn, await giveName(deps, ctx.turn, start.name, text)),
    )
  }
