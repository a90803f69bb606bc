import type { UserFromGetMe } from 'grammy/types'
import { type FileShelf, openFileShelf } from './fileShelf.ts'
import { createHub, type Draft, type Hub } from './hub.ts'
import { createLimiter, type Limiter } from './limits.ts'
import { openStore, type Store } from './store.ts'
import {
  type Answer,
  type CallRecord,
  type FaultMatcher,
  type PlaygroundOptions,
  telegramLimits,
} from './types.ts'
import { createUpdateQueue, type UpdateQueue } from './updateQueue.ts'
import type { WebhookState } from './webhook.ts'

export const botUsername = 'skynet_bot'

/** Everything the running server shares; functions take the part they use. */
export type World = {
  readonly options: PlaygroundOptions
  readonly me: UserFromGetMe
  readonly store: Store
  readonly shelf: FileShelf
  readonly queue: UpdateQueue
  readonly hub: Hub
  readonly limiter: Limiter
  /** Taps that wait for an answer: when they came, in ms. */
  readonly queries: Map<string, number>
  readonly answers: Answer[]
  readonly calls: CallRecord[]
  readonly callListeners: Set<(call: CallRecord) => void>
  readonly faults: Set<FaultMatcher>
  /** Drafts by chat, with the time in ms they vanish. */
  readonly drafts: Map<number, Draft & { until: number }>
  /** The last problem in delivering to a webhook. */
  readonly webhookState: WebhookState
  readonly log: (line: string) => void
}

/** Opens the state and builds what all handlers share. */
export function createWorld(options: PlaygroundOptions): World {
  const store = openStore(options.stateFile)
  const world: World = {
    options,
    me: describeBot(options),
    store,
    shelf: openFileShelf(options.stateFile),
    queue: createUpdateQueue(store),
    hub: createHub(),
    limiter: createLimiter({ ...telegramLimits, ...options.limits }),
    queries: openQueries(store),
    answers: [],
    calls: [],
    callListeners: new Set(),
    faults: new Set(),
    drafts: new Map(),
    webhookState: {},
    log: options.log ?? (() => {}),
  }
  world.queue.onPush(world.hub.touch)
  return world
}

/** Taps that the bot has not fetched before a restart can still be answered. */
function openQueries(store: Store): Map<string, number> {
  const ids = store.state.pending.flatMap((update) => update.callback_query?.id ?? [])
  return new Map(ids.map((id) => [id, Date.now()]))
}

function describeBot(options: Pick<PlaygroundOptions, 'token' | 'botName'>): UserFromGetMe {
  return {
    id: Number.parseInt(options.token, 10),
    is_bot: true,
    first_name: options.botName,
    username: botUsername,
    can_join_groups: true,
    can_read_all_group_messages: false,
    supports_guest_queries: false,
    supports_inline_queries: false,
    can_connect_to_business: false,
    has_main_web_app: false,
    has_topics_enabled: false,
    allows_users_to_create_topics: false,
    can_manage_bots: false,
    supports_join_request_queries: false,
  }
}

/** Now, in Telegram's unit: seconds. */
export const unixNow = (): number => Math.floor(Date.now() / 1000)
