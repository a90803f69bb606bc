import { assertNever } from '../../core/assertNever.ts'
import { isRunEnd } from '../../core/events/states.ts'
import type { RunView } from '../../core/runs/viewRun.ts'
import type { Topic } from '../../core/talk/questions.ts'
import { howLong, nextLines, waits } from './answerNext.ts'
import { type AnswerContext, headOf, lastLines } from './answerParts.ts'
import { doing, progressLine, result, whatFailed } from './answerProgress.ts'
import { approvers, askers, planLines, whys } from './answerWhy.ts'
import type { Buttons } from './buttons.ts'
import { clip, escapeHtml } from './html.ts'
import { isFailed } from './outcomeCard.ts'
import { unmask } from './unmask.ts'
import { changedNames, costLine, placeCode, runPlace } from './words.ts'

export type Answered = { html: string; buttons: Buttons }

/** The answer to a question about one run, in a few lines, from what the ledger knows. Pure. */
export function renderAnswer(about: Topic, run: RunView, context: AnswerContext): Answered {
  const lines = linesFor(about, run, context).filter((line) => line !== '')
  return {
    html: lines.join('\n'),
    buttons: about === 'next' ? nextButtons(run, context) : memoryButtons(about, run),
  }
}

/** Why a plan is as it is has to do with what was remembered when it was made. */
const memoryButtons = (about: Topic, { id, source }: RunView): Buttons =>
  (about === 'why' || about === 'plan') && source?.kind === 'model' && (source.memories?.length ?? 0) > 0
    ? [[{ text: 'Memories it was made with', action: { do: 'memories_of', runId: id } }]]
    : []

function linesFor(about: Topic, run: RunView, context: AnswerContext): string[] {
  switch (about) {
    case 'progress':
      return [progressLine(run, context.now)]
    case 'doing':
      return [headOf(run), ...doing(run, context)]
    case 'result':
      return [headOf(run), ...result(run, context)]
    case 'failed':
      return [headOf(run), ...whatFailed(run, context)]
    case 'why':
      return [headOf(run), ...whys(run, context)]
    case 'plan':
      return [headOf(run), ...planLines(run)]
    case 'eta':
      return [headOf(run), howLong(run, context)]
    case 'changed':
      return [headOf(run), ...whatChanged(run)]
    case 'approver':
      return [headOf(run), ...approvers(run)]
    case 'asker':
      return [headOf(run), ...askers(run)]
    case 'next':
      return [headOf(run), ...nextLines(run)]
    case 'waiting':
      return [headOf(run), ...waits(run)]
    case 'where':
      return [headOf(run), whereLine(run)]
    case 'output':
      return [headOf(run), lastLines(context.tail, 6) || 'It has printed nothing so far.']
    case 'cost':
      return [headOf(run), escapeHtml(costLine(run))]
    default:
      return assertNever(about)
  }
}

function whatChanged(run: RunView): string[] {
  const named = [...new Set(run.tasks.map(changedNames).filter(Boolean))]
  const free = run.tasks.some(
    (task) => ['shell', 'script', 'run_tests'].includes(task.action) && task.startedAt !== null,
  )
  return [
    named.length > 0
      ? `Changed: ${escapeHtml(clip(unmask(named.join(', ')), 300))}`
      : 'No file by a step of its own.',
    ...(free ? ['What its commands changed, “What changed?” shows from the repository.'] : []),
  ]
}

function nextButtons(run: RunView, { canFix }: AnswerContext): Buttons {
  const failed = run.tasks.find(isFailed)
  if (run.status !== 'failed' || !failed) return []
  return [
    [
      {
        text: `Retry step ${failed.key}`,
        style: 'primary',
        action: { do: 'retry', runId: run.id, taskId: failed.id },
      },
      ...(canFix ? [{ text: 'Plan a fix', action: { do: 'say' as const, text: 'Plan a fix' } }] : []),
    ],
  ]
}

const whereLine = (run: RunView): string => {
  const task = run.tasks[0]
  const away = task && !task.connected && !isRunEnd(run.status) ? ' · offline now' : ''
  return `${placeCode(runPlace(run))}${away}`
}
