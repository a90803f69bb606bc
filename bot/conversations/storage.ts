import type { ConversationData, VersionedState, VersionedStateStorage } from '@grammyjs/conversations'
import { jsonText } from '../../core/storage/jsonText.ts'
import type { Sql } from '../../core/storage/sql.ts'
import type { BotContext } from '../context.ts'
import { updateKey } from '../intake/storeUpdates.ts'

/** Whether the bot is in the middle of asking somebody something. One that is over may leave an empty list behind. */
export async function isAsked(tx: Sql, key: string): Promise<boolean> {
  const rows = await tx.query(
    `SELECT 1 FROM conversation_state c, jsonb_each(c.state->'state') open
     WHERE c.key = $1 AND jsonb_typeof(open.value) = 'array' AND open.value <> '[]'`,
    [key],
  )
  return rows.length > 0
}

/**
 * Where conversations keep their state: a row for each person in a chat and topic, read and written in the
 * transaction of the update, so that an answer is taken once or not at all.
 */
export const conversationStorage: VersionedStateStorage<BotContext, ConversationData> = {
  read: async (ctx) => {
    const [row] = await ctx.turn.tx.query<{ state: VersionedState<ConversationData> }>(
      'SELECT state FROM conversation_state WHERE key = $1',
      [updateKey(ctx.update)],
    )
    return row?.state
  },
  write: async (ctx, state) => {
    await ctx.turn.tx.query(
      'INSERT INTO conversation_state (key, state) VALUES ($1, $2) ON CONFLICT (key) DO UPDATE SET state = $2, updated_at = clock_timestamp()',
      [updateKey(ctx.update), jsonText(state)],
    )
  },
  delete: async (ctx) => {
    await ctx.turn.tx.query('DELETE FROM conversation_state WHERE key = $1', [updateKey(ctx.update)])
  },
}
