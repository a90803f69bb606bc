import { randomUUID } from 'node:crypto'
import type { Bus } from '../../core/queue/bus.ts'
import { isGroup, isShownIn } from '../../core/runs/shownIn.ts'
import { jsonText } from '../../core/storage/jsonText.ts'
import type { Sql, Tx } from '../../core/storage/sql.ts'
import { type ButtonAction, type Buttons, buttonId, keyboard } from '../render/buttons.ts'
import { splitHtml } from '../render/html.ts'
import type { UsageChart } from '../render/usageChart.ts'

/** Where a message goes. */
export type Where = { chatId: number; topicId: number; replyTo?: number | null }
export type SayOptions = { buttons?: Buttons; silent?: boolean; forceReply?: string; key?: string }

const keepButtons = async (sql: Sql, actions: ButtonAction[]): Promise<void> => {
  if (actions.length === 0) return
  await sql.query(
    'INSERT INTO button (id, action) SELECT * FROM unnest($1::text[], $2::jsonb[]) ON CONFLICT DO NOTHING',
    [actions.map(buttonId), actions.map((a) => jsonText(a))],
  )
}

/** Writes down what these buttons do, so that a tap finds it. Idempotent. */
export const storeButtons = (sql: Sql, buttons: Buttons): Promise<void> =>
  keepButtons(
    sql,
    buttons.flat().map((b) => b.action),
  )

const place = ({ chatId, topicId, replyTo }: Where) => ({
  chat_id: chatId,
  ...(topicId ? { message_thread_id: topicId } : {}),
  ...(replyTo ? { reply_parameters: { message_id: replyTo, allow_sending_without_reply: true } } : {}),
})

/**
 * Puts a message into the outbox, in the caller's transaction. Long text becomes several messages, the buttons under
 * the last. `key`: the same key is never sent twice.
 */
export async function say(
  tx: Tx,
  bus: Bus,
  where: Where,
  html: string,
  options: SayOptions = {},
): Promise<void> {
  const pieces = splitHtml(html)
  for (const [index, text] of pieces.entries()) {
    const last = index === pieces.length - 1
    const markup = last && options.buttons ? { reply_markup: keyboard(options.buttons) } : {}
    const force =
      last && options.forceReply
        ? {
            reply_markup: { force_reply: true, input_field_placeholder: options.forceReply, selective: true },
          }
        : {}
    await enqueue(
      tx,
      bus,
      where.chatId,
      'sendMessage',
      {
        ...place(index === 0 ? where : { ...where, replyTo: null }),
        text,
        parse_mode: 'HTML',
        link_preview_options: { is_disabled: true },
        disable_notification: options.silent ?? true,
        ...markup,
        ...force,
      },
      options.key ? `${options.key}:${index}` : null,
    )
  }
  if (options.buttons) await storeButtons(tx, options.buttons)
}

/**
 * Puts the edit of a sent message into the outbox, in the caller's transaction: new text, new buttons or none. For
 * messages that are no live cards; what does not fit into one message is left out.
 */
export async function edit(
  tx: Tx,
  bus: Bus,
  { chatId, messageId }: { chatId: number; messageId: number },
  html: string,
  buttons: Buttons,
): Promise<void> {
  const payload = {
    chat_id: chatId,
    message_id: messageId,
    text: splitHtml(html)[0] ?? '',
    parse_mode: 'HTML',
    link_preview_options: { is_disabled: true },
    ...(buttons.length > 0 ? { reply_markup: keyboard(buttons) } : {}),
  }
  await enqueue(tx, bus, chatId, 'editMessageText', payload, null)
  await storeButtons(tx, buttons)
}

async function enqueue(
  tx: Tx,
  bus: Bus,
  chatId: number | null,
  method: string,
  payload: object,
  key: string | null,
): Promise<void> {
  await tx.query(
    'INSERT INTO delivery (key, chat_id, method, payload) VALUES ($1, $2, $3, $4) ON CONFLICT (key) DO NOTHING',
    [key, chatId, method, jsonText(payload)],
  )
  tx.afterCommit(() => bus.publish('deliver', {}))
}

