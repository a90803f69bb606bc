import type { NextFunction } from 'grammy'
import { RateLimit } from '../../core/doors/rateLimit.ts'
import { isStopWord } from '../../core/talk/understand.ts'
import { actionOf } from '../actionOf.ts'
import type { BotContext } from '../context.ts'
import { reply, toast } from '../reply.ts'
import type { BotDeps } from '../turn.ts'

/** A chat of several people takes this much more than one person. */
const CHAT_TIMES = 3
/** Told again at the earliest after this. */
const TOLD_MS = 60_000
/** What stops things is never held up. */
const urgent = /^\/(cancel|pause|deny|lockdown)(@\w+)?(?!\w)/

/**
 * How much one person, and one chat, may ask in a minute (SKYNET_CHAT_PER_MINUTE): beyond it messages are left out, which
 * is said once, and taps are answered with when to try again. Whatever stops things always passes. It counts in this
 * process alone: a restart forgives.
 */
export function pace(deps: BotDeps): (ctx: BotContext, next: NextFunction) => Promise<void> {
  const perMinute = deps.settings.chatPerMinute
  const people = new RateLimit({ perSecond: perMinute / 60, burst: perMinute })
  const chats = new RateLimit({ perSecond: (CHAT_TIMES * perMinute) / 60, burst: CHAT_TIMES * perMinute })
  const told = new RateLimit({ perSecond: 1000 / TOLD_MS, burst: 1 })
  return async (ctx, next) => {
    const { person, chat } = ctx.turn
    const text = ctx.message?.text ?? ''
    if (urgent.test(text) || isStopWord(text)) return next()
    if (ctx.update.stopped_message_generation) return next()
    if (await locksDown(ctx)) return next()
    const waitMs = Math.max(people.wait(person.id), chats.wait(String(chat.id)))
    if (waitMs > 0) return slowDown(deps, ctx, told, waitMs, perMinute)
    people.take(person.id)
    chats.take(String(chat.id))
    return next()
  }
}

/** The tap that locks down is not held up either, as little as the command is. */
async function locksDown(ctx: BotContext): Promise<boolean> {
  const action = ctx.callbackQuery ? await actionOf(ctx) : null
  return action?.do === 'lock_down' && action.sure
}

async function slowDown(
  deps: BotDeps,
  ctx: BotContext,
  told: RateLimit,
  waitMs: number,
  perMinute: number,
): Promise<void> {
  const { person, chat } = ctx.turn
  const seconds = Math.max(1, Math.ceil(waitMs / 1000))
  if (ctx.callbackQuery)
    return toast(deps, ctx.turn, `That was fast. Tap again in ${seconds} s; nothing was done.`)
  if (told.take(`${chat.id}:${person.id}`) > 0) return
  await reply(
    deps,
    ctx.turn,
    `You are faster than I am: I take ${perMinute} messages a minute from one person. What comes now is left out, so send it again in a moment. /cancel always works.`,
  )
}
