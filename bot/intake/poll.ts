import { type Api, GrammyError } from 'grammy'
import type { Update } from 'grammy/types'
import { failpoint } from '../../core/config/failpoint.ts'
import { messageOf } from '../../core/config/logger.ts'
import { isDatabaseAway } from '../../core/storage/databaseAway.ts'
import type { BotDeps } from '../turn.ts'
import type { Inbox } from './handleInbox.ts'
import { storeUpdates, updateKey } from './storeUpdates.ts'

/** A database that is away is asked again after this. */
const AWAY_MS = 1000

export const allowedUpdates = [
  'message',
  'edited_message',
  'callback_query',
  'my_chat_member',
  'stopped_message_generation',
] as const

/**
 * Long polling: every batch is in the inbox before Telegram is told to forget it. Faults wait and try again; a 409
 * (somebody else polls with this token) says so. Returns what stops it.
 */
export function startPolling(
  deps: BotDeps,
  api: Api,
  inbox: Pick<Inbox, 'enqueue'>,
): { stop(): Promise<void> } {
  const stopping = new AbortController()
  const loop = pollUntil(deps, api, inbox, stopping.signal)
  return {
    stop: async () => {
      stopping.abort()
      await loop
    },
  }
}

async function pollUntil(
  deps: BotDeps,
  api: Api,
  inbox: Pick<Inbox, 'enqueue'>,
  signal: AbortSignal,
): Promise<void> {
  let offset: number | undefined
  let faults = 0
  while (!signal.aborted) {
    try {
      const updates = await api.getUpdates(
        {
          ...(offset === undefined ? {} : { offset }),
          timeout: 30,
          limit: 100,
          allowed_updates: [...allowedUpdates],
        },
        signal as never,
      )
      await keepTrying(() => takeIn(deps, inbox, updates), signal)
      offset = updates.length > 0 ? (updates.at(-1)?.update_id ?? 0) + 1 : offset
      faults = 0
    } catch (error) {
      if (signal.aborted) return
      faults += 1
      deps.log.warn(faultLine(error))
      await pause(retryAfter(error) ?? Math.min(30_000, 500 * 2 ** Math.min(faults, 6)), signal)
    }
  }
}

/** Updates that are here stay here until the database takes them: meanwhile nobody asks Telegram for more. */
async function keepTrying(take: () => Promise<void>, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    try {
      return await take()
    } catch (error) {
      if (!isDatabaseAway(error)) throw error
      await pause(AWAY_MS, signal)
    }
  }
}

/**
 * Updates go into the inbox and are handled in order. Those that were there already are looked at again: they may
 * have been stored by a call whose answer was lost, and one that was handled is not handled twice.
 */
export async function takeIn(
  deps: BotDeps,
  inbox: Pick<Inbox, 'enqueue'>,
  updates: readonly Update[],
): Promise<void> {
  failpoint('update.stored:before')
  await storeUpdates(deps, updates)
  failpoint('update.stored:after')
  for (const update of updates) inbox.enqueue({ update_id: update.update_id, key: updateKey(update) })
}

function faultLine(error: unknown): string {
  if (error instanceof GrammyError && error.error_code === 409)
    return 'Telegram: another program polls with this bot token. Stop it, or give this one its own bot.'
  if (error instanceof GrammyError && error.error_code === 401)
    return 'Telegram: the bot token is not valid. Set TELEGRAM_BOT_TOKEN to the one BotFather shows.'
  return `Telegram: ${messageOf(error)}; trying again`
}

const retryAfter = (error: unknown): number | null =>
  error instanceof GrammyError && error.parameters.retry_after ? error.parameters.retry_after * 1000 : null

const pause = (ms: number, signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    const timer = setTimeout(resolve, ms)
    signal.addEventListener(
      'abort',
      () => {
        clearTimeout(timer)
        resolve()
      },
      { once: true },
    )
  })
