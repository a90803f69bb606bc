import { type Api, InputFile } from 'grammy'
import { messageOf } from '../../core/config/logger.ts'
import { contentHash, steady } from '../cards/contentHash.ts'
import { type CardRow, renderCard } from '../cards/refreshCard.ts'
import { keyboard } from '../render/buttons.ts'
import { drawUsage, type UsageChart } from '../render/usageChart.ts'
import type { BotDeps } from '../turn.ts'
import { type Called, callTelegram, fileOf, type Payload } from './callTelegram.ts'
import { fullLog } from './fullLog.ts'
import { storeButtons } from './say.ts'

/** A row of the outbox. */
export type Delivery = {
  id: number
  chat_id: number | null
  method: string
  payload: Payload
  card_id: string | null
  tries: number
  wait_ms: number
}

/** What became of a send; of a card also what it showed, and whether it is at its end. */
export type Sent = Called & { hash?: string; settled?: boolean }

/** A message whose making fails this often is given up. */
const MAX_TRIES = 3

/**
 * Looked at just before each send: null unless the message is still to be sent and this process (`holder`) still has
 * the bot's lease; else the card it shows, where it is one.
 */
export async function takeUp(
  deps: Pick<BotDeps, 'db'>,
  row: Delivery,
  holder: string | null,
): Promise<{ card: CardRow | null } | null> {
  const [due] = await deps.db.query<{ card: CardRow | null }>(
    `SELECT (SELECT to_jsonb(c) FROM card c WHERE c.id = d.card_id) AS card FROM delivery d WHERE d.id = $1 AND d.status = 'pending'
     AND ($2::text IS NULL OR EXISTS (SELECT 1 FROM lease WHERE name = 'bot' AND holder = $2 AND until > clock_timestamp()))`,
    [row.id, holder],
  )
  return due ?? null
}

/**
 * Makes a message and sends it. One that cannot even be made is given up after a few tries, so that it does not hold
 * up its chat. Throws while the database is away.
 */
export async function sendOne(deps: BotDeps, api: Api, row: Delivery, card: CardRow | null): Promise<Sent> {
  try {
    if (row.method === 'sendDocument') return await callTelegram(api, row.method, await withFile(deps, row))
    if (row.method === 'sendPhoto') return await callTelegram(api, row.method, withChart(row))
    if (!row.card_id) return await callTelegram(api, row.method, row.payload)
    return await sendCard(deps, api, row, card)
  } catch (error) {
    await deps.db.query('SELECT 1')
    row.tries += 1
    const reason = messageOf(error)
    return row.tries < MAX_TRIES ? { kind: 'again', ms: null, reason } : { kind: 'no', reason }
  }
}

async function sendCard(deps: BotDeps, api: Api, row: Delivery, card: CardRow | null): Promise<Sent> {
  const shown = card ? await renderCard(deps, card) : null
  if (!shown) return { kind: 'no', reason: 'there is nothing to show any more' }
  await storeButtons(deps.db, shown.buttons)
  const markup = shown.buttons.length > 0 ? { reply_markup: keyboard(shown.buttons) } : {}
  const called = await callTelegram(api, row.method, { ...row.payload, text: steady(shown.html), ...markup })
  return { ...called, hash: contentHash(shown), settled: shown.settled }
}

function withChart({ payload }: Delivery): Payload {
  const { chart, ...rest } = payload as Payload & { chart: UsageChart }
  return { ...rest, photo: new InputFile(drawUsage(chart), 'usage.png') }
}

async function withFile(deps: Pick<BotDeps, 'db' | 'settings'>, { payload }: Delivery): Promise<Payload> {
  const { file, ...rest } = payload as Payload & { file: { name: string; runId?: string; text?: string } }
  return { ...rest, document: fileOf(file.text ?? (await fullLog(deps, file.runId ?? '')), file.name) }
}
