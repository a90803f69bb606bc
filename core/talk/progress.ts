import type { MilestoneView } from '../runs/viewRun.ts'

/** Nobody who did not ask is told of progress more often than this in one chat. */
export const QUIET_MS = 60_000

/** Work that is over sooner than this is told of by its outcome alone. */
export const YOUNG_MS = QUIET_MS / 6

/** What a chat has been told of a run's milestones. Each message tells of one milestone and of those that start after it. */
export type Told = {
  /** The first milestone of each message, in any order. */
  keys: readonly string[]
  /** How long ago the chat was last told of any run's progress; null: never. */
  quietMs: number | null
  /** How long ago the run's first milestone began. */
  underWayMs: number
}

type Part = Pick<MilestoneView, 'key' | 'startedAt'>

/** Milestones that have begun, in that order. */
export const begun = <P extends Part>(parts: readonly P[]): P[] =>
  parts
    .filter((part) => part.startedAt !== null)
    .sort((a, b) => (a.startedAt?.getTime() ?? 0) - (b.startedAt?.getTime() ?? 0))

/**
 * The milestone that a new message has to begin with; null when none is to be sent now. What began while the chat had
 * just been told of something is added to the message that is there by an edit, which notifies nobody. So nothing is
 * told twice, and at most one message a minute comes by itself. Work that has just begun may soon be over: it is told of
 * when it is not. Pure.
 */
export function progressDue(parts: readonly Part[], told: Told): string | null {
  if (told.quietMs !== null && told.quietMs < QUIET_MS) return null
  if (told.keys.length === 0 && told.underWayMs < YOUNG_MS) return null
  const order = begun(parts).map((part) => part.key)
  const newest = order.at(-1)
  if (newest === undefined) return null
  const lastTold = Math.max(-1, ...told.keys.map((key) => order.indexOf(key)))
  if (lastTold < 0) return order[0] ?? null
  return lastTold === order.length - 1 ? null : newest
}

/** The milestones one message tells of: from its first up to where the next message begins. Pure. */
export function partsTold<P extends Part>(parts: readonly P[], first: string, next: string | null): P[] {
  const order = begun(parts)
  const from = order.findIndex((part) => part.key === first)
  const to = next === null ? -1 : order.findIndex((part) => part.key === next)
  return from < 0 ? [] : order.slice(from, to < 0 ? order.length : to)
}
