import { Composer } from 'grammy'
import { cancelRun, pauseRun, resumeRun } from '../../core/runs/cancelRun.ts'
import { activeRuns } from '../../core/runs/listRuns.ts'
import { retryTask } from '../../core/runs/retryTask.ts'
import type { BotContext } from '../context.ts'
import { leaveQuestion } from '../conversations/leave.ts'
import { sayCard } from '../delivery/say.ts'
import { refusalOf } from '../middleware/permitted.ts'
import { pickRun } from '../pickRun.ts'
import { here, reply } from '../reply.ts'
import type { BotDeps, Turn } from '../turn.ts'
import { postCard } from './look.ts'

/** Said when stopping also left out parts of a text that had not come to an end. */
export const LEFT_OUT = 'Left out what you were writing: nothing of it was started.'

/** /cancel, /pause, /resume, /retry. */
export function steer(deps: BotDeps): Composer<BotContext> {
  const composer = new Composer<BotContext>()
  composer.command('cancel', async (ctx) => {
    const left = await leaveQuestion(ctx)
    if (ctx.turn.heard.dropped) {
      await reply(deps, ctx.turn, LEFT_OUT)
      const all =
        /\d/.test(String(ctx.match)) || (await activeRuns(ctx.turn.tx, ctx.turn.person.id, ctx.turn.chat.id))
      if (all !== true && all.length === 0) return
    }
    const runId = left && !/\d/.test(String(ctx.match)) ? null : await pickRun(deps, ctx, 'cancel', 'active')
    if (left && !runId) return reply(deps, ctx.turn, 'Left the question. Nothing was started.')
    if (runId) await cancelAndShow(deps, ctx, runId)
  })
  for (const name of ['pause', 'resume'] as const) {
    composer.command(name, async (ctx) => {
      const runId = await pickRun(deps, ctx, name, 'active')
      if (runId) await reply(deps, ctx.turn, await pauseOrResume(deps, ctx.turn, runId, name))
    })
  }
  composer.command('retry', async (ctx) => {
    const runId = await pickRun(deps, ctx, 'card', 'any')
    if (runId) await reply(deps, ctx.turn, await retry(deps, ctx.turn, runId, null))
  })
  return composer
}

type Row = { number: number }
const runRow = async (turn: Turn, runId: string): Promise<Row | undefined> =>
  (await turn.tx.query<Row>('SELECT number FROM run WHERE id = $1', [runId]))[0]

/** Cancels and says, in one line, what became of it. */
export async function cancel(deps: BotDeps, turn: Turn, runId: string): Promise<string> {
  const run = await runRow(turn, runId)
  if (!run) return 'There is no such run any more.'
  const refusal = await refusalOf(turn, '/cancel', runId)
  if (refusal) return refusal
  const done = await cancelRun(deps, turn.tx, runId, turn.person.id)
  if (done.kind === 'cancelling') return `⏹ Cancelling #${run.number}…`
  if (done.kind === 'cancelled') return `⏹ #${run.number} is cancelled; nothing of it was running.`
  return done.kind === 'already'
    ? `#${run.number} has ended already: ${done.status.replaceAll('_', ' ')}.`
    : 'There is no such run any more.'
}

/** Cancels and says so; while it is being cancelled the run's card goes below, where it tells how it ends. */
export async function cancelAndShow(deps: BotDeps, ctx: BotContext, runId: string): Promise<void> {
  await reply(deps, ctx.turn, await cancel(deps, ctx.turn, runId))
  const [run] = await ctx.turn.tx.query<{ status: string }>('SELECT status FROM run WHERE id = $1', [runId])
  if (run?.status === 'cancelling') await postCard(deps, ctx, runId)
}

export async function pauseOrResume(
  deps: BotDeps,
  turn: Turn,
  runId: string,
  what: 'pause' | 'resume',
): Promise<string> {
  const run = await runRow(turn, runId)
  if (!run) return 'There is no such run any more.'
  const refusal = await refusalOf(turn, `/${what}`, runId)
  if (refusal) return refusal
  const done =
    what === 'pause'
      ? await pauseRun(deps, turn.tx, runId, turn.person.id)
      : await resumeRun(deps, turn.tx, runId, turn.person.id)
  if (!done) return `#${run.number} is not ${what === 'pause' ? 'running' : 'paused'}.`
  return what === 'pause'
    ? `⏸ #${run.number} is paused: what runs goes on to its end, nothing new starts.`
    : `▶️ #${run.number} goes on.`
}

export async function retry(
  deps: BotDeps,
  turn: Turn,
  runId: string,
  taskId: string | null,
): Promise<string> {
  const run = await runRow(turn, runId)
  if (!run) return 'There is no such run any more.'
  const refusal = await refusalOf(turn, '/retry', runId)
  if (refusal) return refusal
  const keys = await retryTask(deps, turn.tx, runId, taskId, turn.person.id)
  if (keys.length > 0) {
    const key = `card:${runId}:retry:u${turn.update.update_id}`
    await sayCard(turn.tx, deps.bus, here(turn, false), { kind: 'run', runId, silent: true, key })
  }
  return keys.length > 0
    ? `🔁 #${run.number}: step ${keys.join(', ')} runs again.`
    : `#${run.number} has no failed step to retry, or its machine was revoked.`
}
