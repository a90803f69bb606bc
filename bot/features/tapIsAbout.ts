import { listStanding } from '../../core/approvals/listStanding.ts'
import { readGuide } from '../../core/guides/guide.ts'
import { isGroup, isShownIn } from '../../core/runs/shownIn.ts'
import type { ButtonAction } from '../render/buttons.ts'
import type { Turn } from '../turn.ts'

/** The run that a tap is about; null where it is about none. */
export async function runOf(turn: Turn, action: ButtonAction): Promise<string | null> {
  if ('runId' in action) return action.runId
  if (!('approvalId' in action)) return null
  const [row] = await turn.tx.query<{ run_id: string }>('SELECT run_id FROM approval WHERE id = $1', [
    action.approvalId,
  ])
  return row?.run_id ?? null
}

export const OTHER_CHAT = 'That is of another chat, or gone: ask about it there, or in private.'

/** Whether a tap in a group is about what others there may not see, however its button came there. */
export async function isOfAnotherChat(turn: Turn, action: ButtonAction): Promise<boolean> {
  if (!isGroup({ chatId: turn.chat.id })) return false
  if (action.do === 'review_guide' || action.do === 'remove_guide')
    return (await readGuide(turn.tx, action.kind, action.name, turn.chat.id)) === null
  if (action.do === 'unstand')
    return !(await listStanding(turn.tx, null, turn.chat.id)).some(({ id }) => id === action.standingId)
  const runId = (await runOf(turn, action)) ?? ('instead' in action ? (action.instead ?? null) : null)
  return runId !== null && !(await isShownIn(turn.tx, runId, turn.chat.id))
}
