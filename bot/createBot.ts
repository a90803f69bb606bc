import { AsyncLocalStorage } from 'node:async_hooks'
import { conversations, createConversation } from '@grammyjs/conversations'
import { Bot } from 'grammy'
import type { Update, UserFromGetMe } from 'grammy/types'
import { meetPerson } from '../core/people/people.ts'
import type { Tx } from '../core/storage/sql.ts'
import type { BotContext } from './context.ts'
import { correctConversation } from './conversations/correctMemory.ts'
import { editConversation } from './conversations/editCommand.ts'
import { renameConversation } from './conversations/renamePlaybook.ts'
import { requestConversation } from './conversations/request.ts'
import { sayChangeConversation } from './conversations/sayChange.ts'
import { conversationStorage } from './conversations/storage.ts'
import { moveChat } from './delivery/moveChat.ts'
import { approvals } from './features/approvals.ts'
import { audit } from './features/audit.ts'
import { basics } from './features/basics.ts'
import { freeText } from './features/freeText.ts'
import { guides } from './features/guides.ts'
import { lockdown } from './features/lockdown.ts'
import { look } from './features/look.ts'
import { memory } from './features/memory.ts'
import { places } from './features/places.ts'
import { settings } from './features/settings.ts'
import { steer } from './features/steer.ts'
import { stopDraft } from './features/stopDraft.ts'
import { taps } from './features/taps.ts'
import { usage } from './features/usage.ts'
import { work } from './features/work.ts'
import { partiesOf } from './intake/partiesOf.ts'
import { access } from './middleware/access.ts'
import { meetChat } from './middleware/meetChat.ts'
import { pace } from './middleware/pace.ts'
import { permitted } from './middleware/permitted.ts'
import type { BotDeps, Heard, Turn } from './turn.ts'

/**
 * The bot as a function of an update and a transaction: grammY routes it, the features write rows, nobody calls
 * Telegram (a call here throws). A conversation takes answers only and lets commands and other buttons pass, so they
 * always work; free text comes last.
 */
export function createBot(
  deps: BotDeps,
  token: string,
  botInfo: UserFromGetMe,
): (tx: Tx, update: Update, heard?: Heard) => Promise<void> {
  const turns = new AsyncLocalStorage<Turn>()
  const bot = new Bot<BotContext>(token, { botInfo })
  bot.api.config.use(() => {
    throw new Error('handlers write to the outbox; they never call Telegram')
  })
  bot.use((ctx, next) => {
    const turn = turns.getStore()
    if (!turn) throw new Error('an update is handled outside its turn')
    ctx.turn = turn
    return next()
  })
  bot.use(access(deps))
  bot.use(pace(deps))
  bot.use(permitted(deps))
  bot.use(stopDraft(deps))
  bot.use(conversations({ storage: { type: 'context', adapter: conversationStorage } }))
  bot.use(createConversation(requestConversation(deps), { id: 'request' }))
  bot.use(createConversation(editConversation(deps), { id: 'editCommand' }))
  bot.use(createConversation(sayChangeConversation(deps), { id: 'sayChange' }))
  bot.use(createConversation(correctConversation(deps), { id: 'correctMemory' }))
  bot.use(createConversation(renameConversation(deps), { id: 'renamePlaybook' }))
  for (const feature of [
    basics,
    work,
    look,
    steer,
    approvals,
    places,
    settings,
    memory,
    guides,
    usage,
    audit,
    lockdown,
  ])
    bot.use(feature(deps))
  bot.use(taps(deps), freeText(deps))
  return async (tx, update, heard = { dropped: false }) => {
    const { chat, migrate_to_chat_id: moved } = update.message ?? {}
    if (chat && moved) await moveChat(tx, deps.bus, chat.id, moved)
    const turn = await turnOf(deps, tx, update, heard)
    await noteBlocked(tx, update)
    if (turn) await turns.run(turn, () => bot.handleUpdate(update))
  }
}

/** A chat that blocked or removed the bot is not reachable, whatever else is heard of it. */
async function noteBlocked(tx: Tx, update: Update): Promise<void> {
  const change = update.my_chat_member
  if (change && ['kicked', 'left'].includes(change.new_chat_member?.status))
    await tx.query('UPDATE chat SET blocked_at = clock_timestamp() WHERE id = $1', [change.chat.id])
}

/** Who sent an update, and where; null for updates nobody sent. */
async function turnOf(deps: BotDeps, tx: Tx, update: Update, heard: Heard): Promise<Turn | null> {
  const { from, chat, topicId } = partiesOf(update)
  if (!from || !chat || from.is_bot) return null
  const name = [from.first_name, from.last_name].filter(Boolean).join(' ')
  const person = await meetPerson(tx, { id: from.id, name }, deps.ownerIds)
  return {
    tx,
    heard,
    update,
    person,
    chat: await meetChat(tx, chat, person.role !== null, name),
    topicId,
    messageId: update.message?.message_id ?? null,
  }
}
