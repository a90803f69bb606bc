import { sayCard } from '../delivery/say.ts'
import type { BotDeps } from '../turn.ts'

/** A card is moved down at most this often, so that a lively run does not fill the chat with its own card. */
const SETTLE_MS = 3000

type Row = { run_id: string; chat_id: number; topic_id: number; newest: number }

/**
 * Keeps the live card the lowest message of its run: where another message of the run came below it and things have
 * been quiet for a moment, the card is sent again there, and the old one says "continued below". Returns how many.
 */
export async function lowerCardsOnce(deps: BotDeps): Promise<number> {
  const rows = await deps.db.query<Row>(
    `SELECT c.run_id, c.chat_id, c.topic_id, x.newest FROM card c JOIN run r ON r.id = c.run_id
     JOIN LATERAL (SELECT max(message_id) AS newest, max(created_at) AS latest FROM card o WHERE o.run_id = c.run_id AND o.chat_id = c.chat_id) x ON true
     WHERE c.kind = 'run' AND c.state = 'live' AND r.status IN ('running', 'paused', 'cancelling')
     AND c.message_id < x.newest AND x.latest < clock_timestamp() - $1 * interval '1 ms'`,
    [SETTLE_MS],
  )
  for (const row of rows) {
    await deps.db.tx((tx) =>
      sayCard(
        tx,
        deps.bus,
        { chatId: row.chat_id, topicId: row.topic_id },
        { kind: 'run', runId: row.run_id, silent: true, key: `card:${row.run_id}:below:${row.newest}` },
      ),
    )
  }
  return rows.length
}
