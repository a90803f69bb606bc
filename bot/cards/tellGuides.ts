import type { LedgerEvent } from '../../core/events/readEvents.ts'
import type { Tx } from '../../core/storage/sql.ts'
import { say } from '../delivery/say.ts'
import { escapeHtml } from '../render/html.ts'
import type { BotDeps } from '../turn.ts'

/** Names in one message. */
const MOST = 5
const HOUR_MS = 3_600_000

/** Texts that somebody else than this person has to review. */
const isNews = ({ type, data }: LedgerEvent, personId: string): boolean =>
  type === 'guide.found' || (type === 'guide.brought' && data.kind === 'playbook' && data.by !== personId)

/**
 * Tells owners in private, without a sound, that texts wait for their review: what a source gave anew, what somebody else
 * kept. At most once an hour each; /skills has the rest.
 */
export async function tellGuides(deps: BotDeps, tx: Tx, events: readonly LedgerEvent[]): Promise<void> {
  if (!events.some(({ type }) => type === 'guide.found' || type === 'guide.brought')) return
  const owners = await tx.query<{ personId: string; chatId: number }>(
    `SELECT p.id AS "personId", c.id AS "chatId" FROM person p JOIN chat c ON c.id = p.telegram_id
     WHERE p.role = 'owner' AND p.revoked_at IS NULL AND c.kind = 'private' AND c.blocked_at IS NULL`,
  )
  for (const { personId, chatId } of owners) {
    const news = events.filter((event) => isNews(event, personId))
    const [first] = news
    if (!first) continue
    const names = [...new Set(news.map(({ data }) => `${data.kind} ${data.name}`))]
    const more = names.length > MOST ? ` and ${names.length - MOST} more` : ''
    const lines = [
      `📄 ${names.length === 1 ? 'A text waits' : `${names.length} texts wait`} for your review: ${escapeHtml(names.slice(0, MOST).join(', '))}${more}.`,
      'Nothing uses them until then; what you reviewed before goes on being used.',
    ]
    await say(tx, deps.bus, { chatId, topicId: 0 }, lines.join('\n'), {
      buttons: [[{ text: 'Skills', action: { do: 'skills' } }]],
      key: `guides:${Math.floor(first.at.getTime() / HOUR_MS)}:${chatId}`,
    })
  }
}
