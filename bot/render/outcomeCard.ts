import { canKeep } from '../../core/learning/keepRun.ts'
import type { Fix } from '../../core/recovery/suggestFixes.ts'
import { isNotUnderstood } from '../../core/runs/notUnderstood.ts'
import { testSummary } from '../../core/runs/testSummary.ts'
import type { LogLine, RunView, TaskView } from '../../core/runs/viewRun.ts'
import type { Buttons } from './buttons.ts'
import { bold, clip, clock, code, escapeHtml, quote } from './html.ts'
import { failingTest, shownLines } from './logLines.ts'
import { renderNotUnderstood } from './notUnderstood.ts'
import { fixButtons, triedLines } from './recoveryLines.ts'
import { reveal, unmask } from './unmask.ts'
import { changedNames, costLine, firstLine, type Shown, stateWord, whatWhere } from './words.ts'

/** `canFix`: whether a plan to mend what failed can come to anything; `fixes`: playbooks that may remove the cause. */
export type OutcomeContext = {
  now: Date
  tail: readonly LogLine[]
  canFix: boolean
  fixes?: readonly Fix[]
}

/** `212 passed`, `3 of 20 fail`: what the tests of these tasks said, each once. */
const counts = (tasks: readonly TaskView[]): string[] => [
  ...new Set(tasks.flatMap((task) => testSummary(task.result?.summary ?? '') ?? [])),
]

/** A run that succeeds within this time gets no second message: its card becomes the outcome. */
const QUICK_MS = 5000

/**
 * Whether the outcome is a message of its own; else the card becomes it. Told from the run alone, so that the card
 * and the announcement never both show it. Pure.
 */
export function hasOwnOutcome(
  run: Pick<RunView, 'status' | 'tasks' | 'approvals' | 'startedAt' | 'createdAt' | 'endedAt'>,
): boolean {
  if (run.status === 'failed') return run.tasks.length > 0
  if (run.status !== 'succeeded' || !run.endedAt) return false
  return (
    run.approvals.length > 0 || run.endedAt.getTime() - (run.startedAt ?? run.createdAt).getTime() >= QUICK_MS
  )
}

/** Whether a step has failed, by itself or by its time. */
export const isFailed = (task: TaskView): boolean =>
  task.status === 'failed' || task.status === 'failed_timeout'

/** How a run ended: one message with a summary, the last lines, what it cost and what to do next. Pure. */
export function renderOutcome(run: RunView, context: OutcomeContext): Shown {
  if (isNotUnderstood(run)) return renderNotUnderstood(run)
  const failed = run.tasks.find(isFailed)
  const { icon, word } = stateWord(run)
  const spent =
    run.startedAt && run.endedAt
      ? ` · ${clock(Math.max(1000, run.endedAt.getTime() - run.startedAt.getTime()))}`
      : ''
  const step = failed && run.tasks.length > 1 ? ` at step ${failed.key}` : ''
  const lines = [
    bold(`${icon} #${run.number} ${word}${step}${spent}`),
    whatWhere(run, 300),
    ...(run.status === 'succeeded' ? [escapeHtml(passed(run))] : []),
    ...reasonLines(run, failed, context.tail),
    ...stepLines(run, failed),
    ...triedLines(run),
    ...undoLines(run),
    quote(shownLines(outputsOf(context.tail, failed), failed !== undefined)),
    ...cutLine(run),
    ...(run.tasks.length > 0 && run.status !== 'refused' ? [escapeHtml(costLine(run))] : []),
  ]
  return {
    html: lines.filter((line) => line !== '').join('\n'),
    buttons: outcomeButtons(run, failed, context),
    settled: run.status !== 'force_cancelled',
  }
}

const MAX_UNDO = 3

/** After work that broke off: how the planner says each step that changed something can be taken back. */
function undoLines(run: RunView): string[] {
  if (!['failed', 'cancelled'].includes(run.status)) return []
  const known = run.tasks.flatMap(({ key, startedAt, about }) =>
    startedAt && about?.undo ? [escapeHtml(clip(unmask(`undo ${key}: ${about.undo}`), 160))] : [],
  )
  return known.slice(0, MAX_UNDO)
}

/** That output was too long to keep whole. */
function cutLine(run: RunView): string[] {
  const lost = run.tasks.reduce((sum, task) => sum + (task.result?.output_lost ?? 0), 0)
  return lost > 0 ? [`the log lacks ${(lost / 1e6).toFixed(1)} MB from its middle`] : []
}

/** The counts of a run that succeeded: where a step failed on purpose, only how it ended. */
const passed = (run: RunView): string =>
  counts(run.tasks)
    .filter((line) => line.endsWith('passed'))
    .join(' · ')

/** What each step printed, or only the one that failed. */
const outputsOf = (tail: readonly LogLine[], failed: TaskView | undefined): string[] =>
  [...Map.groupBy(tail, (line) => line.taskKey)]
    .filter(([key]) => !failed || key === failed.key)
    .map(([, lines]) => lines.map((line) => line.text).join(''))

