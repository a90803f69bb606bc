import type { NextFunction } from 'grammy'
import { mayActIn, outsideLine, outsideOf } from '../../core/people/entitlements.ts'
import { accessOf, permits } from '../../core/people/methods.ts'
import { may } from '../../core/people/people.ts'
import { commands } from '../commands.ts'
import type { BotContext } from '../context.ts'
import { isAsked } from '../conversations/storage.ts'
import { updateKey } from '../intake/storeUpdates.ts'
import { reply } from '../reply.ts'
import { type BotDeps, isForwarded, type Turn } from '../turn.ts'
import { refusalFor } from './refusal.ts'

/**
 * The table of methods, asked before anything else is: a command that it does not list, or that this person's role
 * does not reach, goes no further, and neither does whatever acts in a chat that is not among theirs. Taps are asked
 * about once more where it is known what they stand for.
 */
export const permitted =
  (deps: BotDeps) =>
  async (ctx: BotContext, next: NextFunction): Promise<void> => {
    const { turn } = ctx
    const name = commandOf(ctx)
    const isCommand = commands.some((command) => command.name === name)
    const method = isCommand ? `/${name}` : 'text'
    if (ctx.callbackQuery || ctx.update.stopped_message_generation) return next()
    if (!permits(turn.person, method)) return reply(deps, turn, refusalFor(method))
    if (isCommand && !(isHarmless(method) || forwardable.has(method)) && isForwarded(turn))
      return reply(deps, turn, FORWARDED_WORDS)
    const acts = isCommand ? !isHarmless(method) : may(turn.person, 'start')
    if (!acts || (await mayActIn(turn.tx, turn.person.id, turn.chat.id))) return next()
    if (await isAskedByRun(ctx, method)) return next()
    return reply(deps, turn, ELSEWHERE)
  }

/** The command that grammY will carry out: it ends where Telegram says, be it before a comma or a sign nobody sees. */
function commandOf({ message }: BotContext): string | undefined {
  const named = message?.entities?.find(({ type, offset }) => type === 'bot_command' && offset === 0)
  const said = named ? message?.text?.slice(0, named.length) : message?.text?.split(/\s/, 1)[0]
  return /^\/(\w+)(?:@\w+)?$/.exec(said ?? '')?.[1]?.toLowerCase()
}

/** Of somebody else's words these alone are taken: what comes of them says so, and asks. */
const forwardable: ReadonlySet<string> = new Set(['/run', '/plan', '/memory'])
export const FORWARDED_WORDS =
  'Somebody else wrote that: I stop, approve and change nothing by forwarded words. Say it yourself.'

/**
 * Whether it may be about a question that came to the person's own chat: a code, or an answer to what the bot has asked
 * there. Then the run says whether they may (`refusalOf`), where it is known.
 */
async function isAskedByRun({ turn, update }: BotContext, method: string): Promise<boolean> {
  if (turn.chat.id !== turn.person.telegramId) return false
  if (method === '/approve' || method === '/deny') return true
  if (method !== 'text' && method !== '/cancel') return false
  return isAsked(turn.tx, updateKey(update))
}

/**
 * Why this person may not do this here; null when they may: by role, and, for what acts, by chat and by the run it is
 * about. `runId`: that run, where there is one.
 */
export async function refusalOf(turn: Turn, method: string, runId: string | null): Promise<string | null> {
  const own = runId === null || (await isOwn(turn, runId))
  if (!permits(turn.person, method, { own })) return refusalFor(method)
  if (isHarmless(method)) return null
  if (!(await mayActIn(turn.tx, turn.person.id, turn.chat.id)) && !(await wasAskedHere(turn, runId)))
    return ELSEWHERE
  const outside = runId === null ? null : await outsideOf(turn.tx, turn.person.id, runId)
  return outside && outsideLine(outside)
}

/** Whether this run's question came to the person's own chat: then the run's chat and machine say what they may. */
const wasAskedHere = async ({ tx, chat, person }: Turn, runId: string | null): Promise<boolean> =>
  runId !== null &&
  chat.id === person.telegramId &&
  (
    await tx.query("SELECT 1 FROM card WHERE run_id = $1 AND chat_id = $2 AND kind = 'approval' LIMIT 1", [
      runId,
      chat.id,
    ])
  ).length > 0

const isOwn = async (turn: Turn, runId: string): Promise<boolean> =>
  (await turn.tx.query('SELECT 1 FROM run WHERE id = $1 AND person_id = $2', [runId, turn.person.id]))
    .length > 0

/** It changes nothing: anybody with the role may do it in any chat. */
const isHarmless = (method: string): boolean => {
  const access = accessOf(method)
  return access === 'look' || access === 'open'
}

const ELSEWHERE = 'You may not act in this chat: an owner has named others for you.'
