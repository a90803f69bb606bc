import { Composer } from 'grammy'
import { assertNever } from '../../core/assertNever.ts'
import type { Small } from '../../core/talk/chatter.ts'
import { type Said, understand } from '../../core/talk/understand.ts'
import type { BotContext } from '../context.ts'
import { refusalOf } from '../middleware/permitted.ts'
import { helpLine, smallAnswers } from '../render/smallTalk.ts'
import { reply } from '../reply.ts'
import type { BotDeps } from '../turn.ts'
import { answerQuestion } from './answerQuestion.ts'
import { greet, helpText } from './basics.ts'
import { machines } from './look.ts'
import { answerYesOrNo, steerByWords } from './steerByWords.ts'

/** Text without a command: a word about work in progress, a question about it, small talk; else a request that becomes a run. */
export function freeText(deps: BotDeps): Composer<BotContext> {
  const composer = new Composer<BotContext>()
  composer.on('message:text', async (ctx) => {
    const text = ctx.message.text.trim()
    if (text.startsWith('/'))
      return reply(deps, ctx.turn, 'I do not know this command. /help lists what I understand.')
    if (await answered(deps, ctx, understand(text))) return
    const refusal = await refusalOf(ctx.turn, 'text that asks for work', null)
    if (refusal) return reply(deps, ctx.turn, refusal)
    await ctx.conversation.enter('request', { asked: text, placed: false })
  })
  composer.on('edited_message', (ctx) =>
    reply(
      deps,
      ctx.turn,
      'I do not act on edits: what was asked stays as it was. Send it again to change it.',
    ),
  )
  composer.on('message', (ctx) =>
    ctx.turn.chat.kind === 'private'
      ? reply(deps, ctx.turn, 'I read text only. /help lists what I understand.')
      : undefined,
  )
  return composer
}

/** Whether the text was no request and has been dealt with. */
async function answered(deps: BotDeps, ctx: BotContext, said: Said): Promise<boolean> {
  switch (said.kind) {
    case 'request':
      return false
    case 'steer':
      return steerByWords(deps, ctx, said)
    case 'question':
      return answerQuestion(deps, ctx, said)
    case 'machines':
      await machines(deps, ctx)
      return true
    case 'help':
      await reply(deps, ctx.turn, helpLine(said.topic, deps.model !== null) ?? helpText(ctx))
      return true
    case 'small':
      await chat(deps, ctx, said.what)
      return true
    default:
      return assertNever(said)
  }
}

async function chat(deps: BotDeps, ctx: BotContext, what: Small): Promise<void> {
  if (what === 'hello') return greet(deps, ctx)
  if ((what === 'yes' || what === 'no') && (await answerYesOrNo(deps, ctx))) return
  await reply(deps, ctx.turn, smallAnswers[what])
}
