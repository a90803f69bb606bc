import { placeLabel } from '../../core/fleet/choosePlace.ts'
import type { Ranked } from '../../core/scheduling/rankAgents.ts'
import type { Fleet, MachineLine } from '../cards/readFleet.ts'
import type { Buttons } from './buttons.ts'
import { bold, clip, code, escapeHtml, time } from './html.ts'
import type { Shown } from './words.ts'

/** `/agent_status`: every machine, whether it is there, how work reaches it, and how to mend what is wrong. Pure. */
export function renderMachines({ machines, order }: Fleet, owner: boolean): Shown {
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
  const lines = machines.flatMap((m) =>
    machineLines(
      m,
      order.find((r) => r.agentId === m.agentId),
    ),
  )
  return {
    html: [
      bold(`${ready} of ${machines.length} ${machines.length === 1 ? 'machine' : 'machines'} ready`),
      ...lines,
      ...(machines.length > 1 ? orderLines(order) : []),
    ].join('\n'),
    buttons: [...picks(machines), ...add],
    settled: true,
  }
}

/** A button for each machine, three in a row. */
const picks = (machines: readonly MachineLine[]): Buttons =>
  Array.from({ length: Math.ceil(Math.min(machines.length, 12) / 3) }, (_, row) =>
    machines
      .slice(row * 3, row * 3 + 3)
      .map(({ name, agentId }) => ({ text: clip(name, 20), action: { do: 'machine' as const, agentId } })),
  )

function machineLines(m: MachineLine, ranked: Ranked | undefined): string[] {
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
  const reached = m.gateways.some((gateway) => !gateway.open)
  return [
    `${reached ? '🟢' : '🟡'} ${bold(m.name)} · Worker Connected`,
    `load ${facts.load.average.toFixed(1)}${facts.load.cores ? ` of ${facts.load.cores}` : ''} · ${workWords(m)} · seen ${m.lastSeenAt ? time(m.lastSeenAt, 'T') : 'never'}`,
    ...gatewayLines(m),
    ...(ranked && ranked.parts.history.value < 1 ? [`⚠️ ${ranked.parts.history.reason} tasks`] : []),
    ...heldLines(facts),
    `${roots}${facts.repositories.length > 0 ? ` · ${escapeHtml(clip(facts.repositories.map((r) => r.name).join(', '), 80))}` : ''}`,
    escapeHtml(clip(`can: ${facts.capabilities.join(', ')}`, 160)),
  ]
}

/** What it works on: by number where that may be shown. */
function workWords({ running, others }: Pick<MachineLine, 'running' | 'others'>): string {
  const more = others > 0 ? [`${others} of ${others === 1 ? 'another chat' : 'other chats'}`] : []
  const all = [...running.map((n) => `#${n}`), ...more]
  return all.length > 0 ? `runs ${all.join(', ')}` : 'idle'
}

/** What holds the commands there, and whether all of them end. */
function heldLines({ containment, confined }: MachineLine['facts']): string[] {
  const walls = confined
    ? [
        `🔒 commands are confined: roots, network${confined.limits ? ', memory' : ''}${confined.processes ? ', processes' : ''}`,
      ]
    : ['⚠️ commands are not confined: they see and reach what the account there can']
  return [...walls, containment === 'group' ? '⚠️ cancel is best effort here' : 'cancel ends everything']
}

/** Those that answer in one line, one more for each that does not. */
function gatewayLines({ gateways }: MachineLine): string[] {
  const well = gateways.filter((gateway) => !gateway.open)
  const names = well.map(
    (g) => `${escapeHtml(g.name)}${g.successRate < 0.995 ? ` (${g.parts.history.reason})` : ''}`,
  )
  const away = gateways.filter((gateway) => gateway.open)
  const so = well.length > 0 ? 'the other takes its work' : 'work waits, SKYNET goes on asking'
  return [
    ...(well.length > 0 ? [`over gateway ${names.join(' and ')}`] : []),
    ...away.map((g) => `⚠️ gateway ${escapeHtml(g.name)} does not answer: ${so}`),
  ]
}

/** Who would be taken first for work that names no machine, with the reason that tells most. */
function orderLines(order: readonly Ranked[]): string[] {
  return [
    bold('Where nobody says, first'),
    ...order.map((ranked, i) => `${i + 1} ${escapeHtml(ranked.name)} · ${escapeHtml(shortReason(ranked))}`),
  ]
}

function shortReason({ ready, parts }: Ranked): string {
  if (!ready) return parts.health.reason
  const [work] = parts.load.reason.split(', load')
  const doubts = [parts.health, parts.history].filter((part) => part.value < 0.9).map((part) => part.reason)
  return [work, ...doubts].join(' · ')
}
