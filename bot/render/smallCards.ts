import type { RunView } from '../../core/runs/viewRun.ts'
import { bold, clip, escapeHtml } from './html.ts'
import { cameOut, type Shown } from './words.ts'

/** A milestone: said when it starts, edited when it is done, with what came out. Pure. */
export function renderMilestone(run: RunView, key: string): Shown {
  const milestone = run.milestones.find((m) => m.key === key)
  if (!milestone) return { html: `#${run.number} · this part is gone`, buttons: [], settled: true }
  const own = run.tasks.filter((t) => t.milestone === key)
  const place = `${run.milestones.indexOf(milestone) + 1}/${run.milestones.length}`
  if (!milestone.endedAt) {
    return {
      html: `${bold(`🚩 #${run.number} ${milestone.title}`)} · started · ${place}\n${escapeHtml(own.map((t) => `○ ${t.title}`).join('\n'))}`,
      buttons: [],
      settled: false,
    }
  }
  const icon = milestone.outcome === 'succeeded' ? '🏁' : milestone.outcome === 'failed' ? '❌' : '⏹'
  const word = milestone.outcome === 'succeeded' ? 'done' : (milestone.outcome ?? 'ended')
  const results = own.map((t) => {
    const last = cameOut(t)
    return `${t.status === 'succeeded' ? '✓' : t.status.startsWith('failed') ? '✗' : '–'} ${t.title}${last ? `: ${clip(last, 90)}` : ''}`
  })
  return {
    html: `${bold(`${icon} #${run.number} ${milestone.title}`)} · ${word} · ${place}\n${escapeHtml(results.join('\n'))}`,
    buttons: [],
    settled: true,
  }
}
