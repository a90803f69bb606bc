import type { Api } from 'grammy'
import { mayDecideAbout } from '../../core/approvals/approversFor.ts'
import { isRunEnd } from '../../core/events/states.ts'
import { canPlanFix } from '../../core/planning/canPlanFix.ts'
import { readPlanFiles } from '../../core/planning/planFiles.ts'
import { suggestFixes } from '../../core/recovery/suggestFixes.ts'
import { isGroup } from '../../core/runs/shownIn.ts'
import { type RunView, readLogTail, viewRun } from '../../core/runs/viewRun.ts'
import type { Sql } from '../../core/storage/sql.ts'
import { type Called, callTelegram } from '../delivery/callTelegram.ts'
import { storeButtons } from '../delivery/say.ts'
import { renderApproval, renderNotYours } from '../render/approvalCard.ts'
import { keyboard } from '../render/buttons.ts'
import { hasOwnOutcome, renderOutcome } from '../render/outcomeCard.ts'
import { continuedCard, renderRunCard } from '../render/runCard.ts'
import { renderMilestone } from '../render/smallCards.ts'
import type { Shown } from '../render/words.ts'
import type { BotDeps } from '../turn.ts'
import { contentHash, steady } from './contentHash.ts'
import { nextTold } from './tellProgress.ts'

export type CardRow = {
  id: string
  kind: 'run' | 'approval' | 'outcome' | 'milestone'
  run_id: string
  approval_id: string | null
  milestone: string | null
  chat_id: number
  message_id: number | null
  shown: string | null
  state: 'live' | 'continued' | 'settled'
  armed_at: Date | string | null
}

const ELSEWHERE: Shown = { html: 'This goes on in another chat.', buttons: [], settled: true }

/** Pieces of log read for a card: enough for its last lines. */
const TAIL_CHUNKS = 12
const OUTCOME_CHUNKS = 60

/** What a card shows now, from the ledger; null when what it shows is gone. */
export async function renderCard(
  deps: Pick<BotDeps, 'db' | 'clock' | 'playbooks' | 'model' | 'drafts'>,
  card: CardRow,
): Promise<Shown | null> {
  const run = await viewRun(deps.db, card.run_id)
  if (!run) return null
  // Of before groups were told of their own runs alone.
  if (isGroup({ chatId: card.chat_id }) && run.chatId !== card.chat_id) return ELSEWHERE
  if (card.state === 'continued') return continuedCard(run)
  const now = deps.clock.now()
  const canFix = canPlanFix(deps.playbooks, deps.model, run)
  const fixes = suggestFixes(deps.playbooks, failuresOf(run))
  switch (card.kind) {
    case 'run': {
      const outcomeBelow = hasOwnOutcome(run)
      if (!run.tasks.some((task) => task.startedAt))
        return renderRunCard(run, {
          ...{ now, tail: [], outcomeBelow, canFix, fixes },
          draft: deps.drafts?.get(run.id),
        })
      const tail = await readLogTail(deps.db, run.id, isRunEnd(run.status) ? OUTCOME_CHUNKS : TAIL_CHUNKS)
      return renderRunCard(run, { now, tail, outcomeBelow, canFix, fixes })
    }
    case 'outcome':
      return renderOutcome(run, {
        ...{ now, canFix, fixes },
        tail: await readLogTail(deps.db, run.id, OUTCOME_CHUNKS),
      })
    case 'milestone':
      return renderMilestone(run, card.milestone ?? '', await nextTold(deps.db, card.id))
    case 'approval': {
      const approval = run.approvals.find((a) => a.id === card.approval_id)
      if (!approval) return null
      const copy = card.chat_id !== run.chatId
      if (copy && !(await mayDecideAbout(deps.db, card.chat_id, run.id))) return renderNotYours(approval)
      return renderApproval(run, approval, {
        armed: card.armed_at !== null,
        ...(run.change ? { files: await readPlanFiles(deps.db, run.id) } : {}),
        askedIn: copy ? await titleOf(deps.db, run.chatId) : null,
      })
    }
  }
}

/** How a run failed, for suggestions. */
const failuresOf = ({ status, tasks, recoveries }: RunView) => ({
  status,
  failures: recoveries.filter((step) => step.status === 'asked').map(({ failure }) => failure),
  said: tasks
    .filter((task) => task.status.startsWith('failed'))
    .map(({ result }) => result?.summary ?? '')
    .join('\n'),
})

/** The name of a group, for who is asked elsewhere; null for a private chat or none. */
async function titleOf(sql: Sql, chatId: number | null): Promise<string | null> {
  const [row] = await sql.query<{ title: string }>(
    "SELECT title FROM chat WHERE id = $1 AND kind <> 'private'",
    [chatId],
  )
  return row?.title ?? null
}

export type Refreshed = { kind: 'done' } | Extract<Called, { kind: 'again' | 'blocked' | 'moved' }>

/** Brings one card up to date: an edit only when it would change something. `force`: also when
 * nothing but its clock moved; `beforeCall` is told of each call. */
export async function refreshCard(
  deps: BotDeps,
  api: Api,
  cardId: string,
  options: { force: boolean; beforeCall: () => void },
): Promise<Refreshed> {
  const [card] = await deps.db.query<CardRow>(
    "SELECT * FROM card WHERE id = $1 AND state <> 'settled' AND message_id IS NOT NULL",
    [cardId],
  )
  if (!card) return { kind: 'done' }
  const shown = await renderCard(deps, card)
  if (!shown) return { kind: 'done' }
  const hash = contentHash(shown)
  if (hash !== card.shown || options.force) {
    await storeButtons(deps.db, shown.buttons)
    options.beforeCall()
    const called = await callTelegram(api, 'editMessageText', {
      chat_id: card.chat_id,
      message_id: card.message_id,
      text: steady(shown.html),
      parse_mode: 'HTML',
      link_preview_options: { is_disabled: true },
      ...(shown.buttons.length > 0 ? { reply_markup: keyboard(shown.buttons) } : {}),
    })
    if (called.kind === 'again' || called.kind === 'blocked' || called.kind === 'moved') return called
    if (called.kind === 'no') deps.log.warn(`card ${card.id} cannot be edited: ${called.reason}`)
  }
  if (hash === card.shown && !shown.settled) return { kind: 'done' }
  await deps.db.query(
    "UPDATE card SET shown = $2, state = CASE WHEN $3 THEN 'settled' ELSE state END WHERE id = $1 AND (state = $4)",
    [card.id, hash, shown.settled, card.state],
  )
  return { kind: 'done' }
}
