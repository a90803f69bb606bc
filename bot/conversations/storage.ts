import type { ConversationData, VersionedState, VersionedStateStorage } from '@grammyjs/conversations'
import { jsonText } from '../../core/storage/jsonText.ts'
import type { BotContext } from '../context.ts'
import { updateKey } from '../intake/storeUpdates.ts'

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
