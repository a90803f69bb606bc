import { approversFor } from '../../core/approvals/approversFor.ts'
import type { LedgerEvent } from '../../core/events/readEvents.ts'
import { readPlanFiles } from '../../core/planning/planFiles.ts'
import type { RunView } from '../../core/runs/viewRun.ts'
import type { Tx } from '../../core/storage/sql.ts'
import { say, sayCard, sayDocument, type Where } from '../delivery/say.ts'
import { needsDocument } from '../render/approvalCard.ts'
import { clip, escapeHtml } from '../render/html.ts'
import { planText } from '../render/planText.ts'
import { unmask } from '../render/unmask.ts'
import { oneLine } from '../render/words.ts'
import type { BotDeps } from '../turn.ts'

/**
 * Asks about an approval, or reminds of it: in the chat of its run, and in private whom else it may be answered by
 * (core/approvals/approversFor.ts). Each chat is asked once and reminded once; one that was not asked when it arose is
 * asked with the reminder.
 */
export async function askPeople(deps: BotDeps, tx: Tx, run: RunView, event: LedgerEvent): Promise<void> {
  const approval = run.approvals.find((a) => a.id === event.approval_id)
  if (!approval) return
  const isReminder = event.type === 'approval.reminder'
  if (isReminder && approval.status !== 'pending') return
  const home: Where[] = run.chatId ? [{ chatId: run.chatId, topicId: run.topicId }] : []
  const copies = (await approversFor(tx, deps.settings, approval.id)).map((chatId) => ({
    chatId,
    topicId: 0,
  }))
  for (const where of [...home, ...copies]) {
    if (isReminder && (await wasAsked(tx, approval.id, where.chatId)))
      await remind(deps, tx, run, approval, where)
    else await ask(deps, tx, run, approval, where)
  }
}

type Approval = RunView['approvals'][number]

const wasAsked = async (tx: Tx, approvalId: string, chatId: number): Promise<boolean> =>
  (await tx.query('SELECT 1 FROM card WHERE approval_id = $1 AND chat_id = $2 LIMIT 1', [approvalId, chatId]))
    .length > 0

const remind = (deps: BotDeps, tx: Tx, run: RunView, { id, code }: Approval, where: Where): Promise<void> =>
  say(
    tx,
    deps.bus,
    where,
    `⏰ <b>${code}</b> still waits for an answer (run #${run.number}, ${escapeHtml(clip(unmask(oneLine(run.summary ?? run.request)), 80))}).`,
    { silent: false, key: `remind:${id}:${where.chatId}` },
  )

/** The question comes with sound; what does not fit on the card goes before it as a document. */
async function ask(deps: BotDeps, tx: Tx, run: RunView, approval: Approval, where: Where): Promise<void> {
  if (needsDocument(run))
    await sayDocument(
      tx,
      deps.bus,
      where,
      { name: `plan-${approval.code}.txt`, text: planText(run, approval, await readPlanFiles(tx, run.id)) },
      `plan:${approval.id}:${where.chatId}`,
    )
  await sayCard(tx, deps.bus, where, {
    kind: 'approval',
    runId: run.id,
    approvalId: approval.id,
    silent: false,
    key: `approval:${approval.id}:${where.chatId}`,
  })
}
