import { randomUUID } from 'node:crypto'
import { Api, GrammyError, HttpError } from 'grammy'
import type { TelegramConfig } from '../core/config/control.ts'
import { messageOf } from '../core/config/logger.ts'
import { isDatabaseAway } from '../core/storage/databaseAway.ts'
import { dropLease, holdLease } from '../core/storage/leases.ts'
import { tellFault } from '../core/storage/tellFault.ts'
import { announceOnce, startAnnouncing, startCursor } from './cards/announce.ts'
import { type Drafts, watchDrafts } from './cards/watchDrafts.ts'
import { watchRuns } from './cards/watchRuns.ts'
import { menuFor } from './commands.ts'
import { createBot } from './createBot.ts'
import type { LimitOptions } from './delivery/limits.ts'
import { redactOutgoing } from './delivery/redactOutgoing.ts'
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

/** `getMe` tells whether Telegram is there at all: not worth the patience of other calls. */
const GET_ME_TIMEOUT_MS = 8000
/** The longest pause between tries to begin, and the shortest between two lines that say the same. */
const MAX_PAUSE_MS = 60_000

/** How often the inbox is looked through for updates that nobody took up. */
const LOOK_MS = 5000

/**
 * Runs the bot while this process holds the bot's lease; waits for it otherwise, so that a second bot may stand by.
 * `ready` says whether it serves now, `trouble` why it cannot begin to.
 */
export function startBot(
  deps: BotDeps,
  connection: BotConnection,
  options: BotOptions = {},
): { ready(): boolean; trouble(): string | null; stop(): Promise<void> } {
  const holder = randomUUID()
  const leaseMs = options.leaseMs ?? LEASE_MS
  const tries = paceTries(deps, connection, leaseMs / 4)
  let serving: { stop(): Promise<void> } | null = null
  let stopped = false
  let turning: Promise<void> = Promise.resolve()
  const renew = async (): Promise<void> => {
    const held = await stillHeld(() => holdLease(deps.db, 'bot', holder, leaseMs))
    if (stopped || held === null) return
    if (held && !serving) serving = await tries.next(() => serve(deps, connection, options, holder))
    if (!held && serving) {
      deps.log.warn('another bot has the lease; this one stands by')
      const old = serving
      serving = null
      await old.stop()
    }
  }
  const tick = (): void => {
    turning = turning.then(renew).catch((error) => tellFault(deps.log, 'bot, trying again', error))
  }
  tick()
  const timer = setInterval(tick, leaseMs / 4)
  return {
    ready: () => serving !== null,
    trouble: tries.trouble,
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

/**
 * Null while the database is away: then nobody can have taken the lease, and whatever this bot does asks the database
 * first.
 */
const stillHeld = (ask: () => Promise<boolean>): Promise<boolean | null> =>
  ask().catch((error) => {
    if (isDatabaseAway(error)) return null
    throw error
  })

type Serving = { stop(): Promise<void> }

/** Tries to begin, each time after a longer pause (a minute at most), and says what is in the way once a minute at most. */
function paceTries(
  deps: Pick<BotDeps, 'log'>,
  connection: BotConnection,
  firstPauseMs: number,
): { next(begin: () => Promise<Serving>): Promise<Serving | null>; trouble(): string | null } {
  let trouble: string | null = null
  let pause = firstPauseMs
  let next = 0
  let said = { line: '', at: 0 }
  const say = (line: string): void => {
    const at = performance.now()
    if (line === said.line && at - said.at < MAX_PAUSE_MS) return
    said = { line, at }
    deps.log.warn(line)
  }
  return {
    trouble: () => trouble,
    next: async (begin) => {
      if (performance.now() < next) return null
      try {
        const serving = await begin()
        trouble = null
        pause = firstPauseMs
        return serving
      } catch (error) {
        trouble = describeTrouble(error, connection)
        say(trouble)
        next = performance.now() + pause
        pause = Math.min(MAX_PAUSE_MS, pause * 2)
        return null
      }
    },
  }
}

/** What keeps the bot from serving, and what to do; never with the token, which errors of the network quote. */
function describeTrouble(error: unknown, { apiRoot }: BotConnection): string {
  if (error instanceof GrammyError && (error.error_code === 401 || error.error_code === 404))
    return `Telegram refuses the bot token (${error.description}). Copy it from @BotFather into TELEGRAM_BOT_TOKEN again, then start again.`
  if (!(error instanceof HttpError)) return `bot: ${messageOf(error)}; trying again`
  const code: unknown = error.error instanceof Error ? Reflect.get(error.error, 'code') : undefined
  return `Telegram cannot be reached at ${new URL(apiRoot).host}${typeof code === 'string' ? ` (${code})` : ''}; trying again. Check the network, and TELEGRAM_API_ROOT.`
}

async function serve(
  given: BotDeps,
  connection: BotConnection,
  options: BotOptions,
  holder: string,
): Promise<{ stop(): Promise<void> }> {
  const api = new Api(connection.token, { apiRoot: connection.apiRoot, timeoutSeconds: CALL_TIMEOUT_S })
  const drafts: Drafts = new Map()
  const deps = { ...given, drafts }
  api.config.use(redactOutgoing(deps.redact))
  const botInfo = await api.getMe(AbortSignal.timeout(GET_ME_TIMEOUT_MS) as never)
  await startCursor(deps)
  const inbox = createInbox(deps, createBot(deps, connection.token, botInfo))
  await inbox.begin()
  await inbox.look()
  await announceOnce(deps)
  const delivery = runDelivery(deps, api, options.limits, holder)
  const stopWatching = watchRuns(deps, delivery)
  const stopDrafts = watchDrafts(deps, api, delivery)
  const stopAnnouncing = startAnnouncing(deps)
  const intake =
    connection.kind === 'webhook'
      ? await startWebhook(deps, api, inbox, connection)
      : startPolling(deps, api, inbox)
  const looking = setInterval(() => {
    inbox.look().catch((error) => tellFault(deps.log, 'inbox', error))
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
      stopDrafts()
      await delivery.stop()
    },
  }
}
