import { Composer } from 'grammy'
import { assertNever } from '../../core/assertNever.ts'
import { cancelRun } from '../../core/runs/cancelRun.ts'
import type { Small } from '../../core/talk/chatter.ts'
import { joinParts } from '../../core/talk/parts.ts'
import { type Said, understand } from '../../core/talk/understand.ts'
import type { BotContext } from '../context.ts'
import { likelyCommand } from '../likelyCommand.ts'
import { FORWARDED_WORDS, refusalOf } from '../middleware/permitted.ts'
import { code } from '../render/html.ts'
import { helpLine, smallAnswers } from '../render/smallTalk.ts'
import { reply } from '../reply.ts'
import { type BotDeps, isForwarded } from '../turn.ts'
import { answeredAsRead } from './answerAsRead.ts'
import { answerQuestion } from './answerQuestion.ts'
import { greet, helpText } from './basics.ts'
import { machines } from './look.ts'
import { answerYesOrNo, steerByWords } from './steerByWords.ts'

/** Text without a command: a word about work in progress, a question about it, small talk; else a request that becomes a run. */
export function freeText(deps: BotDeps): Composer<BotContext> {
  const composer = new Composer<BotContext>()
  composer.on('message:text', async (ctx) => {
    const text = ctx.message.text.trim()
    if (text.startsWith('/')) return unknownCommand(deps, ctx, text)
    const said = understand(text)
    const { reading } = ctx.turn.heard
    if (reading && (await answeredAsRead(deps, ctx, reading, said))) return
    if (await answered(deps, ctx, said)) return
    const refusal = await refusalOf(ctx.turn, 'text that asks for work', null)
    if (refusal) return reply(deps, ctx.turn, refusal)
    const before = await whatItFollows(deps, ctx)
    const forwarded = isForwarded(ctx.turn) || before?.forwarded === true
    const asked = before ? joinParts([before.request, text]) : text
    await ctx.conversation.enter('request', { asked, placed: false, forwarded })
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

/** A command that is none, and the one it was likely meant for. One for another bot of the group is not for this one. */
async function unknownCommand(deps: BotDeps, ctx: BotContext, text: string): Promise<void> {
  const to = /^\/\w+@(\w+)/.exec(text)?.[1]
  if (to && to.toLowerCase() !== ctx.me.username.toLowerCase()) return
  const meant = likelyCommand(text, ctx.turn.person)
  const help = '/help lists what I understand.'
  if (!meant) return reply(deps, ctx.turn, `I do not know this command. ${help}`)
  // A bare command can be tapped; one with more after it is copied by a tap.
  const offer = meant.includes(' ') ? code(meant) : meant
  await reply(deps, ctx.turn, `I do not know this command. Did you mean ${offer}? ${help}`)
}

/**
 * A text that came right behind a request goes on with it, where nothing of that has begun and nobody has answered for
 * it: the two are one request, and the first, which this returns, is left out.
 */
async function whatItFollows(
  deps: BotDeps,
  ctx: BotContext,
): Promise<{ request: string; forwarded: boolean } | null> {
  const { tx, heard, chat, topicId, person } = ctx.turn
  if (!heard.follows) return null
  const [before] = await tx.query<{ id: string; number: number; request: string; forwarded: boolean }>(
    `SELECT id, number, request, forwarded FROM run r WHERE chat_id = $1 AND topic_id = $2 AND person_id = $3 AND message_id = $4
     AND kind = 'request' AND status IN ('planning', 'awaiting_approval') AND created_at > clock_timestamp() - interval '30 s'
     AND NOT EXISTS (SELECT 1 FROM approval a JOIN approval_decision d ON d.approval_id = a.id WHERE a.run_id = r.id)
     FOR UPDATE`,
    [chat.id, topicId, person.id, heard.follows],
  )
  if (!before) return null
  const done = await cancelRun(deps, tx, before.id, person.id)
  if (done.kind !== 'cancelled') return null
  await reply(deps, ctx.turn, `Taken together with #${before.number}, which had not begun.`)
  return before
}

/** Whether the text was no request and has been dealt with. */
async function answered(deps: BotDeps, ctx: BotContext, said: Said): Promise<boolean> {
  switch (said.kind) {
    case 'request':
      return false
    case 'steer':
      if (!isForwarded(ctx.turn)) return steerByWords(deps, ctx, said)
      await reply(deps, ctx.turn, FORWARDED_WORDS)
      return true
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
