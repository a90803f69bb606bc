import type { RunView } from '../../core/runs/viewRun.ts'
import type { Buttons } from './buttons.ts'
import { bold, clip, escapeHtml } from './html.ts'
import { reveal, unmask } from './unmask.ts'
import { oneLine, type Shown } from './words.ts'

/**
 * The answer to a request that nobody understood: what would work, as buttons, and what would make it understood. It has
 * no number, since nothing was done that anybody would look for. Pure.
 */
export function renderNotUnderstood(run: Pick<RunView, 'request' | 'error' | 'forwarded'>): Shown {
  const nearest = run.error?.nearest ?? []
  const lines = [
    bold('🤔 I do not know how to do that yet'),
    escapeHtml(`“${clip(unmask(oneLine(run.request)), 120)}”`),
    `Nothing was done.${nearest.length > 0 ? ' This would work:' : ''}`,
    'A command of yours does too: <code>/run git status</code>. /help lists what I understand.',
    escapeHtml(run.error?.hint ?? ''),
  ]
  return {
    html: lines.filter((line) => line !== '').join('\n'),
    buttons: nearest.map((near) => [suggestion(near, run.forwarded)]),
    settled: true,
  }
}

type Nearest = NonNullable<NonNullable<RunView['error']>['nearest']>[number]

/** A playbook near to what was written: asked for as the button says, or with the details that are missing. */
const suggestion = ({ title, request, example }: Nearest, forwarded = false): Buttons[number][number] =>
  request
    ? {
        text: clip(reveal(request), 60),
        action: { do: 'say', text: request, ...(forwarded ? { forwarded } : {}) },
      }
    : { text: `${title} …`, action: { do: 'details_of', title, example } }
