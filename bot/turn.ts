import type { Update } from 'grammy/types'
import type { Deps } from '../core/deps.ts'
import type { Person } from '../core/people/people.ts'
import type { Tx } from '../core/storage/sql.ts'
import type { Reading } from '../core/talk/readByModel.ts'

export type ChatRow = { id: number; kind: string; title: string; paired: boolean }

/** How an update came, where that matters to its answer. */
export type Heard = {
  /** It left out what its sender was writing. */
  dropped: boolean
  /** The message right before it, which it may go on with. */
  follows?: number | null
  /** What a language model took it for. */
  reading?: Reading | null
}

/**
 * What handling one update has in its hands: the transaction that everything of it commits with, who and where.
 * Handlers write rows through it and never call Telegram.
 */
export type Turn = {
  tx: Tx
  heard: Heard
  update: Update
  person: Person
  chat: ChatRow
  topicId: number
  messageId: number | null
}

/** What the bot's handlers may use. */
export type BotDeps = Pick<
  Deps,
  | 'db'
  | 'bus'
  | 'wake'
  | 'log'
  | 'policy'
  | 'playbooks'
  | 'model'
  | 'memory'
  | 'settings'
  | 'clock'
  | 'redact'
  | 'gatewayToken'
> & {
  /** What models write of plans under way, by run, where it is shown on the card. */
  drafts?: ReadonlyMap<string, string>
  ownerIds: readonly number[]
  /** The address an agent on another machine would join. */
  gatewayUrl: string
}

type Sent = Pick<NonNullable<Update['message']>, 'forward_origin' | 'via_bot' | 'from'>

/** Whether a message is somebody else's words: sent on, or written by another bot. One's own, sent on, stay one's own. */
export function isOthersWords({ forward_origin: origin, via_bot, from }: Sent): boolean {
  const own = origin?.type === 'user' && origin.sender_user.id === from?.id
  return via_bot !== undefined || (origin !== undefined && !own)
}

/** The same of the message that is being handled. */
export const isForwarded = ({ update }: Pick<Turn, 'update'>): boolean =>
  update.message !== undefined && isOthersWords(update.message)
