/** Telegram's limits as 2-contracts states them, with the short bursts that Telegram lets pass. */
export type LimitOptions = {
  chatBurst: number
  groupPerMinute: number
  perSecond: number
  /** The first edit after a message: what happens at once is then one edit, not two. */
  firstEditMs: number
  editGapMs: number
  groupEditGapMs: number
}
export const telegramLimits: LimitOptions = {
  chatBurst: 4,
  groupPerMinute: 20,
  perSecond: 30,
  firstEditMs: 350,
  editGapMs: 1000,
  groupEditGapMs: 5000,
}

export type Kind = 'send' | 'edit' | 'last edit'

type Chat = {
  tokens: number
  at: number
  minute: number[]
  lastEdit: number
  firstEditAt: number
  blockedUntil: number
}

/**
 * Says when a call to a chat may go out. One message a second per chat with a small burst, 20 a minute in a group,
 * 30 a second in all; edits wait for a gap and leave a token to messages; the last edit of a card need not wait for
 * more to happen. `retry_after` blocks the chat. Pure but
 * for its own counts; times are milliseconds.
 */
export function createLimits(options: LimitOptions = telegramLimits) {
  const chats = new Map<number, Chat>()
  let second: number[] = []
  const chatOf = (id: number, now: number): Chat => {
    const chat = chats.get(id) ?? {
      tokens: options.chatBurst,
      at: now,
      minute: [],
      lastEdit: Number.NEGATIVE_INFINITY,
      firstEditAt: 0,
      blockedUntil: 0,
    }
    chat.tokens = Math.min(options.chatBurst, chat.tokens + (now - chat.at) / 1000)
    chat.at = now
    chat.minute = chat.minute.filter((t) => t > now - 60_000)
    chats.set(id, chat)
    return chat
  }
  const overall = (now: number): number => {
    second = second.filter((t) => t > now - 1000)
    return second.length < options.perSecond ? 0 : (second[0] ?? now) + 1000 - now
  }
  return {
    /** Milliseconds until a message (or an edit) may go to that chat; 0: now. */
    waitFor(id: number, kind: Kind, now: number): number {
      const chat = chatOf(id, now)
      const group = id < 0
      const reserve = kind === 'edit' ? 1 : 0
      const gap = group ? options.groupEditGapMs : options.editGapMs
      return Math.max(
        0,
        chat.blockedUntil - now,
        (1 + reserve - chat.tokens) * 1000,
        kind === 'send' ? 0 : chat.lastEdit + gap - now,
        kind === 'edit' ? chat.firstEditAt - now : 0,
        group && chat.minute.length + reserve >= options.groupPerMinute
          ? (chat.minute[0] ?? now) + 60_000 - now
          : 0,
        overall(now),
      )
    },
    used(id: number, kind: Kind, now: number): void {
      const chat = chatOf(id, now)
      chat.tokens -= 1
      chat.minute.push(now)
      second.push(now)
      if (kind === 'send') chat.firstEditAt = now + options.firstEditMs
      else chat.lastEdit = now
    },
    block(id: number, ms: number, now: number): void {
      chatOf(id, now).blockedUntil = now + ms
    },
  }
}
export type Limits = ReturnType<typeof createLimits>
