import { tooMany } from './apiError.ts'
import type { Limits } from './types.ts'

export type Limiter = {
  /** Takes one message's worth, or throws 429 with the seconds to wait. A refused call costs nothing. */
  take(chatId: number): void
  /** The same for drafts, which Telegram counts apart from messages. */
  takeDraft(chatId: number): void
}

/** One limit: how long until it lets one more through, in ms, and the taking of it. */
type Gate = { waitMs(now: number): number; take(now: number): void }

/** Limits a chat, a group and overall. `now` is in ms. */
export function createLimiter(limits: Limits, now: () => number = Date.now): Limiter {
  const { burst, perChatPerSecond, groupPerMinute, overallPerSecond } = limits
  const chats = gates(() => bucket(burst, perChatPerSecond))
  const groups = gates(() => slidingWindow(groupPerMinute, 60_000))
  const drafts = gates(() => bucket(burst, perChatPerSecond * 3))
  const overall = slidingWindow(overallPerSecond, 1000)
  return {
    take: (id) => takeAll([chats(id), overall, ...(id < 0 ? [groups(id)] : [])], now()),
    takeDraft: (id) => takeAll([drafts(id)], now()),
  }
}

function takeAll(wanted: Gate[], now: number): void {
  const wait = Math.max(...wanted.map((gate) => gate.waitMs(now)))
  if (wait > 0) throw tooMany(Math.ceil(wait / 1000))
  for (const gate of wanted) gate.take(now)
}

function gates(create: () => Gate): (id: number) => Gate {
  const known = new Map<number, Gate>()
  return (id) => {
    const gate = known.get(id) ?? create()
    known.set(id, gate)
    return gate
  }
}

/** Lets `capacity` through at once and `perSecond` in the long run. */
function bucket(capacity: number, perSecond: number): Gate {
  let tokens = capacity
  let at = Number.NaN
  return {
    waitMs(now) {
      if (!Number.isNaN(at)) tokens = Math.min(capacity, tokens + ((now - at) / 1000) * perSecond)
      at = now
      return Math.max(0, ((1 - tokens) / perSecond) * 1000)
    },
    take: () => {
      tokens -= 1
    },
  }
}

/** Lets `count` through in any stretch of `spanMs`. */
function slidingWindow(count: number, spanMs: number): Gate {
  const times: number[] = []
  return {
    waitMs(now) {
      while (times[0] !== undefined && times[0] <= now - spanMs) times.shift()
      const [oldest] = times
      return oldest === undefined || times.length < count ? 0 : oldest + spanMs - now
    },
    take: (now) => {
      times.push(now)
    },
  }
}
