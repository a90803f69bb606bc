import { isRunEnd } from '../../core/events/states.ts'
import type { MilestoneView, RunView } from '../../core/runs/viewRun.ts'
import { partsTold } from '../../core/talk/progress.ts'
import { bold, clip, clock, escapeHtml } from './html.ts'
import { unmask } from './unmask.ts'
import { cameOut, oneLine, type Shown } from './words.ts'

/**
 * How far a run is, in plain words: the milestone that the message began with and those that began after it, up to
 * where the next message begins. Pure.
 */
export function renderMilestone(run: RunView, first: string, next: string | null): Shown {
  const parts = partsTold(run.milestones, first, next)
  const newest = parts.at(-1)
  if (!newest) return { html: `#${run.number} · this part is gone`, buttons: [], settled: true }
  const open = parts.some((part) => part.endedAt === null)
  const failed = parts.some((part) => part.outcome === 'failed')
  const icon = failed ? '❌' : open ? '🚩' : '🏁'
  const place = `part ${run.milestones.indexOf(newest) + 1} of ${run.milestones.length}`
  const what = escapeHtml(clip(unmask(oneLine(run.summary ?? run.request)), 50))
  return {
    html: [
      `${icon} ${bold(`#${run.number} ${place}`)} · ${what}`,
      ...parts.map((part) => escapeHtml(partLine(run, part))),
    ].join('\n'),
    buttons: [],
    settled: isRunEnd(run.status) || (next !== null && !open),
  }
}

function partLine(run: RunView, part: MilestoneView): string {
  const own = run.tasks.filter((task) => task.milestone === part.key)
  const title = unmask(part.title)
  if (!part.endedAt)
    return `▶ ${title} has begun: ${clip(own.map((task) => unmask(task.title)).join(', '), 120)}`
  const came = own
    .map((task) => clip(cameOut(task), 90))
    .filter((text) => text !== '')
    .join(', ')
  const results = came === '' ? '' : `: ${clip(came, 200)}`
  if (part.outcome === 'succeeded') return `✓ ${title} is done${spent(part)}${results}`
  if (part.outcome === 'failed') return `✗ ${title} failed${spent(part)}${results}`
  return `– ${title} ended: ${part.outcome ?? 'not finished'}`
}

/** ` (12 s)`; nothing for what took no time. */
function spent({ startedAt, endedAt }: MilestoneView): string {
  const ms = (endedAt?.getTime() ?? 0) - (startedAt?.getTime() ?? 0)
  if (!startedAt || !endedAt || ms < 1000) return ''
  return ms < 60_000 ? ` (${Math.round(ms / 1000)} s)` : ` (${clock(ms)})`
}
