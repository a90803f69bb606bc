import type { ConversationFlavor } from '@grammyjs/conversations'
import type { Context } from 'grammy'
import type { Turn } from './turn.ts'

/** What every handler gets: grammY's reading of the update, and the turn it writes through. */
export type BaseContext = Context & { turn: Turn }
export type BotContext = ConversationFlavor<BaseContext>
