import type { Update } from 'grammy/types'
import { ApiError } from './apiError.ts'
import type { Store } from './store.ts'

const recentKept = 1000
const optIn = new Set(['chat_member', 'message_reaction', 'message_reaction_count'])

/** An update before it has its id. */
export type NewUpdate = Omit<Update, 'update_id'>
type Poll = { offset?: number; limit: number; timeoutMs: number; cancelled: AbortSignal }

export type UpdateQueue = {
  /** Adds an update unless the bot did not ask for its type. Returns its id, or null. */
  push(update: NewUpdate): number | null
  /** Puts a past update out once more, before all others. */
  redeliver(updateId: number): void
  recent(): Update[]
  /** Waits for updates, as getUpdates does. A second poll ends the first with 409. */
  poll(poll: Poll): Promise<Update[]>
  /** Ends a waiting poll with 409 for this reason and wakes who else listens. */
  interrupt(reason: string): void
  /** The next update for a webhook, without waiting. */
  peek(): Update | undefined
  confirm(before: number): void
  dropAll(): void
  count(): number
  onPush(listener: () => void): () => void
}

const conflict = (why: string) => new ApiError(409, `Conflict: ${why}`)
const otherPoll = 'terminated by other getUpdates request; make sure that only one bot instance is running'

/** The bot's updates, kept until confirmed by an offset or taken by a webhook. */
export function createUpdateQueue(store: Store): UpdateQueue {
  const recent: Update[] = [...store.state.pending]
  const again: Update[] = []
  const listeners = new Set<() => void>()
  let waiting: { end(error: ApiError | null): void } | null = null
  const announce = () => {
    for (const listener of [...listeners]) listener()
  }

  const push = (update: NewUpdate): number | null => {
    if (!wanted(store.state.allowedUpdates, update)) return null
    const numbered: Update = { update_id: store.state.nextUpdate, ...update }
    store.record({ kind: 'update', update: numbered })
    recent.push(numbered)
    if (recent.length > recentKept) recent.shift()
    announce()
    return numbered.update_id
  }

  const redeliver = (updateId: number) => {
    const update = recent.find((each) => each.update_id === updateId)
    if (!update) throw new Error(`No update ${updateId} among the last ${recentKept}`)
    again.push(update)
    announce()
  }

  const confirm = (before: number) => {
    if (store.state.pending.some((update) => update.update_id < before))
      store.record({ kind: 'confirm', before })
  }

  const take = (limit: number): Update[] =>
    [...again.splice(0, limit), ...store.state.pending].slice(0, limit)

  const settleOffset = (offset: number | undefined) => {
    if (offset === undefined) return
    const { pending, nextUpdate } = store.state
    confirm(offset >= 0 ? offset : (pending.at(offset)?.update_id ?? pending[0]?.update_id ?? nextUpdate))
  }

  const wait = (poll: Poll) =>
    new Promise<void>((resolve, reject) => {
      const end = (error: ApiError | null) => {
        clearTimeout(timer)
        listeners.delete(wake)
        if (waiting?.end === end) waiting = null
        if (error) reject(error)
        else resolve()
      }
      const wake = () => end(null)
      const timer = setTimeout(wake, poll.timeoutMs)
      listeners.add(wake)
      poll.cancelled.addEventListener('abort', wake)
      waiting = { end }
    })

  return {
    push,
    redeliver,
    confirm,
    recent: () => [...recent],
    async poll(poll) {
      waiting?.end(conflict(otherPoll))
      settleOffset(poll.offset)
      if (again.length + store.state.pending.length === 0 && poll.timeoutMs > 0) await wait(poll)
      return poll.cancelled.aborted ? [] : take(poll.limit)
    },
    interrupt(reason) {
      waiting?.end(conflict(reason))
      announce()
    },
    peek: () => again.shift() ?? store.state.pending[0],
    dropAll: () => confirm(store.state.nextUpdate),
    count: () => store.state.pending.length,
    onPush(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
  }
}

function wanted(allowed: string[] | null, update: NewUpdate): boolean {
  const [type] = Object.keys(update)
  if (type === undefined) return false
  return allowed === null || allowed.length === 0 ? !optIn.has(type) : allowed.includes(type)
}
