import { isRunEnd, type RunStatus } from '../../core/events/states.ts'
import { findShown, noSuchRun } from '../../core/runs/shownIn.ts'
import { isAt, type TalkRun, talkRuns } from '../../core/talk/runsMeant.ts'
import type { Steer } from '../../core/talk/steering.ts'
import type { Target } from '../../core/talk/target.ts'
import type { BotContext } from '../context.ts'
import { leaveQuestion } from '../conversations/leave.ts'
import { sayCard } from '../delivery/say.ts'
import { nothingRuns, repliedRun, runButtons } from '../pickRun.ts'
import { here, reply } from '../reply.ts'
import { asker } from '../startRun.ts'
import type { BotDeps } from '../turn.ts'
import { approveByCode, waiting } from './approvals.ts'
import { postCard } from './look.ts'
import { cancel, cancelAndShow, LEFT_OUT, pauseOrResume, retry } from './steer.ts'
import { again } from './taps.ts'

type Words = { what: Steer; target: Target; code: string | null }
type Meant = Pick<TalkRun, 'id' | 'number' | 'status' | 'summary'>
type Found = { named: boolean; runs: Meant[] }

/** Which of a person's runs each word can be about. */
const fits: Record<Exclude<Steer, 'approve' | 'deny'>, readonly RunStatus[]> = {
  stop: ['planning', 'awaiting_approval', 'running', 'paused'],
  keep: ['planning', 'awaiting_approval', 'running', 'paused'],
  pause: ['running'],
  resume: ['paused'],
  retry: ['failed', 'succeeded', 'cancelled', 'force_cancelled', 'denied', 'expired', 'refused'],
}

/**
 * Does what somebody said of a run in words, by the functions and for the roles of the commands. One run fits: that
 * one. Several: a picker, but "everything" is everything. False when a place is named where none is: then it was no
 * word about a run.
 */
export async function steerByWords(deps: BotDeps, ctx: BotContext, words: Words): Promise<boolean> {
  const { what, target } = words
  if (what === 'approve' || what === 'deny') return decideByWords(deps, ctx, { ...words, what })
  const runs = await talkRuns(ctx.turn.tx, asker(ctx.turn))
  const there = runs.filter((run) => run.own && isAt(run, target.place))
  if (target.place.length > 0 && there.length === 0) return false
  // A stop word also leaves what the bot asks at the moment, as /cancel does.
  const left = what === 'stop' && (await leaveQuestion(ctx))
  if (ctx.turn.heard.dropped) await reply(deps, ctx.turn, LEFT_OUT)
  const found = await runsFor(ctx, words, there)
  if (found.runs.length > 0) await carryOut(deps, ctx, { ...words, what }, found)
  else if (left) await reply(deps, ctx.turn, 'Left the question. Nothing was started.')
  else if (!ctx.turn.heard.dropped) await nothingFits(deps, ctx, { ...words, what }, there)
  return true
}

async function runsFor(ctx: BotContext, { what, target }: Words, own: TalkRun[]): Promise<Found> {
  const named =
    target.number === null
      ? await repliedRun(ctx)
      : await findShown(ctx.turn.tx, target.number, ctx.turn.chat.id)
  if (named) {
    const runs = await ctx.turn.tx.query<Meant>(
      'SELECT id, number, status, coalesce(summary, request) AS summary FROM run WHERE id = $1',
      [named],
    )
    return { named: true, runs }
  }
  if (target.number !== null) return { named: true, runs: [] }
  const statuses: readonly RunStatus[] = what === 'approve' || what === 'deny' ? [] : fits[what]
  const fitting = own.filter((run) => statuses.includes(run.status))
  // What is tried again is what ended last, unless something has begun since.
  if (what === 'retry')
    return { named: false, runs: own.slice(0, 1).filter((run) => statuses.includes(run.status)) }
  return { named: false, runs: fitting }
}

type RunWords = Words & { what: keyof typeof fits }

async function carryOut(deps: BotDeps, ctx: BotContext, words: RunWords, { runs }: Found): Promise<void> {
  const { what, target } = words
  const [first] = runs
  if (!first) return
  if (what === 'keep')
    return reply(
      deps,
      ctx.turn,
      `Nothing was stopped: ${numbers(runs)} ${runs.length > 1 ? 'go' : 'goes'} on as before.`,
    )
  if (runs.length > 1 && !target.all) return pick(deps, ctx, what, runs)
  if (what === 'retry') return tryAgain(deps, ctx, first, target.step)
  if (runs.length === 1 && what === 'stop') return cancelAndShow(deps, ctx, first.id)
  const lines: string[] = []
  for (const run of runs)
    lines.push(
      what === 'stop'
        ? await cancel(deps, ctx.turn, run.id)
        : await pauseOrResume(deps, ctx.turn, run.id, what),
    )
  await reply(deps, ctx.turn, lines.join('\n'))
  const asks = what === 'resume' && runs.find((run) => run.status === 'awaiting_approval')
  if (asks) await showApprovals(deps, ctx, asks.id)
}

