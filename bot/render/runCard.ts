import { isRunEnd, isTaskEnd } from '../../core/events/states.ts'
import type { LogLine, RunView, TaskView } from '../../core/runs/viewRun.ts'
import type { Buttons } from './buttons.ts'
import { bold, clip, clock, escapeHtml, quote, ticking, time } from './html.ts'
import { type OutcomeContext, renderOutcome } from './outcomeCard.ts'
import { recoveringLines } from './recoveryLines.ts'
import { reveal } from './unmask.ts'
import {
  firstLine,
  type Shown,
  standingLine,
  stateWord,
  taskIcon,
  taskTime,
  waitReason,
  whatWhere,
} from './words.ts'

export type CardContext = OutcomeContext & {
  outcomeBelow: boolean
  /** What a model has written so far of the plan, where no preview can show it. */
  draft?: string | undefined
}

/** The live card of a run. Once the run has ended it becomes the outcome, unless that is a message of its own. Pure. */
export function renderRunCard(run: RunView, context: CardContext): Shown {
  if (isRunEnd(run.status) && run.status !== 'awaiting_approval' && !context.outcomeBelow)
    return renderOutcome(run, context)
  const { icon, word } = stateWord(run)
  const ended = isRunEnd(run.status)
  const spent = clock((run.endedAt ?? context.now).getTime() - (run.startedAt ?? run.createdAt).getTime())
  const below =
    run.status === 'awaiting_approval' ? ' · below' : context.outcomeBelow && ended ? ' · outcome below' : ''
  const lines = [
    bold(
      `${icon} #${run.number} ${word}${below !== '' || run.status === 'planning' ? '' : ` · ${ended ? spent : ticking(spent)}`}`,
    ) + below,
    whatWhere(run, 200, run.personName ?? ''),
    ...(run.kind === 'command' ? againLine(run) : taskLines(run, context.now)),
    ...standingLine(run),
    ...recoveringLines(run),
    ...waitLine(run),
    tailOf(run, context.tail),
    run.status === 'planning' ? quote(reveal(context.draft ?? '')) : '',
    ...(ended || run.status === 'planning' || run.status === 'awaiting_approval'
      ? []
      : [ticking(`updated ${time(context.now, 'T')}`)]),
  ]
  return {
    html: lines.filter((line) => line !== '').join('\n'),
    buttons: ended ? [] : liveButtons(run),
    settled: ended,
  }
}

export const continuedCard = (run: RunView): Shown => ({
  html: `#${run.number} · continued below`,
  buttons: [],
  settled: true,
})

/** A command that began anew: what it had printed and done before, it may print and do again. */
function againLine(run: RunView): string[] {
  const tries = run.tasks[0]?.attempts ?? 0
  return tries > 1 ? [`started again: try ${tries}`] : []
}

const MAX_TASKS = 12

function taskLines(run: RunView, now: Date): string[] {
  if (run.tasks.length === 0) return []
  const order = [...run.tasks].sort((a, b) => Number(isTaskEnd(b.status)) - Number(isTaskEnd(a.status)) || 0)
  const shown = run.tasks.length <= MAX_TASKS ? run.tasks : order.slice(-MAX_TASKS)
  const done = run.tasks.filter((task) => isTaskEnd(task.status)).length
  const moves = !isRunEnd(run.status) && run.status !== 'awaiting_approval' && run.tasks.length > 1
  return [
    ...shown.map((task) => taskLine(task, run, now)),
    ...(moves ? [`${bar(done, run.tasks.length)} ${done} of ${run.tasks.length}`] : []),
  ]
}

function taskLine(task: TaskView, run: RunView, now: Date): string {
  const open = task.dependsOn.filter((key) => run.tasks.find((t) => t.key === key)?.status !== 'succeeded')
  const after = ['blocked', 'held'].includes(task.status) && open.length > 0 ? `after ${open.join(', ')}` : ''
  const note =
    task.status === 'skipped'
      ? 'skipped'
      : task.status === 'needs_review'
        ? 'needs you'
        : taskTime(task, now) || after
  const shown = isTaskEnd(task.status) ? note : ticking(note)
  const again = task.attempts > 1 ? ` · try ${task.attempts}` : ''
  return escapeHtml(
    `${taskIcon(task)} ${task.key} ${firstLine(task.title, 40)}${again}${note ? ` · ${shown}` : ''}`,
  )
}

const bar = (done: number, all: number): string => {
  const full = all === 0 ? 0 : Math.round((done / all) * 8)
  return '▰'.repeat(full) + '▱'.repeat(8 - full)
}

function waitLine(run: RunView): string[] {
  const reason = waitReason(run)
  if (run.status === 'cancelling') return ['waiting until the machine confirms that everything has stopped']
  if (!reason || isRunEnd(run.status)) return []
  return [run.tasks.some((task) => task.status === 'running') ? `${reason}, work may go on` : reason]
}

/** As many lines as a closed quote shows. */
const TAIL_LINES = 3

/** The last lines of what runs. */
function tailOf(run: RunView, tail: readonly LogLine[]): string {
  if (!['running', 'cancelling', 'paused'].includes(run.status)) return ''
  const lines = tail
    .map((l) => l.text)
    .join('')
    .split('\n')
    .filter((line) => line.trim() !== '')
    .slice(-TAIL_LINES)
  return quote(lines.map((line) => clip(reveal(line.trimEnd()), 80)).join('\n'))
}

function liveButtons(run: RunView): Buttons {
  const review: Buttons = run.tasks
    .filter((task) => task.status === 'needs_review')
    .slice(0, 3)
    .map((task) => [
      {
        text: `Run ${task.key} again`,
        style: 'primary',
        action: { do: 'review', runId: run.id, taskId: task.id, verdict: 'again' },
      },
      { text: `Skip ${task.key}`, action: { do: 'review', runId: run.id, taskId: task.id, verdict: 'skip' } },
    ])
  if (run.status === 'cancelling') return []
  const action = { do: 'cancel' as const, runId: run.id }
  // Beside a question the red button is the one that denies it.
  if (['planning', 'awaiting_approval'].includes(run.status)) return [[{ text: 'Cancel', action }]]
  const cancel = { text: 'Cancel', style: 'danger' as const, action }
  const pause =
    run.status === 'paused'
      ? { text: 'Resume', action: { do: 'resume' as const, runId: run.id } }
      : { text: 'Pause', action: { do: 'pause' as const, runId: run.id } }
  if (isAway(run)) return [[{ text: 'Other machine', action: { do: 'elsewhere', runId: run.id } }], [cancel]]
  return [...review, [cancel, pause, { text: 'Logs', action: { do: 'logs', runId: run.id } }]]
}

/** Nothing of it has begun, and the machine it waits for is not there: it may as well go to another one. */
const isAway = (run: RunView): boolean =>
  run.status === 'running' &&
  run.tasks.every((task) => !task.startedAt) &&
  run.tasks.some((task) => task.status === 'queued' && !task.connected)
