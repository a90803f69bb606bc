import { activeRuns, type RunLine } from '../core/runs/listRuns.ts'
import { notUnderstood } from '../core/runs/notUnderstood.ts'
import { findShown, isGroup, noSuchRun, shownIn } from '../core/runs/shownIn.ts'
import type { BotContext } from './context.ts'
import type { Buttons } from './render/buttons.ts'
import { clip } from './render/html.ts'
import { oneLine } from './render/words.ts'
import { reply } from './reply.ts'
import type { BotDeps, Turn } from './turn.ts'

/**
 * The run a command means: `#12` in its text, the run of the message it replies to, or the only active one of the
 * person; in a group of that group's alone. Otherwise answers (nothing to choose, or a picker whose buttons do it) and
 * returns null.
 */
export async function pickRun(
  deps: BotDeps,
  ctx: BotContext,
  button: 'cancel' | 'pause' | 'resume' | 'logs' | 'card',
  scope: 'active' | 'any',
): Promise<string | null> {
  const number = /#?(\d+)/.exec(String(ctx.match ?? ''))?.[1]
  const { turn } = ctx
  if (number) {
    const id = await findShown(turn.tx, Number(number), turn.chat.id)
    if (!id) await reply(deps, turn, noSuchRun(number, { chatId: turn.chat.id }))
    return id
  }
  const replied = await repliedRun(ctx)
  if (replied) return replied
  const active = await activeRuns(turn.tx, turn.person.id, turn.chat.id)
  if (active.length === 1 && active[0]) return active[0].id
  if (active.length === 0 && scope === 'any') return newestOf(ctx, button === 'logs')
  if (active.length === 0) await reply(deps, turn, nothingRuns(turn))
  else await reply(deps, turn, 'Which one?', { buttons: runButtons(active, button) })
  return null
}

/** In a group it is only said of that group. */
export const nothingRuns = ({ chat }: Pick<Turn, 'chat'>): string =>
  `Nothing of yours is running${isGroup({ chatId: chat.id }) ? ' in this chat' : ''}.`

export const runButtons = (
  runs: readonly Pick<RunLine, 'id' | 'number' | 'summary'>[],
  button: 'cancel' | 'pause' | 'resume' | 'logs' | 'card',
): Buttons =>
  runs
    .slice(0, 8)
    .map((run) => [
      { text: `#${run.number} ${clip(oneLine(run.summary), 40)}`, action: { do: button, runId: run.id } },
    ])

/** Replying to a message of a run means that run; in a group not one of another chat, however its message came there. */
export async function repliedRun(ctx: BotContext): Promise<string | null> {
  const messageId = ctx.message?.reply_to_message?.message_id
  if (!messageId) return null
  const [row] = await ctx.turn.tx.query<{ run_id: string }>(
    `SELECT c.run_id FROM card c JOIN run r ON r.id = c.run_id WHERE c.chat_id = $1 AND c.message_id = $2 AND ${shownIn('r', '$1')}
     UNION SELECT id FROM run WHERE chat_id = $1 AND message_id = $2 LIMIT 1`,
    [ctx.turn.chat.id, messageId],
  )
  return row?.run_id ?? null
}

/** The person's newest run; the newest that has begun, where it is about what was printed. */
async function newestOf(ctx: BotContext, begun: boolean): Promise<string | null> {
  const [row] = await ctx.turn.tx.query<{ id: string }>(
    `SELECT id FROM run r WHERE person_id = $1 AND number > 0 AND NOT ${notUnderstood} AND ${shownIn('r', '$3')}
     ORDER BY $2 AND NOT EXISTS (SELECT 1 FROM task t WHERE t.run_id = r.id AND t.started_at IS NOT NULL), number DESC LIMIT 1`,
    [ctx.turn.person.id, begun, ctx.turn.chat.id],
  )
  return row?.id ?? null
}
