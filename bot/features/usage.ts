import { Composer } from 'grammy'
import { readUsage } from '../../core/llm/readUsage.ts'
import type { BotContext } from '../context.ts'
import { sayChart } from '../delivery/say.ts'
import { bold } from '../render/html.ts'
import { usageText } from '../render/usageText.ts'
import { here, reply } from '../reply.ts'
import type { BotDeps } from '../turn.ts'

const DAYS = 14
const MOST_DAYS = 90

/** /usage: what language models were used for and cost, as text and as a chart. */
export function usage(deps: BotDeps): Composer<BotContext> {
  const composer = new Composer<BotContext>()
  composer.command('usage', async (ctx) => {
    const { turn } = ctx
    const days = daysOf(String(ctx.match))
    const used = await readUsage(turn.tx, days)
    if (used.period.calls + used.period.remembered === 0)
      return reply(deps, turn, nothingUsed(deps.model !== null, days))
    const caption = usageText(used, days, deps.model?.budgets)
    await sayChart(turn.tx, deps.bus, here(turn, turn.chat.kind !== 'private'), {
      chart: { days: used.days },
      caption,
    })
  })
  return composer
}

/** `30d` or `30`; two weeks when it says nothing. Pure. */
export const daysOf = (text: string): number => {
  const given = Number(/^\s*(\d{1,3})\s*d?\s*$/.exec(text)?.[1] ?? DAYS)
  return Math.min(Math.max(1, given), MOST_DAYS)
}

const nothingUsed = (hasModel: boolean, days: number): string =>
  [
    bold(`No language model was used in ${days} days`),
    hasModel
      ? 'Playbooks and commands did it all.'
      : 'None is set up: playbooks and commands do it all. A key such as <code>GOOGLE_AI_API_KEY</code> in .env adds one.',
  ].join('\n')
