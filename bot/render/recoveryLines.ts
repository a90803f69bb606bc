import { assertNever } from '../../core/assertNever.ts'
import type { Fix } from '../../core/recovery/suggestFixes.ts'
import type { ApprovalView, RecoveryView, RunView, TaskView } from '../../core/runs/viewRun.ts'
import type { Buttons } from './buttons.ts'
import { clip, escapeHtml } from './html.ts'
import { unmask } from './unmask.ts'

/** Why a step failed, in the fewest words; what says nothing is left out. */
const kinds: Record<string, string> = {
  not_started: 'it could not start',
  timeout: 'out of time',
  memory: 'out of memory',
  space: 'the disk is full',
  permission: 'no permission',
  missing_tool: 'a program is missing',
  missing_packages: 'packages are missing',
  checks: 'checks fail',
  network: 'the network',
  busy: 'a lock',
}

const kindOf = ({ failure }: RecoveryView): string => (kinds[failure] ? ` (${kinds[failure]})` : '')

/** What a live card says of failures that something is tried for: one line each, in HTML. */
export const recoveringLines = (run: RunView): string[] =>
  ['running', 'paused'].includes(run.status)
    ? run.recoveries
        .filter(({ status }) => status === 'open' || status === 'trying')
        .map((step) =>
          escapeHtml(clip(unmask(`step ${step.key} failed${kindOf(step)}: ${doingOf(step, run)}`), 200)),
        )
    : []

function doingOf(step: RecoveryView, run: RunView): string {
  const own = run.tasks.filter((task) => task.recoveryId === step.id)
  const keys = own.map(({ key }) => key).join(', ')
  if (step.status === 'open') return step.by === 'rule' ? 'giving it more time' : lookingFor(step)
  if (step.planVersion === null) return 'trying it again'
  return `${own.some(({ status }) => status === 'held') ? 'waits for you with' : 'trying'} ${keys || 'another way'}`
}

function lookingFor({ rung }: RecoveryView): string {
  switch (rung) {
    case 'reduce':
      return 'looking for a smaller way'
    case 'budget':
      return 'thinking about the cause'
    case 'decompose':
      return 'looking for smaller steps'
    case 'retry':
    case 'ask':
      return 'looking for a way'
    default:
      return assertNever(rung)
  }
}

const MAX_TRIED = 4

/** What an outcome says of what was tried, and of what would be better with a model; nothing where nothing was. In HTML. */
export function triedLines(run: RunView): string[] {
  if (run.status !== 'failed' && run.status !== 'succeeded') return []
  const helped = run.status === 'succeeded'
  const words = wordsOf(
    run.recoveries.filter(({ status }) => (helped ? status === 'helped' : status === 'not_helped')),
  )
  const tried = words.slice(0, MAX_TRIED).join(' · ')
  const more = words.length > MAX_TRIED ? ` and ${words.length - MAX_TRIED} more` : ''
  const asked = run.recoveries.findLast(({ status }) => status === 'asked')
  const why = helped ? null : whyAsked(asked)
  return [
    ...(words.length > 0
      ? [escapeHtml(clip(unmask(`${helped ? 'Mended' : 'Tried'}: ${tried}${more}`), 300))]
      : []),
    ...(why ? [why] : []),
  ]
}

/** The steps in words, the same ones as one. */
const wordsOf = (steps: readonly RecoveryView[]): string[] =>
  [...Map.groupBy(steps, wordOf)].map(([word, all]) => (all.length > 1 ? `${word} ${all.length}×` : word))

function wordOf(step: RecoveryView): string {
  const end = step.cameOf === 'denied' ? ', denied' : step.cameOf === 'no_answer' ? ', no answer' : ''
  const note = step.note ? ` (${step.note.slice(0, 60)})` : ''
  const what = {
    retry: 'again',
    reduce: 'a smaller way',
    budget: 'more thought',
    decompose: 'smaller steps',
    ask: 'again, as you said',
  }
  if (step.rung === 'budget' && step.by === 'rule') return `step ${step.key} with more time${end}`
  if (step.cameOf === 'no_way' || step.cameOf === 'limit')
    return `no ${step.rung === 'decompose' ? 'smaller steps' : 'other way'} for step ${step.key}`
  return `step ${step.key}: ${what[step.rung]}${step.by === 'model' ? note : ''}${end}`
}

function whyAsked(asked: RecoveryView | undefined): string | null {
  switch (asked?.cameOf) {
    case 'no_model':
      return 'With a model set, other ways would be looked for.'
    case 'limit':
      return 'The limit of what is tried by itself is reached.'
    case 'model_away':
      return 'The model did not answer.'
    default:
      return null
  }
}

/** The steps that an approval asks about: of a plan that goes on, the new ones alone. Pure. */
export function askedSteps(run: RunView, approval: ApprovalView): TaskView[] {
  const asking = run.tasks.filter(({ verdict }) => verdict.verdict === 'ask')
  const own = run.recoveries.find(({ planVersion }) => planVersion === approval.planVersion)
  return own ? asking.filter((task) => task.recoveryId === own.id || task.status === 'held') : asking
}

/** Playbooks that may remove the cause, as buttons that start at the place of the run. */
export const fixButtons = (run: RunView, fixes: readonly Fix[]): Buttons => {
  const [task] = run.tasks
  if (!task) return []
  return fixes.map(({ title, request }) => [
    {
      text: clip(title, 60),
      action: { do: 'start', kind: 'request', text: request, agentId: task.agentId, cwd: task.cwd },
    },
  ])
}
