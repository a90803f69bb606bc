import { activeRuns, type RunLine } from '../core/runs/listRuns.ts'
import { notUnderstood } from '../core/runs/notUnderstood.ts'
import { findRun } from '../core/runs/viewRun.ts'
import type { BotContext } from './context.ts'
import type { Buttons } from './render/buttons.ts'
import { clip } from './render/html.ts'
import { oneLine } from './render/words.ts'
import { reply } from './reply.ts'
import type { BotDeps } from './turn.ts'

/**
 * The run a command means: `#12` in its text, the run of the message it replies to, or the only active one of the
 * person. Otherwise answers (nothing to choose, or a picker whose buttons do it) and returns null.
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
    const id = Number(number) < 2 ** 31 ? await findRun(turn.tx, Number(number)) : null
    if (!id) await reply(deps, turn, `There is no run #${number}. /runs lists them.`)
    return id
  }
  const replied = await repliedRun(ctx)
  if (replied) return replied
  const active = await activeRuns(turn.tx, turn.person.id)
  if (active.length === 1 && active[0]) return active[0].id
  if (active.length === 0 && scope === 'any') return newestOf(ctx, button === 'logs')
  if (active.length === 0) await reply(deps, turn, 'Nothing of yours is running.')
  else await reply(deps, turn, 'Which one?', { buttons: runButtons(active, button) })
  return null
}

export const runButtons = (
  runs: readonly Pick<RunLine, 'id' | 'number' | 'summary'>[],
  button: 'cancel' | 'pause' | 'resume' | 'logs' | 'card',
): Buttons =>
  runs
    .slice(0, 8)
    .map((run) => [
      { text: `#${run.number} ${clip(oneLine(run.summary), 40)}`, action: { do: button, runId: run.id } },
    ])

/** Replying to a message of a run means that run. */
export async function repliedRun(ctx: BotContext): Promise<string | null> {
  const messageId = ctx.message?.reply_to_message?.message_id
  if (!messageId) return null
  const [row] = await ctx.turn.tx.query<{ run_id: string }>(
    `SELECT run_id FROM card WHERE chat_id = $1 AND message_id = $2 AND run_id IS NOT NULL
     UNION SELECT id FROM run WHERE chat_id = $1 AND message_id = $2 LIMIT 1`,
    [ctx.turn.chat.id, messageId],
  )
  return row?.run_id ?? null
}

/** The person's newest run; the newest that has begun, where it is about what was printed. */
async function newestOf(ctx: BotContext, begun: boolean): Promise<string | null> {
  const [row] = await ctx.turn.tx.query<{ id: string }>(
    `SELECT id FROM run r WHERE person_id = $1 AND number > 0 AND NOT ${notUnderstood}
     ORDER BY $2 AND NOT EXISTS (SELECT 1 FROM task t WHERE t.run_id = r.id AND t.started_at IS NOT NULL), number DESC LIMIT 1`,
    [ctx.turn.person.id, begun],
  )
  return row?.id ?? null
}
