import type { Conversation } from '@grammyjs/conversations'
import type { Context } from 'grammy'
import { isStopWord } from '../../core/talk/understand.ts'
import type { BotContext } from '../context.ts'
import { askForWords, correct } from '../features/memory.ts'
import type { BotDeps } from '../turn.ts'

export type CorrectionStart = { id: number }

/** Asks for the right words of a memory, and puts them in its place. Its state holds none of them: what is forgotten is in no other place. */
export const correctConversation = (deps: BotDeps) =>
  async function correctMemory(
    conversation: Conversation<BotContext, Context>,
    _ctx: Context,
    start: CorrectionStart,
  ): Promise<void> {
    await conversation.external((ctx) => askForWords(deps, ctx.turn, start.id))
    const isText = (ctx: Context): boolean =>
      ctx.message?.text !== undefined && !ctx.message.text.startsWith('/') && !isStopWord(ctx.message.text)
    const text = (await conversation.waitUntil(isText, { next: true })).message?.text ?? ''
    await conversation.external((ctx) => correct(deps, ctx.turn, start.id, text))
  }
