/** A piece of a prompt: its text, and how much of the room it may claim beside others that want room too. */
export type Block = { text: string; share: number }

/**
 * Gives each block its part of `room` characters by its share. What a block does not need goes to the others by theirs;
 * all of them together never take more than `room`. Returns the room of each, in order. Pure.
 */
export function shareRoom(blocks: readonly Block[], room: number): number[] {
  const given = blocks.map(() => 0)
  let open = blocks.map((_, i) => i)
  let left = Math.max(0, Math.floor(room))
  while (open.length > 0) {
    const shares = open.reduce((sum, i) => sum + weight(blocks[i]), 0)
    const fair = (i: number): number => Math.floor((left * weight(blocks[i])) / shares)
    const content = open.filter((i) => (blocks[i]?.text.length ?? 0) <= fair(i))
    for (const i of content.length > 0 ? content : open)
      given[i] = Math.min(blocks[i]?.text.length ?? 0, fair(i))
    if (content.length === 0) return given
    left -= content.reduce((sum, i) => sum + (given[i] ?? 0), 0)
    open = open.filter((i) => !content.includes(i))
  }
  return given
}

const weight = (block: Block | undefined): number => Math.max(1e-6, block?.share ?? 0)

/** Room that the line about what was left out takes. */
const NOTE = 48

/**
 * A text of at most `room` characters: whole, or its beginning and its end around a line that says how much was left
 * out between. `head`: which part of the room the beginning gets. Cuts no surrogate pair. Pure.
 */
export function cutText(text: string, room: number, head = 0.7): string {
  if (text.length <= room) return text
  if (room <= NOTE) return whole(text.slice(0, Math.max(0, room)))
  const first = Math.floor((room - NOTE) * head)
  const last = room - NOTE - first
  const [begin, end] = [text.slice(0, first), last > 0 ? text.slice(-last) : '']
  return `${whole(begin)}\n[… ${text.length - first - last} characters left out …]\n${whole(end)}`
}

/** Without half of a character at either end. */
const whole = (text: string): string => text.replace(/^[\uDC00-\uDFFF]/, '').replace(/[\uD800-\uDBFF]$/, '')

/** Each text cut to its part of `room`. Pure. */
export const fitBlocks = (blocks: readonly (Block & { head?: number })[], room: number): string[] => {
  const rooms = shareRoom(blocks, room)
  return blocks.map(({ text, head }, i) => cutText(text, rooms[i] ?? 0, head))
}
