import type {
  BotCommand,
  Document,
  ForceReply,
  InlineKeyboardMarkup,
  MessageEntity,
  MessageOrigin,
  PhotoSize,
  ReplyKeyboardMarkup,
  ReplyKeyboardRemove,
  Update,
  User,
} from 'grammy/types'

/** How many messages the server lets through before it answers 429. */
export type Limits = {
  /** Messages a second in one chat; edits count too. */
  perChatPerSecond: number
  /** How many may come at once before that rate holds. */
  burst: number
  groupPerMinute: number
  overallPerSecond: number
}

/** Telegram's own limits, as its FAQ for bots states them. */
export const telegramLimits: Limits = {
  perChatPerSecond: 1,
  burst: 5,
  groupPerMinute: 20,
  overallPerSecond: 30,
}

export type PlaygroundOptions = {
  /** 0 takes any free port. */
  port: number
  /** The bot token this server accepts, such as `1000000001:local`. */
  token: string
  /** JSON-lines file that keeps chats, messages and ids over a restart; null keeps them in memory. */
  stateFile: string | null
  /** The person at the page. Their private chat has the same id. */
  visitor: Person & { username?: string }
  /** The bot's shown name; its username is `skynet_bot`. */
  botName: string
  limits?: Partial<Limits>
  /** Key of the one-time link to the page. */
  secret: string
  /** Called when somebody opens the page by a one-time link. */
  onOpen?: () => void
  /** Rows of the side panel; without it the panel is hidden. */
  panel?: PanelSource | null
  /** On a fresh state, let the visitor send `/start`: at once, or when this resolves. */
  greet?: boolean | Promise<unknown>
  /** How long a button's tap can be answered, in ms. Telegram's is about 15 s. */
  callbackTtlMs?: number
  log?: (line: string) => void
}

/** Live rows of "What happens behind", read from the ledger. */
export type PanelSource = {
  rows(): Promise<PanelRow[]>
  /** Everything known about one row, shown as JSON. */
  detail(id: string): Promise<unknown>
  /** Calls back on each change; returns the end of the subscription. */
  subscribe(onChange: () => void): () => void
}

export type PanelRow = {
  id: string
  stage: 'request' | 'plan' | 'verdict' | 'approval' | 'claim' | 'process' | 'exit'
  title: string
  detail: string
  state: 'done' | 'now' | 'wait' | 'bad'
  at: string | null
}

export type Person = { id: number; first_name: string }

/** What a bot may attach to a message; only an inline keyboard can be edited. */
export type ReplyMarkup = InlineKeyboardMarkup | ReplyKeyboardMarkup | ReplyKeyboardRemove | ForceReply

/** A message as the playground keeps it; `toMessage` turns it into Telegram's shape. */
export type StoredMessage = {
  message_id: number
  chat_id: number
  from: User
  /** Unix time in seconds. */
  date: number
  edit_date?: number
  text?: string
  entities?: MessageEntity[]
  caption?: string
  caption_entities?: MessageEntity[]
  document?: Document
  /** One size: the playground makes no smaller ones. */
  photo?: PhotoSize[]
  reply_markup?: ReplyMarkup
  reply_to?: number
  forward_origin?: MessageOrigin
  message_thread_id?: number
  /** Facts of a service message: who joined, where a group moved. */
  service?: ServiceNote
  /** How often it was edited. */
  edits: number
  /** True when it was sent with `disable_notification`. */
  silent: boolean
  /** A deleted message stays in the list, marked, so that tests can see it. */
  deleted: boolean
}

export type ServiceNote = {
  new_chat_members?: User[]
  left_chat_member?: User
  migrate_to_chat_id?: number
  migrate_from_chat_id?: number
}

export type ChatRecord = {
  id: number
  type: 'private' | 'group' | 'supergroup'
  title?: string
  members: User[]
  /** Whether the bot may write here, and why not. */
  bot: 'member' | 'administrator' | 'blocked' | 'kicked' | 'left'
  /** In privacy mode a bot sees only commands and replies to itself. */
  privacy: boolean
  forum: boolean
  /** Topics that were seen here; others are unknown to `message_thread_id`. */
  threads: number[]
  migrated_to?: number
}

export type StoredFile = { file_id: string; name: string; mime: string; size: number }

export type WebhookSetting = {
  url: string
  secret_token?: string
  max_connections: number
}

export type Answer = { callback_query_id: string; text: string; show_alert: boolean }

/** One Bot API call as it went; `at` is in ms. Uploaded files appear as name and size. */
export type CallRecord = { method: string; at: number; payload: unknown; ok: boolean; error_code?: number }

/** What a test's fault does to a call: answer an error, or do it and cut the connection. */
export type Fault = { error_code: number; description: string; retry_after?: number; dropAnswer?: boolean }
export type FaultMatcher = (method: string, payload: unknown) => Fault | null

export type SayOptions = {
  chat_id?: number
  from?: Person
  reply_to?: number
  thread_id?: number
  /** Whose message it is that is sent on. */
  forwarded_from?: Person
}

export type GroupOptions = {
  /** Negative; `-100...` makes a supergroup. */
  id: number
  title: string
  members: Person[]
  /** Default true. */
  privacy?: boolean
  /** Let the group have topics. */
  forum?: boolean
  /** Make the bot an administrator. */
  admin?: boolean
}

/** A running playground. Everything in it acts at once and enqueues the updates Telegram would send. */
export type Playground = {
  /** `http://127.0.0.1:PORT`, the API root for grammY. */
  readonly url: string
  /** Link to the page with a key that was not used yet; a key opens the page once. */
  readonly pageUrl: string
  /** Sends a text as a user (default: the visitor, in their private chat) and returns its message id. */
  say(text: string, opts?: SayOptions): number
  /** Taps a button by its text or data and returns the callback query's id. Throws when it is not there. */
  tap(chatId: number, messageId: number, buttonTextOrData: string, from?: Person): string
  /** Edits a user's message. */
  edit(chatId: number, messageId: number, text: string, from?: Person): void
  /** Presses Stop on the visitor's draft. False when that draft is gone. */
  stop(draftId: number): boolean
  /** Sends a past update once more, confirmed or not. Throws for an unknown id. */
  redeliver(updateId: number): void
  /** The last updates, oldest first, confirmed ones too. */
  updates(): Update[]
  /** Messages of a chat (default: the visitor's) in order, deleted ones marked. */
  chat(chatId?: number): StoredMessage[]
  answers(): Answer[]
  calls(): CallRecord[]
  onCall(listener: (call: CallRecord) => void): () => void
  /** Lets calls fail that the matcher picks; returns the end of it. */
  fail(matcher: FaultMatcher): () => void
  /** Resolves with the first truthy value of the probe, looked at on every change. Rejects after `timeoutMs` (5000). */
  waitFor<T>(probe: () => T | undefined | false | null, timeoutMs?: number): Promise<T>
  createGroup(group: GroupOptions): void
  /** Moves a group to a supergroup, as Telegram does when it is upgraded. */
  migrateGroup(fromId: number, toId: number): void
  /** A user blocks or unblocks the bot, or a group removes it. */
  setBotAccess(chatId: number, access: 'member' | 'blocked' | 'kicked', by?: Person): void
  /** The command menu a private chat shows. */
  commands(chatId?: number): BotCommand[]
  close(): Promise<void>
}
