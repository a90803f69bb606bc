import type { Conversation } from '@grammyjs/conversations'
import type { Context } from 'grammy'
import { isStopWord } from '../../core/talk/understand.ts'
import type { BotContext } from '../context.ts'
import { rewriteCommand } from '../features/revise.ts'
import { code } from '../render/html.ts'
import { unmask } from '../render/unmask.ts'
import { reply } from '../reply.ts'
import type { BotDeps } from '../turn.ts'

/** Longest command taken from chat, in characters. */
const MAX_COMMAND = 4000

export type EditStart = { approvalId: string; key: string; command: string }

/** Asks for the new text of one command of a plan that waits for approval, and makes the new version. */
export const editConversation = (deps: BotDeps) =>
  async function editCommand(
    conversation: Conversation<BotContext, Context>,
    _ctx: Context,
    start: EditStart,
  ): Promise<void> {
    await conversation.external((ctx) =>
      reply(
        deps,
        ctx.turn,
        `Step ${start.key} is ${code(unmask(start.command, 'command').slice(0, 1000))}\n<b>What should it be?</b> /cancel leaves it.`,
        {
          silent: false,
          forceReply: 'The new command',
        },
      ),
    )
    const isText = (ctx: Context): boolean =>
      ctx.message?.text !== undefined && !ctx.message.text.startsWith('/') && !isStopWord(ctx.message.text)
    const command =
      (await conversation.waitUntil(isText, { next: true })).message?.text?.slice(0, MAX_COMMAND) ?? ''
    await conversation.external(async (ctx) =>
      reply(
        deps,
        ctx.turn,
        await rewriteCommand(deps, ctx.turn, start.approvalId, start.key, deps.redact(command)),
      ),
    )
  }
