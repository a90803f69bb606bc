import { isRunEnd } from '../../core/events/states.ts'
import { originsOf } from '../../core/planning/untrusted.ts'
import type { RunView } from '../../core/runs/viewRun.ts'
import { waits } from './answerNext.ts'
import { type AnswerContext, ending, pendingLine, stepName } from './answerParts.ts'
import { whatFailed } from './answerProgress.ts'
import { bold, clip, code, escapeHtml, time } from './html.ts'
import { unmask } from './unmask.ts'
import { waitReason } from './words.ts'

export function whys(run: RunView, context: AnswerContext): string[] {
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

export function planLines(run: RunView): string[] {
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

export function approvers(run: RunView): string[] {
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

export const askers = (run: RunView): string[] => [
  `${escapeHtml(run.personName ?? 'A program')} asked for it · ${time(run.createdAt)}`,
  ...(run.cancelledByName ? [`${escapeHtml(run.cancelledByName)} cancelled it.`] : []),
]
