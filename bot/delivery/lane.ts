import type { Kind } from './limits.ts'
import type { Delivery } from './sendOne.ts'

/** `force`: also when only its clock moved. `last`: the work it shows has ended. */
export type Mark = { force: boolean; last: boolean }

/** What goes to one chat, one thing at a time. */
export type Lane = {
  chatId: number
  sends: Delivery[]
  dirty: Map<string, Mark>
  busy: boolean
  timer: NodeJS.Timeout | null
  /** The timer is for the limits alone: what may go sooner need not wait for it. */
  pacing: boolean
  failures: number
}

export const emptyLane = (chatId: number): Lane => ({
  chatId,
  sends: [],
  dirty: new Map(),
  busy: false,
  timer: null,
  pacing: false,
  failures: 0,
})

/** Adds a mark of a card to those it has already. */
export function addMark(lane: Lane, cardId: string, { force, last }: Mark): void {
  const before = lane.dirty.get(cardId)
  lane.dirty.set(cardId, {
    force: force || (before?.force ?? false),
    last: last || (before?.last ?? false),
  })
}

/** Messages before edits; of the edits those first whose work has ended. */
export const nextKind = (lane: Lane): Kind =>
  lane.sends.length > 0 ? 'send' : lastFirst(lane)?.[1].last ? 'last edit' : 'edit'

/** The card that is edited next, with its mark. */
export const lastFirst = (lane: Lane): [string, Mark] | undefined =>
  [...lane.dirty].find(([, mark]) => mark.last) ?? [...lane.dirty][0]
