import type { Update } from 'grammy/types'
import { redactFields } from '../../core/redaction/redactFields.ts'
import { jsonText } from '../../core/storage/jsonText.ts'
import type { Sql } from '../../core/storage/sql.ts'
import { partiesOf } from './partiesOf.ts'

/**
 * Chat, topic and person of an update: what comes from one key is handled one after the other. An update that has no
 * such things in their places gets a key all the same: it must not hold up the others.
 */
export function updateKey(update: Update): string {
  try {
    return keyOf(update)
  } catch {
    return 'malformed'
  }
}

function keyOf(update: Update): string {
  const { from, chat, topicId } = partiesOf(update)
  return `${chat?.id ?? 0}:${topicId}:${from?.id ?? 0}`
}

/** What people wrote, or had before them when they answered. */
const written = new Set(['text', 'caption'])

/**
 * Puts updates into the inbox; one that is there already is not put in again. Returns the ids that are new. Once
 * this has committed, Telegram may forget them. Secrets that somebody wrote do not get in.
 */
export async function storeUpdates(
  { db, redact }: { db: Sql; redact: (text: string) => string },
  updates: readonly Update[],
): Promise<number[]> {
  if (updates.length === 0) return []
  const rows = await db.query<{ update_id: number }>(
    `INSERT INTO telegram_update (update_id, key, payload) SELECT * FROM unnest($1::bigint[], $2::text[], $3::jsonb[]) ON CONFLICT DO NOTHING RETURNING update_id`,
    [
      updates.map((u) => u.update_id),
      updates.map(updateKey),
      updates.map((u) => jsonText(redactFields(u, written, redact))),
    ],
  )
  return rows.map((row) => row.update_id)
}
