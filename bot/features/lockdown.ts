import { Composer } from 'grammy'
import { lockDown } from '../../core/runs/lockDown.ts'
import type { BotContext } from '../context.ts'
import { reply } from '../reply.ts'
import type { BotDeps } from '../turn.ts'

/**
 * /lockdown: cancels everything and starts nothing more. It is lifted on the machine alone, so that whoever has got hold
 * of an owner's phone cannot. That it is on is told to every chat by the announcement of its event.
 */
export function lockdown(deps: BotDeps): Composer<BotContext> {
  const composer = new Composer<BotContext>()
  composer.command('lockdown', async (ctx) => {
    const { turn } = ctx
    const { changed, cancelled } = await lockDown(deps, (work) => work(turn.tx), turn.person.id)
    if (changed) return
    await reply(
      deps,
      turn,
      `🔒 It is locked down already; ${cancelled} run${cancelled === 1 ? '' : 's'} cancelled now. <code>skynet lockdown --lift</code> on the machine ends it.`,
    )
  })
  return composer
}
