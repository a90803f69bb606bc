import type { MemoryStats } from '../../core/memory/listMemories.ts'
import { type Memory, memoryName } from '../../core/memory/memory.ts'
import type { Buttons } from './buttons.ts'
import { bold, clip, code, escapeHtml, quote, time } from './html.ts'
import { unmask } from './unmask.ts'

/** Memories on one page. */
export const PAGE = 5
const MAX_LINE = 140
const MAX_CARD = 1500

type Shown = { html: string; buttons: Buttons }

/** `3 h`, `2 d`: how long ago. */
function ago(at: Date, now: Date): string {
  const minutes = Math.max(0, Math.floor((now.getTime() - at.getTime()) / 60_000))
  if (minutes < 60) return `${minutes} min`
  return minutes < 48 * 60 ? `${Math.floor(minutes / 60)} h` : `${Math.floor(minutes / 1440)} d`
}

const words: Record<Memory['kind'], string> = {
  task: 'outcome',
  failure: 'what fails',
  strategy: 'what helped',
  snapshot: 'machine',
  preference: 'preference',
  fact: 'fact',
}

const often = (times: number): string => (times > 1 ? ` · ${times} times` : '')

/** One memory in two lines. Pure. */
export const memoryHead = (memory: Memory, now: Date): string =>
  [
    `${bold(memoryName(memory.id))} · ${words[memory.kind]}${often(memory.times)} · ${ago(memory.lastAt, now)} ago`,
    escapeHtml(clip(unmask(memory.text.replaceAll('\n', ' ')), MAX_LINE)),
  ].join('\n')

/** A page of memories, `memories` one longer than a page where there are more. Pure. */
export function memoryPage(page: {
  memories: readonly Memory[]
  stats: MemoryStats
  /** What was searched for; null: not known any more. */
  query: string | null
  /** All that the search found. */
  found?: number[] | undefined
  offset: number
  now: Date
}): Shown {
  const { memories, stats, query, found, offset, now } = page
  const shown = memories.slice(0, PAGE)
  const turn = (text: string, to: number) => ({
    text,
    action: { do: 'memories' as const, ...(found ? { found } : {}), offset: to },
  })
  const pages = [
    ...(offset > 0 ? [turn('Newer', Math.max(0, offset - PAGE))] : []),
    ...(memories.length > PAGE ? [turn(query === '' ? 'Older' : 'More', offset + PAGE)] : []),
  ]
  return {
    html: [headline(page), ...shown.map((one) => memoryHead(one, now)), footline(stats, query)].join('\n'),
    buttons: [
      ...(shown.length > 0
        ? [shown.map(({ id }) => ({ text: memoryName(id), action: { do: 'memory' as const, id } }))]
        : []),
      ...(pages.length > 0 ? [pages] : []),
    ],
  }
}

function headline({ memories, stats, query, offset }: Parameters<typeof memoryPage>[0]): string {
  if (stats.total === 0) return `${bold('Nothing is remembered yet')}\nWhat runs come to is, by itself.`
  if (query === '') return bold(`${stats.total} memories`)
  if (query !== null && memories.length === 0 && offset === 0)
    return `Nothing remembered fits ${code(clip(unmask(query), 60))}.`
  if (query === null) return 'What fits, the most important first:'
  return `What fits ${code(clip(unmask(query), 60))}, the most important first:`
}

const footline = (stats: MemoryStats, query: string | null): string =>
  stats.total === 0 || query !== ''
    ? ''
    : '<code>/memory words</code> searches, <code>/memory remember …</code> adds to it.'

/** One memory in full. Pure. */
export function memoryCard(memory: Memory, { mayChange, now }: { mayChange: boolean; now: Date }): Shown {
  const { id, kind, text, seen, outside, times, correctedAt } = memory
  const lines = [
    `${bold(memoryName(id))} · ${words[kind]}${often(times)} · ${ago(memory.lastAt, now)} ago`,
    escapeHtml(clip(unmask(text), MAX_CARD)),
    ...(seen ? [quote(clip(unmask(seen), MAX_CARD))] : []),
    ...(outside ? ['⚠️ It has words from elsewhere: a plan made with it in view asks.'] : []),
    ...(correctedAt ? [`Corrected ${time(correctedAt, 'wt')}`] : []),
  ]
  const change: Buttons = mayChange
    ? [
        [
          { text: 'Correct', action: { do: 'correct_memory', id } },
          { text: 'Forget', action: { do: 'forget_memory', id, sure: false }, style: 'danger' },
        ],
      ]
    : []
  return {
    html: lines.join('\n'),
    buttons: [...change, [{ text: 'All memories', action: { do: 'memories', offset: 0 } }]],
  }
}
