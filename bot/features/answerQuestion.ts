import { isRunEnd } from '../../core/events/states.ts'
import { canPlanFix } from '../../core/planning/canPlanFix.ts'
import { findShown, isGroup, noSuchRun } from '../../core/runs/shownIn.ts'
import { type RunView, readLogTail, viewRun } from '../../core/runs/viewRun.ts'
import { estimate, pastTimes } from '../../core/talk/howLong.ts'
import type { Topic } from '../../core/talk/questions.ts'
import { askedAbout, isAt, type TalkRun, talkRuns } from '../../core/talk/runsMeant.ts'
import type { Target } from '../../core/talk/target.ts'
import type { BotContext } from '../context.ts'
import { repliedRun } from '../pickRun.ts'
import type { AnswerContext } from '../render/answerParts.ts'
import { progressLine } from '../render/answerProgress.ts'
import { renderAnswer } from '../render/answers.ts'
import { reply } from '../reply.ts'
import { asker } from '../startRun.ts'
import type { BotDeps } from '../turn.ts'
import { postCard } from './look.ts'

/** Pieces of log that an answer about output or failure looks at. */
const TAIL_CHUNKS = 60
/** With more runs than this only the newest are told of. */
const MOST_TOLD = 5
const needTail: ReadonlySet<Topic> = new Set(['doing', 'result', 'failed', 'why', 'output'])

/**
 * Answers a question about work from the ledger; nothing is disturbed by it. The run: the one replied to, numbered, or
 * at the place named; else what is under way, else what ended last. False when the words name a place where nothing
 * is: they were no question about work then.
 */
export async function answerQuestion(
  deps: BotDeps,
  ctx: BotContext,
  { about, target }: { about: Topic; target: Target },
): Promise<boolean> {
  const meant = await runsMeant(ctx, target)
  if (meant === 'elsewhere') return false
  const [first] = meant
  if (!first) {
    await reply(deps, ctx.turn, nothingThere(target, asker(ctx.turn)))
    return true
  }
  const active = meant.filter((run) => !isRunEnd(run.status))
  if (about === 'progress' && meant.length === 1 && active.length === 1) await postCard(deps, ctx, first.id)
  else await tell(deps, ctx, about, meant)
  return true
}

const nothingThere = ({ number }: Target, at: { chatId: number }): string => {
  if (number !== null) return noSuchRun(number, at)
  return `Nothing ${isGroup(at) ? 'of this chat' : 'of yours'} is running, and nothing was today. /runs lists what was.`
}

async function runsMeant(
  ctx: BotContext,
  target: Target,
): Promise<Pick<TalkRun, 'id' | 'status'>[] | 'elsewhere'> {
  const { tx, chat } = ctx.turn
  const named = target.number === null ? await repliedRun(ctx) : await findShown(tx, target.number, chat.id)
  if (named) return tx.query<TalkRun>('SELECT id, status FROM run WHERE id = $1', [named])
  if (target.number !== null) return []
  const runs = await talkRuns(tx, asker(ctx.turn))
  if (target.place.length === 0) return askedAbout(runs, asker(ctx.turn))
  const there = runs.filter((run) => isAt(run, target.place))
  return there.length > 0 ? askedAbout(there, asker(ctx.turn)) : 'elsewhere'
}

/** One answer for each run under way; what is asked of one alone is told of the newest. */
async function tell(
  deps: BotDeps,
  ctx: BotContext,
  about: Topic,
  runs: readonly Pick<TalkRun, 'id'>[],
): Promise<void> {
  const { tx } = ctx.turn
  const views = (await Promise.all(runs.slice(0, MOST_TOLD).map((run) => viewRun(tx, run.id)))).flatMap(
    (v) => v ?? [],
  )
  const now = deps.clock.now()
  if (about === 'progress') {
    const none = views.every((view) => isRunEnd(view.status))
      ? [`Nothing ${isGroup(asker(ctx.turn)) ? 'of this chat' : 'of yours'} is running. The last was:`]
      : []
    return reply(deps, ctx.turn, [...none, ...views.map((view) => progressLine(view, now))].join('\n'))
  }
  const answers = await Promise.all(
    views.map(async (v) => renderAnswer(about, v, await contextFor(deps, ctx, about, v))),
  )
  const buttons = answers.flatMap((answer) => answer.buttons)
  await reply(
    deps,
    ctx.turn,
    answers.map((answer) => answer.html).join('\n\n'),
    buttons.length > 0 ? { buttons } : {},
  )
}

async function contextFor(
  deps: BotDeps,
  ctx: BotContext,
  about: Topic,
  run: RunView,
): Promise<AnswerContext> {
  const { tx } = ctx.turn
  const now = deps.clock.now()
  return {
    now,
    tail: needTail.has(about) ? await readLogTail(tx, run.id, TAIL_CHUNKS) : [],
    estimate: about === 'eta' ? estimate(run, await pastTimes(tx, run), now) : { from: 'nothing' },
    canFix: about === 'next' && canPlanFix(deps.playbooks, deps.model, run),
  }
}
