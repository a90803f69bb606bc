import type { Sql } from '../storage/sql.ts'

/**
 * A run that no chat asked for gets the private chat of an owner (the first whom the bot may write to), so that
 * what needs a person reaches one. Runs that have a chat keep it; without such an owner nothing changes.
 */
export const giveHome = (sql: Sql, runId: string): Promise<object[]> =>
  sql.query(
    `UPDATE run SET chat_id = home.id FROM (
       SELECT c.id FROM person p JOIN chat c ON c.id = p.telegram_id
       WHERE p.role = 'owner' AND p.revoked_at IS NULL AND c.kind = 'private' AND c.blocked_at IS NULL ORDER BY p.created_at, p.id LIMIT 1) home
     WHERE run.id = $1 AND run.chat_id IS NULL RETURNING run.id`,
    [runId],
  )
