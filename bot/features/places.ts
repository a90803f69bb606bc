import { Composer } from 'grammy'
import { allPlaces, choosePlace, namedPlace, setPlace } from '../../core/fleet/choosePlace.ts'
import { listMachines } from '../../core/fleet/machineFacts.ts'
import type { BotContext } from '../context.ts'
import { escapeHtml } from '../render/html.ts'
import { reply } from '../reply.ts'
import { asker, placeButtons } from '../startRun.ts'
import type { BotDeps } from '../turn.ts'

/** `/use laptop api` sets the place of this person in this chat or topic; `/use` alone shows and picks. */
export function places(deps: BotDeps): Composer<BotContext> {
  const composer = new Composer<BotContext>()
  composer.command('use', async (ctx) => {
    const { turn } = ctx
    const machines = await listMachines(turn.tx)
    const [first = '', second] = String(ctx.match)
      .trim()
      .replace(/^@/, '')
      .split(/[\s:]+/)
    const all = allPlaces(machines)
    const buttons = placeButtons(all, (place) => ({ do: 'use', agentId: place.agentId, cwd: place.cwd }))
    if (!first) {
      const chosen = await choosePlace(turn.tx, asker(turn), 'request', null)
      return reply(
        deps,
        turn,
        chosen.kind === 'place'
          ? `You work in <b>${escapeHtml(chosen.place.label)}</b>. Another?`
          : 'No place is set. Pick one:',
        { buttons },
      )
    }
    const place =
      namedPlace(machines, second ? { machine: first, directory: second } : { machine: first }) ??
      namedPlace(machines, { directory: first })
    if (!place)
      return reply(
        deps,
        turn,
        `I know no place called <code>${escapeHtml(String(ctx.match).trim())}</code>. Pick one:`,
        { buttons },
      )
    await setPlace(turn.tx, asker(turn), place)
    await reply(deps, turn, `From now on you work in <b>${escapeHtml(place.label)}</b> here.`)
  })
  return composer
}
