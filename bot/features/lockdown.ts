import { Composer } from 'grammy'
import { isLockedDown } from '../../core/people/lockdown.ts'
import { lockDown } from '../../core/runs/lockDown.ts'
import type { BotContext } from '../context.ts'
import type { ButtonAction } from '../render/buttons.ts'
import { LIFT } from '../render/words.ts'
import { replace, reply, toast } from '../reply.ts'
import type { BotDeps, Turn } from '../turn.ts'

/**
 * /lockdown: cancels everything and starts nothing more. It is lifted on the machine alone, so that whoever has got hold
 * of an owner's phone cannot; so it asks first, and `/lockdown now` does not. Where it is on already, it cancels what
 * there may be left. That it is on is told to every chat by the announcement of its event.
 */
export function lockdown(deps: BotDeps): Composer<BotContext> {
  const composer = new Composer<BotContext>()
  composer.command('lockdown', async (ctx) => {
    const now = /^now$/i.test(String(ctx.match).trim())
    if (!now && !(await isLockedDown(ctx.turn.tx))) return ask(deps, ctx.turn)
    const again = await lockHere(deps, ctx.turn)
    if (again) await reply(deps, ctx.turn, again)
  })
  return composer
}

function ask(deps: BotDeps, turn: Turn): Promise<void> {
  const action = { do: 'lock_down' as const, personId: turn.person.id }
  const html = [
    '🔒 <b>Lock down?</b> Everything that runs or waits is cancelled, and nothing starts any more.',
    `It cannot be undone from here: only ${LIFT} lifts it. <code>/lockdown now</code> does not ask.`,
  ].join('\n')
  return reply(deps, turn, html, {
    silent: false,
    buttons: [
      [{ text: 'Lock down now', action: { ...action, sure: true }, style: 'danger' }],
      [{ text: 'Keep going', action: { ...action, sure: false } }],
    ],
  })
}

/** Locks down; null when it was not locked down before, else what to say. */
async function lockHere(deps: BotDeps, turn: Turn): Promise<string | null> {
  const { changed, cancelled } = await lockDown(deps, (work) => work(turn.tx), turn.person.id)
  return changed
    ? null
    : `🔒 It is locked down already; ${cancelled} run${cancelled === 1 ? '' : 's'} cancelled now. ${LIFT} ends it.`
}

/** The answer to the question, by who was asked. */
export async function answerLockdown(
  deps: BotDeps,
  turn: Turn,
  { personId, sure }: Extract<ButtonAction, { do: 'lock_down' }>,
): Promise<void> {
  if (personId !== turn.person.id)
    return toast(deps, turn, 'Somebody else was asked this. Send /lockdown yourself.', true)
  await toast(deps, turn)
  if (!sure) return replace(deps, turn, 'Not locked down: everything goes on.')
  const again = await lockHere(deps, turn)
  await replace(deps, turn, again ?? `🔒 <b>Locked down</b>. ${LIFT} lifts it.`)
}