/** The answer to a tap: a toast, or with `alert` a box that is closed by hand. Telegram takes at most 200 characters. */
export const answer = (tx: Tx, bus: Bus, queryId: string, text = '', alert = false): Promise<void> =>
  enqueue(
    tx,
    bus,
    null,
    'answerCallbackQuery',
    { callback_query_id: queryId, ...(text ? { text: text.slice(0, 200), show_alert: alert } : {}) },
    `answer:${queryId}`,
  )

/** Shows "typing" in a chat for some seconds: one try, and it counts for no limit. */
export const sayTyping = (tx: Tx, bus: Bus, where: Where, key: string): Promise<void> =>
  enqueue(tx, bus, null, 'sendChatAction', { ...place({ ...where, replyTo: null }), action: 'typing' }, key)

/** The last door of what is told of a run: none of another chat's goes to a group, whatever led here. */
const mayShow = async (tx: Tx, { chatId }: Where, runId: string | null): Promise<boolean> =>
  runId === null || !isGroup({ chatId }) || (await isShownIn(tx, runId, chatId))

/** A file with the whole log of a run (none of another chat's in a group), or `text` as it is, made when it is sent. */
export const sayDocument = async (
  tx: Tx,
  bus: Bus,
  where: Where,
  file: { name: string; runId: string } | { name: string; text: string },
  key: string | null = null,
): Promise<void> => {
  if (!(await mayShow(tx, where, 'runId' in file ? file.runId : null))) return
  await enqueue(
    ...([tx, bus, where.chatId] as const),
    'sendDocument',
    { ...place(where), disable_notification: true, file },
    key,
  )
}

/** A chart with its caption in HTML, drawn when it is sent. */
export const sayChart = (
  tx: Tx,
  bus: Bus,
  where: Where,
  { chart, caption }: { chart: UsageChart; caption: string },
): Promise<void> =>
  enqueue(
    tx,
    bus,
    where.chatId,
    'sendPhoto',
    { ...place(where), caption, parse_mode: 'HTML', disable_notification: true, chart },
    null,
  )

export type NewCard = {
  kind: 'run' | 'approval' | 'outcome' | 'milestone' | 'machines'
  runId: string | null
  approvalId?: string
  milestone?: string
  silent: boolean
  key: string
  /** The first card of its run: there is none above it. */
  first?: boolean
}

/**
 * Puts a live card into the outbox: a message whose text is rendered from the ledger when it is sent, and edited
 * whenever that changes. `key`: the same card is made once. Returns whether it was made now; of another chat's run none
 * is made in a group.
 */
export async function sayCard(tx: Tx, bus: Bus, where: Where, card: NewCard): Promise<boolean> {
  if (!(await mayShow(tx, where, card.runId))) return false
  const id = randomUUID()
  const payload = {
    ...place(where),
    parse_mode: 'HTML',
    link_preview_options: { is_disabled: true },
    disable_notification: card.silent,
  }
  const fresh = await tx.query(
    `INSERT INTO delivery (key, chat_id, method, payload, card_id) VALUES ($1, $2, 'sendMessage', $3, $4) ON CONFLICT (key) DO NOTHING RETURNING id`,
    [card.key, where.chatId, jsonText(payload), id],
  )
  if (fresh.length === 0) return false
  await tx.query(
    'INSERT INTO card (id, kind, run_id, approval_id, milestone, chat_id, topic_id, reply_to, silent) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)',
    [
      id,
      card.kind,
      card.runId,
      card.approvalId ?? null,
      card.milestone ?? null,
      where.chatId,
      where.topicId,
      where.replyTo ?? null,
      card.silent,
    ],
  )
  if (card.kind === 'run' && !card.first) await continueBelow(tx, bus, card.runId, where.chatId, id)
  tx.afterCommit(() => bus.publish('deliver', {}))
  return true
}

/** The live card of a run is always its lowest message: an earlier one of the chat says where it went on. */
async function continueBelow(
  tx: Tx,
  bus: Bus,
  runId: string | null,
  chatId: number,
  newest: string,
): Promise<void> {
  const rows = await tx.query(
    "UPDATE card SET state = 'continued' WHERE kind = 'run' AND run_id = $1 AND chat_id = $2 AND id <> $3 AND state = 'live' RETURNING id",
    [runId, chatId, newest],
  )
  if (rows.length > 0 && runId) tx.afterCommit(() => bus.publish('run.changed', { runId }))
}
