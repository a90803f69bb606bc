import { Composer } from 'grammy'
import { activeRuns } from '../../core/runs/listRuns.ts'
import type { BotContext } from '../context.ts'
import { refusalOf } from '../middleware/permitted.ts'
import { repliedRun } from '../pickRun.ts'
import { reply } from '../reply.ts'
import type { BotDeps } from '../turn.ts'
import { greet } from './basics.ts'
import { machines, postCard } from './look.ts'
import { cancelAndShow } from './steer.ts'

/** Words that mean a command. */
const spoken: { pattern: RegExp; means: 'hello' | 'machines' | 'stop' | 'progress' }[] = [
  {
    pattern: /^(hi|hello|hey|hallo|good (morning|day|evening)|start|thanks?|thank you)( there)?[.!?]*$/i,
    means: 'hello',
  },
  { pattern: /^(my )?(machines|agents|workers)[?.!]?$/i, means: 'machines' },
  { pattern: /^(please )?(stop|cancel|abort|halt)( it| that| everything| the run)?[.!]?$/i, means: 'stop' },
  {
    pattern: /^(how far( is it| are you)?|what('s| is) (going on|running)|progress|status)[?.!]?$/i,
    means: 'progress',
  },
]

/** Text without a command: an answer about work in progress, or a request that becomes a run. */
export function freeText(deps: BotDeps): Composer<BotContext> {
  const composer = new Composer<BotContext>()
  composer.on('message:text', async (ctx) => {
    const text = ctx.message.text.trim()
    if (text.startsWith('/'))
      return reply(deps, ctx.turn, 'I do not know this command. /help lists what I understand.')
    const means = spoken.find((s) => s.pattern.test(text))?.means
    if (means === 'hello') return greet(deps, ctx)
    if (means === 'machines') return machines(deps, ctx)
    if (means) return aboutWork(deps, ctx, means)
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

async function aboutWork(deps: BotDeps, ctx: BotContext, means: 'stop' | 'progress'): Promise<void> {
  const runId = (await repliedRun(ctx)) ?? (await activeRuns(ctx.turn.tx, ctx.turn.person.id))[0]?.id
  if (!runId) return reply(deps, ctx.turn, 'Nothing of yours is running.')
  if (means === 'stop') return cancelAndShow(deps, ctx, runId)
  await postCard(deps, ctx, runId)
}
