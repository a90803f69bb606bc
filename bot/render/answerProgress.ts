import { isRunEnd } from '../../core/events/states.ts'
import type { RunView } from '../../core/runs/viewRun.ts'
import { waits } from './answerNext.ts'
import {
  type AnswerContext,
  doneOf,
  ending,
  lastLines,
  spent,
  stepName,
  steps,
  what,
  working,
} from './answerParts.ts'
import { bold, clip, code, escapeHtml, quote } from './html.ts'
import { failureLines, isFailed } from './outcomeCard.ts'
import { recoveringLines, triedLines } from './recoveryLines.ts'
import { unmask } from './unmask.ts'
import { exactAction, firstLine, stateWord, taskTime } from './words.ts'

/** Where a run is, in one line. */
export function progressLine(run: RunView, now: Date): string {
  const { icon, word } = stateWord(run)
  const step = working(run)[0]
  const at = step && run.tasks.length > 1 ? `at ${stepName(step)}` : ''
  const parts = [word, doneOf(run), at, spent(run, now)].filter((part) => part !== '')
  return `${icon} ${bold(`#${run.number}`)} ${what(run, 40)}: ${parts.join(' · ')}`
}

export function doing(run: RunView, { now, tail }: AnswerContext): string[] {
  if (isRunEnd(run.status)) return [`Nothing any more: it ${ending(run)}.`]
  const running = working(run)
  if (running.length === 0) {
    const tried = recoveringLines(run)
    return tried.length > 0 ? tried : waits(run)
  }
  return [
    ...running
      .slice(0, 3)
      .map(
        (task) =>
          `${run.tasks.length > 1 ? `Step ${stepName(task)}: ` : ''}${code(clip(firstLine(exactAction(task), 120), 120))} · ${taskTime(task, now)} so far`,
      ),
    lastLines(tail, 2),
  ]
}

export function result(run: RunView, context: AnswerContext): string[] {
  if (!isRunEnd(run.status))
    return [`Not yet: ${[stateWord(run).word, doneOf(run)].filter(Boolean).join(', ')}.`]
  return [
    `It ${ending(run)}.`,
    ...(run.status === 'succeeded' ? [lastLines(context.tail, 3)] : whatFailed(run, context)),
  ]
}

/** Of an exact fault, in characters. */
const MAX_FAULT = 600

export function whatFailed(run: RunView, { tail }: AnswerContext): string[] {
  const failed = run.tasks.filter(isFailed)
  const since = [...recoveringLines(run), ...triedLines(run)]
  if (failed.length > 0)
    return [
      ...failed.slice(0, 3).flatMap((task) => [
        run.tasks.length > 1 ? `Step ${stepName(task)}:` : '',
        ...failureLines(
          task,
          tail.filter((line) => line.taskKey === task.key),
        ),
      ]),
      ...since,
    ]
  if (since.length > 0) return since
  const doubtful = run.tasks.filter((task) => task.status === 'needs_review')
  if (doubtful.length > 0)
    return [
      `Not known: ${steps(doubtful)} needs you: ${escapeHtml(doubtful[0]?.error?.message ?? 'its end is not known')}`,
    ]
  if (run.error)
    return [
      escapeHtml(run.error.message),
      escapeHtml(run.error.hint ?? ''),
      quote(clip(unmask(run.error.details ?? ''), MAX_FAULT)),
    ]
  return [isRunEnd(run.status) ? `Nothing: it ${ending(run)}.` : 'Nothing so far.']
}
