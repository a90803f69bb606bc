import { findShown } from '../../core/runs/shownIn.ts'
import { viewRun } from '../../core/runs/viewRun.ts'
import { type Reading, tameAnswer } from '../../core/talk/readByModel.ts'
import { askedAbout, talkRuns } from '../../core/talk/runsMeant.ts'
import type { Said } from '../../core/talk/understand.ts'
import type { BotContext } from '../context.ts'
import { repliedRun } from '../pickRun.ts'
import { progressLine } from '../render/answerProgress.ts'
import type { Button, ButtonAction } from '../render/buttons.ts'
import { escapeHtml } from '../render/html.ts'
import { unmask } from '../render/unmask.ts'
import { reply } from '../reply.ts'
import { asker } from '../startRun.ts'
import { type BotDeps, isForwarded } from '../turn.ts'

/** Longest text that a button can stand for. */
const MAX_BUTTON_TEXT = 1000

/**
 * Answers what a model took for no request. Its words stand above the ledger's own line, tamed; where it thinks that
 * something should be stopped, paused, gone on with, tried again or approved, that is a button and nothing else. False
 * where it has nothing to say: then the rules have the word.
 */
export async function answeredAsRead(
  deps: BotDeps,
  ctx: BotContext,
  read: Reading,
  said: Said,
): Promise<boolean> {
  // What the rules know for a question is one, whatever the model says; it may word the answer.
  if (said.kind === 'question' && read.kind !== 'about_work') return false
  if (read.kind === 'request') return false
  const run = await runRead(ctx, read)
  if (read.kind === 'steer') return suggest(deps, ctx, read, run?.id ?? null)
  const answer = escapeHtml(unmask(tameAnswer(read.answer)))
  if (answer === '' || (read.kind === 'about_work' && !run)) return false
  const line = read.kind === 'about_work' && run ? progressLine(run, deps.clock.now()) : ''
  await reply(deps, ctx.turn, [answer, line].filter((one) => one !== '').join('\n'))
  return true
}

/** The run it is about: the one replied to, the one the model names where it was among those shown, else the newest. */
async function runRead(ctx: BotContext, read: Reading) {
  const { tx } = ctx.turn
  const shown = askedAbout(await talkRuns(tx, asker(ctx.turn)), asker(ctx.turn))
  const named = read.run === null ? null : await findShown(tx, Math.trunc(read.run), ctx.turn.chat.id)
  const id = (await repliedRun(ctx)) ?? shown.find((run) => run.id === named)?.id ?? shown[0]?.id
  return id ? viewRun(tx, id) : null
}

const buttonFor: Record<
  NonNullable<Reading['steer']>,
  { text: string; does: 'cancel' | 'pause' | 'resume' | 'card' }
> = {
  stop: { text: 'Stop', does: 'cancel' },
  pause: { text: 'Pause', does: 'pause' },
  resume: { text: 'Go on with', does: 'resume' },
  retry: { text: 'Show', does: 'card' },
  approve: { text: 'Show', does: 'card' },
}

/** "Did you mean to stop #12?": a tap does it, by the rules of that button; or the text is planned as a request. */
async function suggest(
  deps: BotDeps,
  ctx: BotContext,
  read: Reading,
  runId: string | null,
): Promise<boolean> {
  const text = ctx.message?.text ?? ''
  if (read.steer === null || runId === null || text.length > MAX_BUTTON_TEXT) return false
  const [run] = await ctx.turn.tx.query<{ number: number }>('SELECT number FROM run WHERE id = $1', [runId])
  const { text: verb, does } = buttonFor[read.steer]
  const action: ButtonAction = { do: does, runId }
  const buttons: Button[] = [
    { text: `${verb} #${run?.number}`, action },
    {
      text: 'No, do what it says',
      action: { do: 'say', text, ...(isForwarded(ctx.turn) ? { forwarded: true } : {}) },
    },
  ]
  await reply(deps, ctx.turn, 'I am not sure what you mean. Nothing was done.', {
    buttons: [buttons],
    silent: false,
  })
  return true
}
