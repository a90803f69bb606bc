import { randomBytes } from 'node:crypto'
import type { BotCommand, Update } from 'grammy/types'
import { type Journal, openJournal } from './journal.ts'
import type { ChatRecord, StoredFile, StoredMessage, WebhookSetting } from './types.ts'

const messagesKept = 2000

type State = {
  session: string
  nextUpdate: number
  nextMessage: number
  chats: Map<number, ChatRecord>
  messages: Map<number, Map<number, StoredMessage>>
  /** Updates that no poll has confirmed yet. */
  pending: Update[]
  /** By scope, as `scopeKey` writes it. */
  commands: Map<string, BotCommand[]>
  webhook: WebhookSetting | null
  allowedUpdates: string[] | null
  files: Map<string, StoredFile>
}

/** Everything that changes the state, one line each in the state file. */
type Entry =
  | { kind: 'start'; session: string; nextUpdate: number; nextMessage: number }
  | { kind: 'chat'; chat: ChatRecord }
  | { kind: 'message'; message: StoredMessage }
  | { kind: 'update'; update: Update }
  | { kind: 'confirm'; before: number }
  | { kind: 'commands'; scope: string; commands: BotCommand[] }
  | { kind: 'webhook'; webhook: WebhookSetting | null }
  | { kind: 'allowed'; types: string[] | null }
  | { kind: 'file'; file: StoredFile }

export type Store = {
  readonly state: State
  /** True when nothing was there before this start. */
  readonly fresh: boolean
  /** Applies a change and keeps it. The only way to change the state. */
  record(entry: Entry): void
}

/** Opens the state, from a file or empty. */
export function openStore(stateFile: string | null): Store {
  const state = emptyState()
  const journal: Journal<Entry> = openJournal(
    stateFile,
    (entry) => apply(state, entry),
    () => entriesOf(state),
  )
  return {
    state,
    fresh: state.chats.size === 0,
    record(entry) {
      apply(state, entry)
      journal.append(entry)
    },
  }
}

function emptyState(): State {
  return {
    session: randomBytes(24).toString('base64url'),
    nextUpdate: 100_000_001,
    nextMessage: 1,
    chats: new Map(),
    messages: new Map(),
    pending: [],
    commands: new Map(),
    webhook: null,
    allowedUpdates: null,
    files: new Map(),
  }
}

function apply(state: State, entry: Entry): void {
  switch (entry.kind) {
    case 'start':
      Object.assign(state, {
        session: entry.session,
        nextUpdate: entry.nextUpdate,
        nextMessage: entry.nextMessage,
      })
      return
    case 'chat':
      state.chats.set(entry.chat.id, entry.chat)
      return
    case 'message':
      applyMessage(state, entry.message)
      return
    case 'update':
      state.pending.push(entry.update)
      state.nextUpdate = Math.max(state.nextUpdate, entry.update.update_id + 1)
      return
    case 'confirm':
      state.pending = state.pending.filter((update) => update.update_id >= entry.before)
      return
    case 'commands':
      state.commands.set(entry.scope, entry.commands)
      return
    case 'webhook':
      state.webhook = entry.webhook
      return
    case 'allowed':
      state.allowedUpdates = entry.types
      return
    case 'file':
      state.files.set(entry.file.file_id, entry.file)
      return
  }
}

function applyMessage(state: State, message: StoredMessage): void {
  const chat = state.messages.get(message.chat_id) ?? new Map<number, StoredMessage>()
  state.messages.set(message.chat_id, chat)
  chat.set(message.message_id, message)
  state.nextMessage = Math.max(state.nextMessage, message.message_id + 1)
  const [oldest] = chat.keys()
  if (chat.size > messagesKept && oldest !== undefined) chat.delete(oldest)
}

function entriesOf(state: State): Entry[] {
  const { session, nextUpdate, nextMessage } = state
  return [
    { kind: 'start', session, nextUpdate, nextMessage },
    ...[...state.chats.values()].map((chat): Entry => ({ kind: 'chat', chat })),
    ...[...state.messages.values()]
      .flatMap((chat) => [...chat.values()])
      .map((message): Entry => ({ kind: 'message', message })),
    ...state.pending.map((update): Entry => ({ kind: 'update', update })),
    ...[...state.commands].map(([scope, commands]): Entry => ({ kind: 'commands', scope, commands })),
    { kind: 'webhook', webhook: state.webhook },
    { kind: 'allowed', types: state.allowedUpdates },
    ...[...state.files.values()].map((file): Entry => ({ kind: 'file', file })),
  ]
}
