import { isRunEnd } from '../../core/events/states.ts'
import type { RunView } from '../../core/runs/viewRun.ts'
import { type AnswerContext, ending, pendingLine, steps, working } from './answerParts.ts'
import { clock } from './html.ts'
import { waitReason } from './words.ts'

export function howLong(run: RunView, { estimate }: AnswerContext): string {
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

export function nextLines(run: RunView): string[] {
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

export function waits(run: RunView): string[] {
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
