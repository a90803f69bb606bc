import { isTaskEnd } from '../../core/events/states.ts'
import type { LogLine, RunView, TaskView } from '../../core/runs/viewRun.ts'
import type { Estimate } from '../../core/talk/howLong.ts'
import { bold, clip, clock, escapeHtml, quote, time } from './html.ts'
import { unmask } from './unmask.ts'
import { firstLine, stateWord } from './words.ts'

/** What an answer is made from besides the run itself. */
export type AnswerContext = { now: Date; tail: readonly LogLine[]; estimate: Estimate; canFix: boolean }

export const what = (run: RunView, max = 60): string =>
  escapeHtml(clip(unmask(run.summary ?? run.request), max))
export const headOf = (run: RunView): string => `${bold(`#${run.number}`)} ${what(run)}`

/** `1:42`, since it started or was asked. */
export const spent = (run: RunView, now: Date): string =>
  clock((run.endedAt ?? now).getTime() - (run.startedAt ?? run.createdAt).getTime())

export const working = (run: RunView): TaskView[] => run.tasks.filter((task) => task.status === 'running')
export const doneOf = (run: RunView): string =>
  run.tasks.length > 1
    ? `${run.tasks.filter((task) => isTaskEnd(task.status)).length} of ${run.tasks.length} done`
    : ''
export const stepName = (task: TaskView): string =>
  `${task.key} ${escapeHtml(firstLine(unmask(task.title), 50))}`
export const steps = (tasks: readonly TaskView[], max = 5): string =>
  tasks.slice(0, max).map(stepName).join(', ') + (tasks.length > max ? ` and ${tasks.length - max} more` : '')

/** A run succeeds, fails and expires by itself; the rest is done to it. */
const byItself: readonly string[] = ['succeeded', 'failed', 'expired']

/** `succeeded after 2:10`, `was cancelled`. */
export const ending = (run: RunView): string =>
  `${byItself.includes(run.status) ? '' : 'was '}${stateWord(run).word}${run.startedAt && run.endedAt ? ` after ${clock(Math.max(1000, run.endedAt.getTime() - run.startedAt.getTime()))}` : ''}`

export const pendingLine = (run: RunView): string => {
  const pending = run.approvals.find((approval) => approval.status === 'pending')
  return pending ? `${bold(pending.code)} waits for an answer until ${time(pending.expiresAt, 'wt')}.` : ''
}

export const lastLines = (tail: readonly LogLine[], max: number): string =>
  quote(
    tail
      .map((line) => line.text)
      .join('')
      .split('\n')
      .filter((line) => line.trim() !== '')
      .slice(-max)
      .map((line) => clip(unmask(line.trimEnd()), 120))
      .join('\n'),
  )
