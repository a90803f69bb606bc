import type { BotDeps } from '../turn.ts'
import type { Delivery, Sent } from './sendOne.ts'

type Ledger = Pick<BotDeps, 'db'>

/** What waits to be sent, the oldest first, without what the caller knows already; 500 at most. */
export const readPending = (deps: Ledger, known: ReadonlySet<number>): Promise<Delivery[]> =>
  deps.db.query<Delivery>(
    `SELECT id, chat_id, method, payload, card_id, tries, greatest(0, extract(epoch FROM not_before - clock_timestamp()) * 1000)::float8 AS wait_ms
     FROM delivery WHERE status = 'pending' AND NOT id = ANY($1::bigint[]) ORDER BY id LIMIT 500`,
    [[...known]],
  )

type End = { status: 'sent' | 'failed'; messageId: number | null; error: string | null }

/** Writes down how a send that shows no card ended. */
export async function markEnded(
  deps: Ledger,
  row: Delivery,
  { status, messageId, error }: End,
): Promise<void> {
  await deps.db.query(
    'UPDATE delivery SET status = $2, message_id = $3, error = $4, sent_at = clock_timestamp(), tries = tries + 1 WHERE id = $1',
    [row.id, status, messageId, error],
  )
}

/** Writes down what was sent, and of a card what it shows now. Answers the card's state; null where there is none. */
export async function markSent(
  deps: Ledger,
  row: Delivery,
  sent: Sent & { kind: 'ok' },
): Promise<string | null> {
  const [card] = await deps.db.query<{ state: string }>(
    `WITH done AS (UPDATE delivery SET status = 'sent', message_id = $3, error = NULL, sent_at = clock_timestamp(), tries = tries + 1 WHERE id = $1)
     UPDATE card SET message_id = $3, shown = $4, state = CASE WHEN state = 'live' AND $5 THEN 'settled' ELSE state END WHERE id = $2 RETURNING state`,
    [row.id, row.card_id, sent.messageId, sent.hash ?? null, sent.settled ?? false],
  )
  return card?.state ?? null
}
