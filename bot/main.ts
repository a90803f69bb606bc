import { randomUUID } from 'node:crypto'
import { Api } from 'grammy'
import type { TelegramConfig } from '../core/config/control.ts'
import { messageOf } from '../core/config/logger.ts'
import { dropLease, holdLease } from '../core/storage/leases.ts'
import { announceOnce, startAnnouncing, startCursor } from './cards/announce.ts'
import { watchRuns } from './cards/watchRuns.ts'
import { menuFor } from './commands.ts'
import { createBot } from './createBot.ts'
import type { LimitOptions } from './delivery/limits.ts'
import { runDelivery } from './delivery/runDelivery.ts'
import { createInbox } from './intake/handleInbox.ts'
import { startPolling } from './intake/poll.ts'
import { startWebhook } from './intake/webhook.ts'
import type { BotDeps } from './turn.ts'

export type BotConnection = Exclude<TelegramConfig, { kind: 'playground' }>
export type BotOptions = { limits?: LimitOptions; leaseMs?: number }

/** A call without an answer is given up after this; it has to outlast the 30 s of a long poll. */
const CALL_TIMEOUT_S = 45
/** How long the bot's lease lasts: another bot takes over after that. */
const LEASE_MS = 10_000

/** How often the inbox is looked through for updates that nobody took up. */
const LOOK_MS = 5000

/**
 * Runs the bot while this process holds the bot's lease; waits for it otherwise, so that a second bot may stand by.
 * `ready` says whether it serves now.
 */
export function startBot(
  deps: BotDeps,
  connection: BotConnection,
  options: BotOptions = {},
): { ready(): boolean; stop(): Promise<void> } {
  const holder = randomUUID()
  const leaseMs = options.leaseMs ?? LEASE_MS
  let serving: { stop(): Promise<void> } | null = null
  let stopped = false
  let turning: Promise<void> = Promise.resolve()
  const renew = async (): Promise<void> => {
    const held = await holdLease(deps.db, 'bot', holder, leaseMs).catch(() => false)
    if (stopped) return
    if (held && !serving) serving = await serve(deps, connection, options, holder)
    if (!held && serving) {
      deps.log.warn('another bot has the lease; this one stands by')
      const old = serving
      serving = null
      await old.stop()
    }
  }
  const tick = (): void => {
    turning = turning
      .then(renew)
      .catch((error) => void deps.log.warn(`bot: ${messageOf(error)}; trying again`))
  }
  tick()
  const timer = setInterval(tick, leaseMs / 4)
  return {
    ready: () => serving !== null,
    stop: async () => {
      stopped = true
      clearInterval(timer)
      await turning
      await serving?.stop()
      serving = null
      await dropLease(deps.db, 'bot', holder).catch(() => [])
    },
  }
}

async function serve(
  deps: BotDeps,
  connection: BotConnection,
  options: BotOptions,
  holder: string,
): Promise<{ stop(): Promise<void> }> {
  const api = new Api(connection.token, { apiRoot: connection.apiRoot, timeoutSeconds: CALL_TIMEOUT_S })
  const botInfo = await api.getMe()
  await startCursor(deps)
  const inbox = createInbox(deps, createBot(deps, connection.token, botInfo))
  await inbox.look()
  await announceOnce(deps)
  const delivery = runDelivery(deps, api, options.limits, holder)
  const stopWatching = watchRuns(deps, delivery)
  const stopAnnouncing = startAnnouncing(deps)
  const intake =
    connection.kind === 'webhook'
      ? await startWebhook(deps, api, inbox, connection)
      : startPolling(deps, api, inbox)
  const looking = setInterval(() => {
    inbox.look().catch((error) => deps.log.warn(`inbox: ${messageOf(error)}`))
  }, LOOK_MS)
  await api
    .setMyCommands(menuFor({ role: 'owner' }))
    .catch((error) => void deps.log.warn(`menu: ${messageOf(error)}`))
  deps.log.info(`bot @${botInfo.username} is ready (${connection.kind})`)
  return {
    stop: async () => {
      clearInterval(looking)
      await intake.stop()
      await inbox.idle()
      await stopAnnouncing()
      stopWatching()
      await delivery.stop()
    },
  }
}
