import { Composer } from 'grammy'
import { RateLimit } from '../../core/doors/rateLimit.ts'
import { tellEvent } from '../../core/events/tellEvent.ts'
import { choosePlace } from '../../core/fleet/choosePlace.ts'
import { listMachines } from '../../core/fleet/machineFacts.ts'
import { useCode } from '../../core/fleet/oneTimeCodes.ts'
import { permits } from '../../core/people/methods.ts'
import { setRole } from '../../core/people/people.ts'
import { commandsFor } from '../commands.ts'
import type { BotContext } from '../context.ts'
import { say } from '../delivery/say.ts'
import { escapeHtml } from '../render/html.ts'
import { placeCode } from '../render/words.ts'
import { here, reply } from '../reply.ts'
import { asker } from '../startRun.ts'
import type { BotDeps, Turn } from '../turn.ts'

/** /start, /help, /pair. */
export function basics(deps: BotDeps): Composer<BotContext> {
  const guesses = new RateLimit({ perSecond: 1 / 60, burst: 5 })
  const composer = new Composer<BotContext>()
  composer.command('start', (ctx) => greet(deps, ctx))
  composer.command('help', (ctx) => reply(deps, ctx.turn, helpText(ctx)))
  composer.command('pair', (ctx) => pair(deps, ctx, guesses))
  return composer
}

/** Who I am, which machines are there, what to try. */
export async function greet(deps: BotDeps, ctx: BotContext): Promise<void> {
  const machines = (await listMachines(ctx.turn.tx)).filter((m) => m.connected)
  const where =
    machines.length === 0
      ? 'No machine is connected yet: /agents shows how to add one.'
      : `Connected: ${machines.map((m) => `<b>${escapeHtml(m.name)}</b>`).join(', ')}.`
  const chosen = await choosePlace(ctx.turn.tx, asker(ctx.turn), 'request', null)
  const place = chosen.kind === 'place' ? `\nYou work in ${placeCode(chosen.place.label)}.` : ''
  await reply(
    deps,
    ctx.turn,
    [
      `👋 <b>Hello${ctx.turn.person.name === 'You' ? '' : ` ${escapeHtml(ctx.turn.person.name)}`}</b>`,
      'Tell me what to do on your machines: I plan it, ask where it matters, and show what happens.',
      '',
      `${where}${place}`,
      '',
      'Try <code>/run git status</code>, or just say “run the tests”. /help lists the rest.',
    ].join('\n'),
  )
}

/** All that can be said, for this person. */
export function helpText(ctx: BotContext): string {
  const lines = commandsFor(ctx.turn.person).map(
    (c) => `/${c.name}${c.args ? ` <i>${escapeHtml(c.args)}</i>` : ''} · ${escapeHtml(c.text)}`,
  )
  return [
    '<b>What I understand</b>',
    ...lines,
    '',
    'Plain words work as well: “what changed?”, “run the tests in api on laptop”.',
    'While work runs: “how far?”, “what failed?”, “why?”, “how long yet?”, “what next?”; “stop”, “pause”, “go on”, “try again”.',
    'A long text that Telegram parts, or a few quick messages, count as one.',
    '<code>/run @laptop:api npm test</code> names the place for one request.',
    'Replying to a message of a run means that run.',
  ].join('\n')
}

/** A stranger may try five codes at once, then one a minute: whatever comes faster is not looked at. */
async function pair(deps: BotDeps, ctx: BotContext, guesses: RateLimit): Promise<void> {
  const { turn } = ctx
  const code = String(ctx.match ?? '').trim()
  const isGuess = turn.person.role === null && code !== '' && guesses.take(turn.person.id) > 0
  if (code && !isGuess && (await useCode(turn.tx, 'pair', code))) {
    await setRole(turn.tx, turn.person.id, 'owner', turn.person.id)
    return reply(deps, turn, '✅ Paired: you are an owner now. /help shows what you can do.')
  }
  if (turn.person.role === null) return answerStranger(deps, turn, code)
  if (code)
    return reply(
      deps,
      turn,
      'This code is not valid (any more). <code>skynet people pair</code> on the machine prints a new one.',
    )
  if (turn.chat.kind === 'private')
    return reply(
      deps,
      turn,
      permits(turn.person, 'pair a group')
        ? 'You are an owner already. In a group, /pair lets me work there.'
        : 'Send <code>/pair CODE</code> with the code that the start printed.',
    )
  return pairGroup(deps, turn)
}

/** Strangers are answered in private, and once a minute: guessing codes makes no noise. */
async function answerStranger(deps: BotDeps, turn: Turn, code: string): Promise<void> {
  if (turn.chat.kind !== 'private') return
  const minute = Math.floor(deps.clock.now().getTime() / 60_000)
  const text = code
    ? 'This code is not valid (any more). <code>skynet people pair</code> on the machine prints a new one.'
    : 'Send <code>/pair CODE</code> with the code that the start printed.'
  await say(turn.tx, deps.bus, here(turn, true), text, { key: `pair:${turn.person.id}:${minute}` })
}

async function pairGroup(deps: BotDeps, turn: Turn): Promise<void> {
  if (!permits(turn.person, 'pair a group')) return
  await turn.tx.query('UPDATE chat SET paired_by = $2, paired_at = clock_timestamp() WHERE id = $1', [
    turn.chat.id,
    turn.person.id,
  ])
  await tellEvent(turn.tx, 'chat.paired', {}, { chat_id: turn.chat.id, by: turn.person.id })
  await reply(deps, turn, '✅ This group is paired. People with a role can use me here.')
}
