import type { FailureClass } from '../../core/recovery/classify.ts'
import type { RunView } from '../../core/runs/viewRun.ts'
import type { Buttons } from './buttons.ts'
import { bold, clip, escapeHtml, quote } from './html.ts'
import { reveal, unmask } from './unmask.ts'
import { oneLine, type Shown } from './words.ts'

/**
 * The answer to a request that nobody understood: what would work, as buttons, and what would make it understood. It has
 * no number, since nothing was done that anybody would look for. Pure.
 */
export function renderNotUnderstood(run: Pick<RunView, 'request' | 'error' | 'forwarded'>): Shown {
  const nearest = run.error?.nearest ?? []
  const pasted = run.error?.pasted
  const what = pasted
    ? [
        bold('🔎 What the pasted text says'),
        quote(pasted.errors.map((line) => clip(unmask(line.trim()), 160)).join('\n')),
        escapeHtml(
          (pasted.kind && causes[pasted.kind]) ?? 'I find these errors in it; what they mean takes a model.',
        ),
      ]
    : [
        bold('🤔 I do not know how to do that yet'),
        escapeHtml(`“${clip(unmask(oneLine(run.request)), 120)}”`),
      ]
  const lines = [
    ...what,
    `Nothing was done.${nearest.length > 0 ? (pasted ? ' This may help:' : ' This would work:') : ''}`,
    'A command of yours does too: <code>/run git status</code>. /help lists what I understand.',
    escapeHtml(run.error?.hint ?? ''),
  ]
  return {
    html: lines.filter((line) => line !== '').join('\n'),
    buttons: nearest.map((near) => [suggestion(near, run.forwarded)]),
    settled: true,
  }
}

/** What a kind of failure most likely comes of, and what is done about it. */
const causes: Partial<Record<FailureClass, string>> = {
  space: 'The disk, or what you may use of it, is full: make room, then try again.',
  memory: 'There was too little memory: try less at once, or end what takes it.',
  missing_packages: 'Packages it needs are not installed there.',
  missing_tool: 'A program is not installed there, or not where programs are looked for.',
  network: 'Something on the network did not answer: is it running, and is its address right?',
  busy: 'Something else holds a lock: let it end, then try again.',
  permission: 'It may not do that there: look who owns the file, and as whom it runs.',
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
