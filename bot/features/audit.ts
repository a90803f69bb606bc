import { Composer } from 'grammy'
import { notedHeads } from '../../core/audit/notedHeads.ts'
import { type AuditRow, headText } from '../../core/audit/row.ts'
import { newestRows, verifyAudit } from '../../core/audit/verify.ts'
import { isGroup } from '../../core/runs/shownIn.ts'
import type { BotContext } from '../context.ts'
import { bold, clip, code, escapeHtml, time } from '../render/html.ts'
import { reply } from '../reply.ts'
import type { BotDeps } from '../turn.ts'

/** Rows that a phone shows without scrolling. */
const SHOWN = 8

/** /audit: the newest acts (in private: they are of all chats), whether the trail is whole, and its head, of which the chat then has a note. */
export function audit(deps: BotDeps): Composer<BotContext> {
  const composer = new Composer<BotContext>()
  composer.command('audit', async (ctx) => {
    const { tx } = ctx.turn
    const verified = await verifyAudit(tx, await notedHeads(deps.settings.headsFile))
    const [fault] = verified.faults
    const state = fault
      ? `🔴 ${bold('The audit trail was changed')}: ${escapeHtml(fault.text)}. <code>skynet audit verify</code> says more.`
      : `✅ ${bold(`${verified.rows} acts, the chain is whole`)}`
    const inGroup = isGroup({ chatId: ctx.turn.chat.id })
    const rows = inGroup ? [] : await newestRows(tx, SHOWN)
    await reply(
      deps,
      ctx.turn,
      [
        state,
        ...(inGroup ? ['Which they are I tell in private.'] : rows.map(lineOf)),
        '',
        `head ${code(headText(verified.head))}`,
      ].join('\n'),
    )
  })
  return composer
}

const lineOf = (row: AuditRow): string =>
  `${time(row.at)} ${escapeHtml(clip(row.who, 40))}: ${escapeHtml(clip(actWords(row), 80))}`

/** What was done, in one line. */
function actWords({ type, data }: AuditRow): string {
  const named = [
    data.decision,
    data.role,
    data.name,
    data.kind,
    data.on === undefined ? null : data.on ? 'on' : 'off',
  ]
  return [type, ...named.filter((part) => typeof part === 'string')].join(' ')
}
