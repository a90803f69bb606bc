import { placeLabel } from '../../core/fleet/choosePlace.ts'
import type { Machine } from '../../core/fleet/machineFacts.ts'
import type { RunView } from '../../core/runs/viewRun.ts'
import type { Buttons } from './buttons.ts'
import { bold, clip, code, escapeHtml, time } from './html.ts'
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

export type MachineLine = Machine & { running: number[] }

/** `/agent_status`: every machine, whether it is there, and how to mend what is wrong. Pure. */
export function renderMachines(machines: readonly MachineLine[], owner: boolean): Shown {
  const add: Buttons = owner
    ? [[{ text: 'Add machine', style: 'primary', action: { do: 'add_machine' } }]]
    : []
  if (machines.length === 0)
    return {
      html: `${bold('No machine is enrolled yet')}\nAdd one: it takes one line there.`,
      buttons: add,
      settled: true,
    }
  const ready = machines.filter((m) => m.connected).length
  const lines = machines.flatMap(machineLines)
  return {
    html: [
      bold(`${ready} of ${machines.length} ${machines.length === 1 ? 'machine' : 'machines'} ready`),
      ...lines,
    ].join('\n'),
    buttons: add,
    settled: true,
  }
}

function machineLines(m: MachineLine): string[] {
  const { facts } = m
  const roots = facts.roots
    .map((root) => code(placeLabel(m.name, facts.home, root).slice(m.name.length + 1)))
    .join(' ')
  if (!m.connected) {
    const since = m.disconnectedAt ?? m.lastSeenAt
    return [
      `🔴 ${bold(m.name)} · offline${since ? ` since ${time(since)}` : ''}`,
      `There: ${code('skynet agent')}`,
      roots,
    ]
  }
  const held = {
    bwrap: 'cancel ends everything (bwrap)',
    unshare: 'cancel ends everything (namespace)',
    group: '⚠️ cancel is best effort here',
  }[facts.containment]
  return [
    `🟢 ${bold(m.name)} · Worker Connected`,
    `load ${facts.load.average.toFixed(1)} · ${m.running.length > 0 ? `runs ${m.running.map((n) => `#${n}`).join(', ')}` : 'idle'} · seen ${m.lastSeenAt ? time(m.lastSeenAt, 'T') : 'never'}`,
    held,
    `${roots}${facts.repositories.length > 0 ? ` · ${escapeHtml(clip(facts.repositories.map((r) => r.name).join(', '), 80))}` : ''}`,
    escapeHtml(clip(`can: ${facts.capabilities.join(', ')}`, 160)),
  ]
}
