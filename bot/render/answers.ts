import { assertNever } from '../../core/assertNever.ts'
import { isRunEnd, isTaskEnd } from '../../core/events/states.ts'
import { originsOf } from '../../core/planning/untrusted.ts'
import type { LogLine, RunView, TaskView } from '../../core/runs/viewRun.ts'
import type { Estimate } from '../../core/talk/howLong.ts'
import type { Topic } from '../../core/talk/questions.ts'
import type { Buttons } from './buttons.ts'
import { bold, clip, clock, code, escapeHtml, quote, time } from './html.ts'
import { failureLines, isFailed } from './outcomeCard.ts'
import { recoveringLines, triedLines } from './recoveryLines.ts'
import { unmask } from './unmask.ts'
import {
  changedNames,
  costLine,
  exactAction,
  firstLine,
  placeCode,
  runPlace,
  stateWord,
  taskTime,
  waitReason,
} from './words.ts'

export type AnswerContext = { now: Date; tail: readonly LogLine[]; estimate: Estimate; canFix: boolean }
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

const what = (run: RunView, max = 60): string => escapeHtml(clip(unmask(run.summary ?? run.request), max))
const headOf = (run: RunView): string => `${bold(`#${run.number}`)} ${what(run)}`

/** `1:42`, since it started or was asked. */
const spent = (run: RunView, now: Date): string =>
  clock((run.endedAt ?? now).getTime() - (run.startedAt ?? run.createdAt).getTime())

const working = (run: RunView): TaskView[] => run.tasks.filter((task) => task.status === 'running')
const doneOf = (run: RunView): string =>
  run.tasks.length > 1
    ? `${run.tasks.filter((task) => isTaskEnd(task.status)).length} of ${run.tasks.length} done`
    : ''
const stepName = (task: TaskView): string => `${task.key} ${escapeHtml(firstLine(unmask(task.title), 50))}`
const steps = (tasks: readonly TaskView[], max = 5): string =>
  tasks.slice(0, max).map(stepName).join(', ') + (tasks.length > max ? ` and ${tasks.length - max} more` : '')

/** Where a run is, in one line. */
export function progressLine(run: RunView, now: Date): string {
  const { icon, word } = stateWord(run)
  const step = working(run)[0]
  const at = step && run.tasks.length > 1 ? `at ${stepName(step)}` : ''
  const parts = [word, doneOf(run), at, spent(run, now)].filter((part) => part !== '')
  return `${icon} ${bold(`#${run.number}`)} ${what(run, 40)}: ${parts.join(' · ')}`
}