function reasonLines(run: RunView, failed: TaskView | undefined, tail: readonly LogLine[]): string[] {
  switch (run.status) {
    case 'refused': {
      if (run.error?.code === 'NOT_ENTITLED')
        return [escapeHtml(run.error.message), ...(run.error.hint ? [escapeHtml(run.error.hint)] : [])]
      const part = run.tasks.find((t) => t.verdict.verdict === 'deny')
      const what =
        part && run.kind !== 'command'
          ? [
              `step ${part.key}: ${code(firstLine(unmask(String(part.spec.params.command ?? part.title)), 200))}`,
            ]
          : []
      return [
        ...what,
        `${escapeHtml(run.error?.risk ?? 'critical')} · rule ${code(run.error?.rule ?? 'policy')}`,
        escapeHtml(run.error?.message ?? ''),
        'No approval can lift this.',
      ]
    }
    case 'failed':
      if (run.error)
        return [escapeHtml(run.error.message), ...(run.error.hint ? [escapeHtml(run.error.hint)] : [])]
      return failed?.error ? failureLines(failed, tail) : []
    case 'denied': {
      const by = run.approvals.flatMap((a) => a.decisions).find((d) => d.decision === 'denied')
      return [by ? escapeHtml(`Denied by ${by.name}. Nothing ran.`) : 'Nothing ran.']
    }
    case 'cancelled':
      return [
        escapeHtml(
          `Cancelled by ${run.cancelledByName ?? 'the lockdown'}. ${run.tasks.some((t) => t.startedAt) ? 'Everything has stopped.' : 'Nothing ran.'}`,
        ),
      ]
    case 'force_cancelled': {
      const open = run.tasks.find((t) => t.status === 'force_cancelled')
      return [escapeHtml(`${open?.agentName ?? 'The machine'} has not confirmed; killed when it returns.`)]
    }
    case 'expired':
      return ['Nobody answered in time. Nothing ran.']
    default:
      return []
  }
}

/** `1 of 6 fail, exit 1`, and which. HTML. */
export function failureLines(failed: TaskView, tail: readonly LogLine[]): string[] {
  const which = failingTest(outputsOf(tail, failed).join(''))
  return [
    escapeHtml(clip([...counts([failed]), firstLine(failureOf(failed), 160)].join(', '), 200)),
    ...(which ? [escapeHtml(clip(which, 120))] : []),
  ]
}

const failureOf = (task: TaskView): string =>
  task.status === 'failed_timeout'
    ? `stopped after ${task.spec.timeout_s} s`
    : task.result?.exit_code
      ? `exit ${task.result.exit_code}${task.error?.message && !/^exit/.test(task.error.message) ? ` · ${task.error.message}` : ''}`
      : (task.error?.message ?? 'failed')

function stepLines(run: RunView, failed: TaskView | undefined): string[] {
  if (run.tasks.length < 2 || !['failed', 'cancelled', 'succeeded'].includes(run.status)) return []
  const keys = (wanted: (t: TaskView) => boolean) =>
    run.tasks
      .filter(wanted)
      .map((t) => t.key)
      .join(', ')
  const done = keys((t) => t.status === 'succeeded')
  const not = keys((t) => ['skipped', 'cancelled'].includes(t.status))
  const changed = [...new Set(run.tasks.map(changedNames))].filter(Boolean)
  const parts = [done ? `Done ${done}` : '', not ? `${done ? 'not' : 'Not'} run ${not}` : '']
    .filter(Boolean)
    .join(' · ')
  return [
    ...(failed || run.status === 'cancelled' ? [escapeHtml(parts)] : []),
    ...(changed.length > 0 ? [escapeHtml(clip(reveal(`Changed: ${changed.join(', ')}`), 120))] : []),
  ]
}

function outcomeButtons(
  run: RunView,
  failed: TaskView | undefined,
  { canFix, fixes = [] }: OutcomeContext,
): Buttons {
  const log = run.tasks.some((t) => t.startedAt)
    ? [{ text: 'Log', action: { do: 'logs' as const, runId: run.id } }]
    : []
  const again = { text: 'Run again', action: { do: 'again' as const, runId: run.id } }
  switch (run.status) {
    case 'failed':
      if (!failed) return [[again]]
      return [
        [
          {
            text: `Retry step ${failed.key}`,
            style: 'primary',
            action: { do: 'retry', runId: run.id, taskId: failed.id },
          },
          again,
        ],
        ...fixButtons(run, fixes),
        [
          ...(canFix ? [{ text: 'Plan a fix', action: { do: 'say' as const, text: 'Plan a fix' } }] : []),
          ...log,
        ],
      ]
    case 'succeeded':
      return [
        [...log, again],
        ...(canKeep(run)
          ? [[{ text: 'Keep as playbook', action: { do: 'keep' as const, runId: run.id } }]]
          : []),
      ]
    case 'cancelled':
      return [[...log, again]]
    case 'expired': {
      const approvalId = run.approvals.findLast(({ status }) => status === 'expired')?.id
      return approvalId ? [[{ text: 'Ask again', action: { do: 'ask_again', approvalId } }]] : [[again]]
    }
    case 'denied':
      return [[{ text: 'Ask again', action: { do: 'again', runId: run.id } }]]
    default:
      return log.length > 0 ? [log] : []
  }
}
