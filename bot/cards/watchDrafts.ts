import type { Api } from 'grammy'
import { tellFault } from '../../core/storage/tellFault.ts'
import { callTelegram } from '../delivery/callTelegram.ts'
import type { DeliveryLoop } from '../delivery/runDelivery.ts'
import type { BotDeps } from '../turn.ts'

/** A preview is changed at most this often in one chat. */
const GAP_MS = 700
/** A newer draft of the same chat keeps an older one from flickering through for so long. */
const HOLDS_MS = 20_000
/** A draft is told anew every 12 s while a model writes: one that was not for so long has lost its planner. */
const STALE_MS = 30_000
const SWEEP_MS = 5000

type Where = { chatId: number; topicId: number; number: number }
type Place = { where: Promise<Where | null>; toldAt: number }
type Preview = {
  number: number
  at: number
  text: string | null
  timer: NodeJS.Timeout | null
  notBefore: number
}

/** What a run's card shows of a draft, where no preview can: by run. */
export type Drafts = Map<string, string>

/**
 * Shows what a model writes while it plans: in a private chat as Telegram's preview with a button that stops it, of which
 * the newest request's counts; elsewhere, or where Telegram takes none, on the run's card. Nothing of it is kept: a preview
 * that is not sent is made good by the next one, and a draft of which nothing more is heard goes. Returns what stops it.
 */
export function watchDrafts(
  deps: BotDeps & { drafts: Drafts },
  api: Api,
  delivery: Pick<DeliveryLoop, 'markCard'>,
): () => void {
  const places = new Map<string, Place>()
  const previews = new Map<number, Preview>()
  const without = new Set<number>()
  let stopped = false

  const placeOf = (runId: string): Promise<Where | null> => {
    const where = places.get(runId)?.where ?? readPlace(deps, runId)
    places.set(runId, { where, toldAt: Date.now() })
    return where
  }
  const showOnCard = async (runId: string, text: string, chatId: number): Promise<void> => {
    if (text === '') deps.drafts.delete(runId)
    else deps.drafts.set(runId, text)
    const cards = await deps.db.query<{ id: string }>(
      "SELECT id FROM card WHERE run_id = $1 AND kind = 'run' AND state = 'live' AND message_id IS NOT NULL",
      [runId],
    )
    for (const { id } of cards) delivery.markCard(chatId, id, { force: false, last: false })
  }
  const send = async (where: Where, preview: Preview): Promise<void> => {
    preview.timer = null
    const { text } = preview
    if (stopped || text === null) return
    preview.text = null
    preview.notBefore = Date.now() + GAP_MS
    const called = await callTelegram(api, 'sendMessageDraft', {
      chat_id: where.chatId,
      ...(where.topicId > 0 ? { message_thread_id: where.topicId } : {}),
      draft_id: where.number,
      text,
      can_stop: true,
    })
    if (called.kind === 'again') preview.notBefore = Date.now() + (called.ms ?? 5000)
    else if (called.kind !== 'ok') without.add(where.chatId)
  }
  const preview = (where: Where, text: string): void => {
    const before = previews.get(where.chatId)
    const now = Date.now()
    if (before && before.number > where.number && now - before.at < HOLDS_MS) return
    const mine = before ?? { number: 0, at: 0, text: null, timer: null, notBefore: 0 }
    Object.assign(mine, { number: where.number, at: now, text })
    previews.set(where.chatId, mine)
    mine.timer ??= setTimeout(
      () => {
        send(where, mine).catch((error) => tellFault(deps.log, 'drafts', error))
      },
      Math.max(0, mine.notBefore - now),
    )
  }
  const hear = async (runId: string, text: string, over: boolean): Promise<void> => {
    const where = await placeOf(runId)
    if (over) places.delete(runId)
    if (!where) return
    if (where.chatId < 0 || without.has(where.chatId))
      return showOnCard(runId, over ? '' : text, where.chatId)
    if (over) endPreview(where)
    else preview(where, text)
  }
  /** Nothing of this run is shown any more; what Telegram has told to wait for still counts. */
  const endPreview = ({ chatId, number }: Where): void => {
    const mine = previews.get(chatId)
    if (!mine || mine.number !== number) return
    if (mine.timer) clearTimeout(mine.timer)
    if (mine.notBefore > Date.now()) Object.assign(mine, { number: 0, at: 0, text: null, timer: null })
    else previews.delete(chatId)
  }
  const sweep = setInterval(() => {
    const now = Date.now()
    for (const [runId, { toldAt }] of places)
      if (now - toldAt > STALE_MS)
        hear(runId, '', true).catch((error) => tellFault(deps.log, 'drafts', error))
    for (const [chatId, { text, at, notBefore }] of previews)
      if (text === null && Math.max(at + STALE_MS, notBefore) < now) previews.delete(chatId)
  }, SWEEP_MS)
  const unsubscribe = deps.bus.subscribe('plan.draft', ({ runId, text, over }) => {
    hear(runId, text, over).catch((error) => tellFault(deps.log, 'drafts', error))
  })
  return () => {
    stopped = true
    clearInterval(sweep)
    unsubscribe()
    for (const { timer } of previews.values()) if (timer) clearTimeout(timer)
  }
}

async function readPlace(deps: Pick<BotDeps, 'db'>, runId: string): Promise<Where | null> {
  const [row] = await deps.db.query<{ chat_id: number | null; topic_id: number; number: number }>(
    'SELECT chat_id, topic_id, number FROM run WHERE id = $1',
    [runId],
  )
  return row?.chat_id == null ? null : { chatId: row.chat_id, topicId: row.topic_id, number: row.number }
}