const numbers = (runs: readonly Meant[]): string => runs.map((run) => `#${run.number}`).join(', ')

const pick = (
  deps: BotDeps,
  ctx: BotContext,
  what: 'stop' | 'pause' | 'resume' | 'retry',
  runs: readonly Meant[],
) =>
  reply(deps, ctx.turn, 'Which one?', {
    buttons: runButtons(runs, what === 'stop' ? 'cancel' : what === 'retry' ? 'card' : what),
    silent: false,
  })

/** A failed run: its failed steps once more. One that ended otherwise: the same request anew. */
async function tryAgain(deps: BotDeps, ctx: BotContext, run: Meant, step: string | null): Promise<void> {
  const { turn } = ctx
  if (!isRunEnd(run.status)) return reply(deps, turn, `#${run.number} has not ended yet. “stop” stops it.`)
  const failed = await turn.tx.query<{ id: string; key: string }>(
    "SELECT id, key FROM task WHERE run_id = $1 AND status IN ('failed', 'failed_timeout') ORDER BY position",
    [run.id],
  )
  if (run.status !== 'failed' || failed.length === 0) return again(deps, ctx, run.id)
  const task = step === null ? undefined : failed.find(({ key }) => key === step)
  if (step !== null && !task) return reply(deps, turn, `Step ${step} of #${run.number} has not failed.`)
  await reply(deps, turn, await retry(deps, turn, run.id, task?.id ?? null))
}

async function nothingFits(
  deps: BotDeps,
  ctx: BotContext,
  words: RunWords,
  own: readonly TalkRun[],
): Promise<void> {
  const { number } = words.target
  if (number !== null) return reply(deps, ctx.turn, noSuchRun(number, asker(ctx.turn)))
  const active = own.find((run) => !isRunEnd(run.status))
  if (words.what === 'resume' && active) return goOn(deps, ctx, active)
  if (words.what === 'resume' && own[0]?.status === 'failed') return postCard(deps, ctx, own[0].id)
  if (words.what === 'pause' && active)
    return reply(
      deps,
      ctx.turn,
      `#${active.number} is ${active.status.replaceAll('_', ' ')}: there is nothing to pause.`,
    )
  if (words.what === 'retry' && active)
    return reply(deps, ctx.turn, `#${active.number} has not ended yet. “stop” stops it.`)
  await reply(
    deps,
    ctx.turn,
    words.what === 'retry' ? 'There is nothing to try again. /runs lists what was.' : nothingRuns(ctx.turn),
  )
}

/** "go on" where nothing is paused: what it waits for, with the buttons that end the waiting. */
async function goOn(deps: BotDeps, ctx: BotContext, run: TalkRun): Promise<void> {
  if (await showApprovals(deps, ctx, run.id)) return
  const word = run.status === 'running' ? 'is at work already' : `is ${run.status.replaceAll('_', ' ')}`
  await reply(deps, ctx.turn, `#${run.number} ${word}.`)
  await postCard(deps, ctx, run.id)
}

/** The cards of what a run asks, below. Whether there was any. */
async function showApprovals(deps: BotDeps, ctx: BotContext, runId: string | null): Promise<boolean> {
  const { tx, chat } = ctx.turn
  const pending = await tx.query<{ id: string; run_id: string }>(
    `SELECT a.id, a.run_id FROM approval a JOIN run r ON r.id = a.run_id
     WHERE a.status = 'pending' AND ($1::uuid IS NULL OR a.run_id = $1) AND ($1::uuid IS NOT NULL OR r.chat_id = $2)
     ORDER BY a.created_at DESC LIMIT 4`,
    [runId, chat.id],
  )
  if (pending.length === 0 || (runId === null && pending.length > 3)) return false
  for (const approval of pending)
    await sayCard(tx, deps.bus, here(ctx.turn, false), {
      kind: 'approval',
      runId: approval.run_id,
      approvalId: approval.id,
      silent: true,
      key: `approval:${approval.id}:u${ctx.update.update_id}`,
    })
  return true
}

/**
 * Words decide nothing that is not named by its code: they bring the card, whose buttons show what is decided. A code
 * counts as it does in the command.
 */
async function decideByWords(
  deps: BotDeps,
  ctx: BotContext,
  { what, target, code }: Words & { what: 'approve' | 'deny' },
): Promise<boolean> {
  const { turn } = ctx
  if (code !== null) {
    await reply(deps, turn, await approveByCode(deps, turn, what, code, false))
    return true
  }
  const named =
    target.number === null ? await repliedRun(ctx) : await findShown(turn.tx, target.number, turn.chat.id)
  if (target.number !== null && !named) await reply(deps, turn, noSuchRun(target.number, asker(turn)))
  else if (!(await showApprovals(deps, ctx, named))) await reply(deps, turn, await waiting(turn, what, ''))
  return true
}

/** "yes" and "no" by themselves: what waits for an answer comes with its buttons. False when nothing does. */
export const answerYesOrNo = async (deps: BotDeps, ctx: BotContext): Promise<boolean> =>
  showApprovals(deps, ctx, await repliedRun(ctx))
