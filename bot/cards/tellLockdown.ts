import { actorName } from '../../core/audit/actorName.ts'
import type { LedgerEvent } from '../../core/events/readEvents.ts'
import type { Tx } from '../../core/storage/sql.ts'
import { say } from '../delivery/say.ts'
import { escapeHtml } from '../render/html.ts'
import { LIFT } from '../render/words.ts'
import type { BotDeps } from '../turn.ts'

/** Tells every chat that somebody can work from when a lockdown begins, and when it ends, once each. */
export async function tellLockdown(deps: BotDeps, tx: Tx, event: LedgerEvent): Promise<void> {
  const by = escapeHtml(await actorName(tx, event))
  const text = event.data.on
    ? `🔒 <b>Locked down</b> by ${by}. Everything that ran or waited is cancelled, and nothing starts until ${LIFT}.`
    : `🔓 <b>The lockdown is lifted</b> by ${by}. I take requests again; what was cancelled stays so.`
  const chats = await tx.query<{ id: number }>(
    `SELECT c.id FROM chat c WHERE c.blocked_at IS NULL AND CASE WHEN c.kind = 'private'
     THEN EXISTS (SELECT 1 FROM person p WHERE p.telegram_id = c.id AND p.role IS NOT NULL) ELSE c.paired_at IS NOT NULL END`,
  )
  for (const { id } of chats)
    await say(tx, deps.bus, { chatId: id, topicId: 0 }, text, {
      silent: false,
      key: `lockdown:${event.seq}:${id}`,
    })
}
