import type { Conversation } from '@grammyjs/conversations'
import type { Context } from 'grammy'
import { isStopWord } from '../../core/talk/understand.ts'
import type { BotContext } from '../context.ts'
import { changeInWords } from '../features/revise.ts'
import { reply } from '../reply.ts'
import type { BotDeps } from '../turn.ts'

export type SayStart = { approvalId: string; number: number }

/** Asks how a plan that waits for approval should be changed, and has it planned anew. */
export const sayChangeConversation = (deps: BotDeps) =>
  async function sayChange(
    conversation: Conversation<BotContext, Context>,
    _ctx: Context,
    start: SayStart,
  ): Promise<void> {
    await conversation.external((ctx) =>
      reply(
        deps,
        ctx.turn,
        `<b>What should be different in #${start.number}?</b>\nOne sentence is enough. /cancel leaves it.`,
        { silent: false, forceReply: 'Such as: only the unit tests' },
      ),
    )
    const isText = (ctx: Context): boolean =>
      ctx.message?.text !== undefined && !ctx.message.text.startsWith('/') && !isStopWord(ctx.message.text)
    const text = (await conversation.waitUntil(isText, { next: true })).message?.text ?? ''
    await conversation.external(async (ctx) =>
      reply(deps, ctx.turn, await changeInWords(deps, ctx.turn, start.approvalId, deps.redact(text))),
    )
  }
