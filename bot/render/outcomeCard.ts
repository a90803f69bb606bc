import { testSummary } from '../../core/runs/testSummary.ts'
import type { LogLine, RunView, TaskView } from '../../core/runs/viewRun.ts'
import type { Buttons } from './buttons.ts'
import { bold, clip, clock, code, escapeHtml, quote, reveal } from './html.ts'
import { commandOf, costLine, firstLine, runPlace, type Shown, stateWord } from './words.ts'

export type OutcomeContext = { now: Date; tail: readonly LogLine[] }

/** `212 passed · 3 of 20 fail`: what the tests of a run said. */
const counts = (run: RunView): string =>
  run.tasks
    .map((task) => (task.result ? testSummary(task.result.summary) : null))
    .filter((line, index, all) => line !== null && all.indexOf(line) === index)
    .join(' · ')

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

const isFailed = (task: TaskView): boolean => task.status === 'failed' || task.status === 'failed_timeout'

/** How a run ended: one message with a summary, the last lines, what it cost and what to do next. Pure. */
export function renderOutcome(run: RunView, context: OutcomeContext): Shown {
  const failed = run.tasks.find(isFailed)
  const { icon, word } = stateWord(run)
  const spent =
    run.startedAt && run.endedAt ? ` · ${clock(run.endedAt.getTime() - run.startedAt.getTime())}` : ''
  const step = failed && run.tasks.length > 1 ? ` at step ${failed.key}` : ''
  const lines = [
    bold(`${icon} #${run.number} ${word}${step}${spent}`),
    `${run.kind === 'command' ? code(clip(commandOf(run), 300)) : escapeHtml(clip(run.summary ?? reveal(run.request), 120))} · ${escapeHtml(runPlace(run))}`,
    ...(counts(run) ? [escapeHtml(counts(run))] : []),
    ...reasonLines(run, failed),
    ...stepLines(run, failed),
    quote(lastLines(context.tail, failed)),
    ...(run.tasks.length > 0 && run.status !== 'refused' ? [escapeHtml(costLine(run))] : []),
  ]
  return {
    html: lines.filter((line) => line !== '').join('\n'),
    buttons: outcomeButtons(run, failed),
    settled: run.status !== 'force_cancelled',
  }
}

function reasonLines(run: RunView, failed: TaskView | undefined): string[] {
  switch (run.status) {
    case 'refused': {
      const part = run.tasks.find((t) => t.verdict.verdict === 'deny')
      const what =
        part && run.kind !== 'command'
          ? [
              `step ${part.key}: ${code(firstLine(reveal(String(part.spec.params.command ?? part.title)), 200))}`,
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
      return failed?.error ? [escapeHtml(firstLine(failureOf(failed), 160))] : []
    case 'denied': {
      const by = run.approvals.flatMap((a) => a.decisions).find((d) => d.decision === 'denied')
      return [by ? escapeHtml(`Denied by ${by.name}. Nothing ran.`) : 'Nothing ran.']
    }
    case 'cancelled':
      return [
        escapeHtml(
          `Cancelled by ${run.cancelledByName ?? 'SKYNET'}. ${run.tasks.some((t) => t.startedAt) ? 'Everything has stopped.' : 'Nothing ran.'}`,
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
  const changed = [...new Set(run.tasks.flatMap((t) => t.result?.changed ?? []))].map((p) =>
    p.split('/').at(-1),
  )
  const parts = [done ? `done ${done}` : '', not ? `not run ${not}` : ''].filter(Boolean).join(' · ')
  return [
    ...(failed || run.status === 'cancelled' ? [escapeHtml(parts)] : []),
    ...(changed.length > 0 ? [escapeHtml(clip(`Changed: ${changed.join(', ')}`, 120))] : []),
  ]
}

const MAX_LINES = 15
const worthSeeing = /\b(error|fail(ed|ure)?|not ok|panic|exception|traceback|✖|✗|fatal)\b|^✖|^not ok/i

/** At most 15 lines: the last ones, or on failure those around the first error. */
function lastLines(tail: readonly LogLine[], failed: TaskView | undefined): string {
  const own = failed ? tail.filter((l) => l.taskKey === failed.key) : tail
  const lines = own
    .map((l) => l.text)
    .join('')
    .split('\n')
    .map((line) => line.trimEnd())
    .filter((line) => line !== '')
  const first = failed ? lines.findIndex((line) => worthSeeing.test(line)) : -1
  const start =
    first >= 0 && first < lines.length - MAX_LINES
      ? Math.max(0, first - 3)
      : Math.max(0, lines.length - MAX_LINES)
  return lines
    .slice(start, start + MAX_LINES)
    .map((line) => clip(reveal(line), 200))
    .join('\n')
}

function outcomeButtons(run: RunView, failed: TaskView | undefined): Buttons {
  const log = run.tasks.some((t) => t.startedAt)
    ? [{ text: 'Log', action: { do: 'logs' as const, runId: run.id } }]
    : []
  const again = { text: 'Run again', action: { do: 'again' as const, runId: run.id } }
  if (run.error?.nearest)
    return run.error.nearest.map((s) => [{ text: s.title, action: { do: 'say' as const, text: s.example } }])
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
        [{ text: 'Plan a fix', action: { do: 'say', text: 'Plan a fix' } }, ...log],
      ]
    case 'succeeded':
    case 'cancelled':
      return [[...log, again]]
    case 'expired':
    case 'denied':
      return [[{ text: 'Ask again', action: { do: 'again', runId: run.id } }]]
    default:
      return log.length > 0 ? [log] : []
  }
}
