import { understand } from './understand.ts'

/** Telegram parts a longer text; its clients cut anywhere in the second half of the limit, at a line's end if there is one. */
const MESSAGE_LIMIT = 4096
const PART_LENGTH = MESSAGE_LIMIT / 2
/** What is held waits this long for more, and anew with each part. */
export const HOLD_MS = 900
/** But in all no longer than this, and for no more parts than that. */
export const LONGEST_HOLD_MS = 8000
export const MOST_PARTS = 40
/** Two messages that are sent so soon one after the other are one thing: by arrival here, and by the clock of Telegram, which counts seconds. */
const QUICK_MS = 1200
const QUICK_S = 2

/** How a message stands to what its sender wrote before it, in the same chat and topic. */
export type Arrival = {
  text: string
  /** Parts that wait for more: how many, and when the last was sent, in Telegram's seconds. */
  held: { parts: number; lastDate: number } | null
  /** The last message before it that was a request: how long ago it arrived, and when it was sent. */
  before: { agoMs: number; date: number } | null
  date: number
  /** Whether the bot has asked something and waits for the answer. */
  answers: boolean
}

/**
 * What becomes of a message. `now`: handled by itself, what is held goes on waiting. `hold`: it is, or may be, a part.
 * `apart`: what is held is complete, this is something else.
 */
export type Placing = 'now' | 'hold' | 'apart'

/**
 * Whether a text waits for more. Commands, words and questions to the bot never do; of all else only what looks like a
 * part: long as Telegram parts it, plainly unfinished, or right behind another. Pure.
 */
export function placeText(arrival: Arrival): Placing {
  const { text, held, before, date, answers } = arrival
  if (!(held && text.length >= PART_LENGTH) && isUrgent(text)) return 'now'
  if (held) {
    if (Math.abs(date - held.lastDate) > QUICK_S + 1 || held.parts >= MOST_PARTS) return 'apart'
    return 'hold'
  }
  if (text.length >= PART_LENGTH) return 'hold'
  if (answers || text.startsWith('/') || understand(text).kind !== 'request') return 'now'
  const isQuick = before !== null && before.agoMs < QUICK_MS && Math.abs(date - before.date) <= QUICK_S
  return isQuick || isUnfinished(text) ? 'hold' : 'now'
}

/** What is handled at once whatever waits: commands, stop words and all that steers, questions about work. */
function isUrgent(text: string): boolean {
  // A long request to /plan is parted like any other text.
  if (text.startsWith('/')) return !(text.length >= PART_LENGTH && /^\/plan(?:@\w+)?\s/.test(text))
  const said = understand(text)
  // With a place it may be a line of a text all the same: `stop on error`.
  return (said.kind === 'steer' || said.kind === 'question') && said.target.place.length === 0
}

const openEnd =
  /(?:[:,;…]|\.\.\.|[-–—]|(?:^|[^\p{L}])(?:and|or|but|because|with|the|a|an|can you|could you|und|oder|aber|mit|y|o|pero|et|ou|mais|mas|и|или|но))\s*$/iu

/** Whether a text plainly goes on: it ends in a comma, a colon or a little word, or leaves a block of code open. Pure. */
export const isUnfinished = (text: string): boolean =>
  (text.match(/```/g)?.length ?? 0) % 2 === 1 || openEnd.test(text.trim())

/**
 * Parts as the one text they were. Telegram takes the space away where it cuts, so a line's end stands between two
 * parts; where a part is exactly as long as a message can be it was cut in the middle of a word. Pure.
 */
export function joinParts(parts: readonly string[]): string {
  return parts.reduce(
    (whole, part, at) =>
      at === 0 ? part : `${whole}${wasCutAnywhere(parts[at - 1] ?? '', part) ? '' : '\n'}${part}`,
    '',
  )
}

const wasCutAnywhere = (before: string, after: string): boolean =>
  before.length >= MESSAGE_LIMIT && !/\s$/.test(before) && !/^\s/.test(after)