function doing(run: RunView, { now, tail }: AnswerContext): string[] {
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

/** A run succeeds, fails and expires by itself; the rest is done to it. */
const byItself: readonly string[] = ['succeeded', 'failed', 'expired']

/** `succeeded after 2:10`, `was cancelled`. */
const ending = (run: RunView): string =>
  `${byItself.includes(run.status) ? '' : 'was '}${stateWord(run).word}${run.startedAt && run.endedAt ? ` after ${clock(Math.max(1000, run.endedAt.getTime() - run.startedAt.getTime()))}` : ''}`

function result(run: RunView, context: AnswerContext): string[] {
  if (!isRunEnd(run.status))
    return [`Not yet: ${[stateWord(run).word, doneOf(run)].filter(Boolean).join(', ')}.`]
  return [
    `It ${ending(run)}.`,
    ...(run.status === 'succeeded' ? [lastLines(context.tail, 3)] : whatFailed(run, context)),
  ]
}

function whatFailed(run: RunView, { tail }: AnswerContext): string[] {
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
  if (run.error) return [escapeHtml(run.error.message), escapeHtml(run.error.hint ?? '')]
  return [isRunEnd(run.status) ? `Nothing: it ${ending(run)}.` : 'Nothing so far.']
}

function whys(run: RunView, context: AnswerContext): string[] {
  switch (run.status) {
    case 'failed':
    case 'refused':
      return [...ruleOf(run), ...whatFailed(run, context)]
    case 'awaiting_approval':
      return reasonsToAsk(run)
    case 'denied': {
      const by = run.approvals.flatMap((a) => a.decisions).findLast((d) => d.decision === 'denied')
      return [by ? escapeHtml(`${by.name} denied it.`) : 'It was denied.']
    }
    case 'expired':
      return ['Nobody answered in time, so nothing ran.']
    case 'paused':
      return ['Somebody paused it: what runs goes on to its end, nothing new starts. “go on” goes on.']
    case 'cancelling':
    case 'cancelled':
    case 'force_cancelled':
      return [escapeHtml(`${run.cancelledByName ?? 'The lockdown'} cancelled it.`)]
    default:
      return run.tasks.some((task) => ['held', 'needs_review'].includes(task.status)) || waitReason(run)
        ? waits(run)
        : [...askers(run), ...planLines(run).slice(0, 1)]
  }
}

/** By which rule it was refused. */
const ruleOf = (run: RunView): string[] => (run.error?.rule ? [`rule ${code(run.error.rule)}`] : [])

/** What makes a plan ask, with rule and reason, the riskiest step first. */
function reasonsToAsk(run: RunView): string[] {
  const asks = run.tasks.filter((task) => task.verdict.verdict === 'ask')
  const lines = asks
    .slice(0, 3)
    .map(
      (task) =>
        `${run.tasks.length > 1 ? `Step ${task.key}: ` : ''}${escapeHtml(task.verdict.risk)} · rule ${code(task.verdict.rule)}: ${escapeHtml(clip(unmask(task.verdict.reason), 160))}`,
    )
  return [...(lines.length > 0 ? lines : ['It waits for an answer.']), pendingLine(run)]
}

const pendingLine = (run: RunView): string => {
  const pending = run.approvals.find((approval) => approval.status === 'pending')
  return pending ? `${bold(pending.code)} waits for an answer until ${time(pending.expiresAt, 'wt')}.` : ''
}

function planLines(run: RunView): string[] {
  const from = originsOf(run.source).slice(1)
  const by =
    run.source?.kind === 'playbook'
      ? `Planned by the playbook ${code(run.source.name)}.`
      : run.source?.kind === 'model'
        ? `Planned by ${escapeHtml(run.source.model)}${from.length > 0 ? `, with ${escapeHtml(from.join(', '))} in view` : ''}.`
        : run.tasks.length > 0
          ? 'It is the command as it was asked.'
          : isRunEnd(run.status)
            ? `There is no plan: it ${ending(run)}.`
            : 'It is not planned yet.'
  const list = run.tasks.slice(0, 8).map((task) => `${stepName(task)}`)
  return [by, ...(run.tasks.length > 1 ? list : [])]
}

function howLong(run: RunView, { estimate }: AnswerContext): string {
  if (isRunEnd(run.status)) return `It ${ending(run)}.`
  if (run.status === 'awaiting_approval') return `It starts when somebody answers. ${pendingLine(run)}`
  if (run.status === 'paused') return 'It is paused: nothing new starts until “go on”.'
  if (estimate.from === 'nothing') return 'I cannot tell: there is nothing like it in the past to go by.'
  if (estimate.from === 'pace')
    return `About ${clock(estimate.leftMs)}, if the other steps take as long as those that are done.`
  const usual = `the last ${estimate.times === 1 ? 'one' : estimate.times} took ${clock(estimate.usualMs)}`
  return estimate.leftMs > 0
    ? `About ${clock(estimate.leftMs)} (${usual}).`
    : `It takes longer than usual: ${usual}.`
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

function approvers(run: RunView): string[] {
  const answers = run.approvals.flatMap((approval) =>
    approval.decisions.map(
      (one) => `${bold(approval.code)} ${escapeHtml(`${one.decision} by ${one.name}`)} · ${time(one.at)}`,
    ),
  )
  const { standing } = run.tasks.find((task) => task.standing !== null) ?? {}
  const ahead = standing
    ? [`Allowed ahead by ${escapeHtml(unmask(standing.by))} until ${time(standing.until, 'wt')}.`]
    : []
  const pending = pendingLine(run)
  const all = [...answers, ...ahead, ...(pending ? [pending] : [])]
  if (all.length > 0) return all
  return [run.tasks.length > 0 ? 'Nobody had to: policy allowed every step.' : 'Nobody: nothing was asked.']
}

const askers = (run: RunView): string[] => [
  `${escapeHtml(run.personName ?? 'A program')} asked for it · ${time(run.createdAt)}`,
  ...(run.cancelledByName ? [`${escapeHtml(run.cancelledByName)} cancelled it.`] : []),
]

function nextLines(run: RunView): string[] {
  if (run.status === 'awaiting_approval') return ['Your answer.', pendingLine(run)]
  if (run.status === 'failed') return ['It failed: try the step again, or have a fix planned.']
  if (isRunEnd(run.status)) return [`Nothing: it ${ending(run)}.`]
  const left = run.tasks.filter((task) => ['held', 'blocked', 'queued', 'claimed'].includes(task.status))
  const then = left.length > 0 ? `${steps(left)}.` : 'Nothing: it is at its last step.'
  return [
    run.status === 'paused' ? `Paused. On “go on”: ${then}` : `Next: ${then}`,
    ...(waitReason(run) ? waits(run) : []),
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

function waits(run: RunView): string[] {
  if (isRunEnd(run.status)) return [`For nothing: it ${ending(run)}.`]
  if (run.status === 'planning') return ['It is being planned.']
  if (run.status === 'cancelling') return ['Until the machine confirms that everything has stopped.']
  const pending = pendingLine(run)
  if (pending) return [pending]
  const doubtful = run.tasks.filter((task) => task.status === 'needs_review')
  if (doubtful.length > 0)
    return [
      `For you: ${steps(doubtful)} was interrupted and may have changed something. Its card has the buttons.`,
    ]
  if (run.status === 'paused') return ['For “go on”: it is paused.']
  const reason = waitReason(run)
  if (reason) return [reason]
  const running = working(run)
  return [running.length > 0 ? `For nothing: it is at work on ${steps(running, 3)}.` : 'For its turn.']
}

const whereLine = (run: RunView): string => {
  const task = run.tasks[0]
  const away = task && !task.connected && !isRunEnd(run.status) ? ' · offline now' : ''
  return `${placeCode(runPlace(run))}${away}`
}

const lastLines = (tail: readonly LogLine[], max: number): string =>
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
