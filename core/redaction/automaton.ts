/** Looks for many words at once, in one pass over the text. Letter case makes no difference, ASCII words only. */
export type Automaton = {
  /** Calls `onHit` with the index of each word found and where it ends, in the order of the ends. */
  scan(text: string, onHit: (word: number, end: number) => void): void
}

const COLUMNS = 128
const lower = (code: number): number => (code >= 65 && code <= 90 ? code + 32 : code)
const upper = (code: number): number => (code >= 97 && code <= 122 ? code - 32 : code)

type Node = { next: Map<number, number>; words: number[]; fail: number }
const emptyNode = (): Node => ({ next: new Map(), words: [], fail: 0 })

function trieOf(words: readonly string[]): Node[] {
  const nodes = [emptyNode()]
  for (const [index, word] of words.entries()) {
    let at = 0
    for (let i = 0; i < word.length; i++) at = step(nodes, at, lower(word.charCodeAt(i)))
    nodes[at]?.words.push(index)
  }
  return nodes
}

function step(nodes: Node[], at: number, code: number): number {
  const known = nodes[at]?.next.get(code)
  if (known !== undefined) return known
  nodes.push(emptyNode())
  nodes[at]?.next.set(code, nodes.length - 1)
  return nodes.length - 1
}

/** Every node's transition for every character, by Aho and Corasick's construction; parents come before children. */
function tableOf(nodes: readonly Node[]): { table: Uint16Array; order: number[] } {
  const table = new Uint16Array(nodes.length * COLUMNS)
  const order = [0]
  for (const at of order) {
    const node = nodes[at] as Node
    if (at !== 0) table.copyWithin(at * COLUMNS, node.fail * COLUMNS, (node.fail + 1) * COLUMNS)
    for (const [code, child] of node.next) {
      const next = nodes[child] as Node
      next.fail = at === 0 ? 0 : (table[node.fail * COLUMNS + code] as number)
      next.words.push(...(nodes[next.fail] as Node).words)
      table[at * COLUMNS + code] = child
      table[at * COLUMNS + upper(code)] = child
      order.push(child)
    }
  }
  return { table, order }
}

/**
 * Builds the automaton. Nodes that end a word get the highest numbers, so that the loop over the text needs one
 * comparison a character. Throws RangeError for more than 65,535 nodes.
 */
export function buildAutomaton(words: readonly string[]): Automaton {
  const nodes = trieOf(words)
  if (nodes.length > 0xffff) throw new RangeError(`${words.length} words are too many to look for at once`)
  const { table, order } = tableOf(nodes)
  const sorted = [
    ...order.filter((n) => nodes[n]?.words.length === 0),
    ...order.filter((n) => nodes[n]?.words.length),
  ]
  const place = new Uint16Array(nodes.length)
  for (const [to, from] of sorted.entries()) place[from] = to
  const next = new Uint16Array(table.length)
  for (const [to, from] of sorted.entries())
    for (let c = 0; c < COLUMNS; c++)
      next[to * COLUMNS + c] = place[table[from * COLUMNS + c] as number] as number
  const found = sorted.map((n) => nodes[n]?.words ?? [])
  const first = found.findIndex((list) => list.length > 0)
  const longest = Math.max(0, ...words.map((word) => word.length))
  const ready: Table = { next, firstWord: first < 0 ? 0x10000 : first, longest, found }
  return { scan: (text, onHit) => scan(ready, text, onHit) }
}

type Table = {
  next: Uint16Array
  /** The first node that ends a word. */
  firstWord: number
  /** Characters of the longest word: no node depends on more than so many before it. */
  longest: number
  found: readonly (readonly number[])[]
}

/** The text goes through here as bytes, a piece at a time: they are read several times as fast as characters. */
const piece = Buffer.alloc(16 * 1024)
/** A shorter piece is read from its beginning to its end; a longer one in four places at once. */
const FOUR_FROM = 1024

/** Nodes that end a word, and where, in the order of the text. */
type Ends = { node: number; at: number }[]

/**
 * Of a character only the low seven bits are looked at. What is no ASCII may so be taken for a letter: a word is found
 * that is not there, which the closer look sees; none that is there is missed.
 */
function scan(table: Table, text: string, onHit: (word: number, end: number) => void): void {
  let node = 0
  for (let from = 0; from < text.length; from += piece.length) {
    const size = piece.write(text.slice(from, from + piece.length), 'latin1')
    const ends: Ends = []
    node =
      size < FOUR_FROM || size < table.longest * 8
        ? readOne(table, node, 0, size, ends)
        : readFour(table, node, size, ends)
    for (const { node: end, at } of ends)
      for (const word of table.found[end] as readonly number[]) onHit(word, from + at)
  }
}

function readOne({ next, firstWord }: Table, node: number, from: number, to: number, ends: Ends): number {
  let at = node
  for (let i = from; i < to; i++) {
    at = next[(at << 7) | ((piece[i] as number) & 127)] as number
    if (at >= firstWord) ends.push({ node: at, at: i + 1 })
  }
  return at
}

/** Four readers, each a quarter: none waits for the other's look into the table. Each begins a longest word early. */
function readFour(table: Table, node: number, size: number, ends: Ends): number {
  const { next, firstWord, longest } = table
  const quarter = size >> 2
  const begin = (n: number): number => readOne(table, 0, n * quarter - longest, n * quarter, [])
  const late: [Ends, Ends, Ends] = [[], [], []]
  let a = node
  let b = begin(1)
  let c = begin(2)
  let d = begin(3)
  for (let i = 0, j = quarter, k = 2 * quarter, l = 3 * quarter; i < quarter; i++, j++, k++, l++) {
    a = next[(a << 7) | ((piece[i] as number) & 127)] as number
    b = next[(b << 7) | ((piece[j] as number) & 127)] as number
    c = next[(c << 7) | ((piece[k] as number) & 127)] as number
    d = next[(d << 7) | ((piece[l] as number) & 127)] as number
    if (a >= firstWord) ends.push({ node: a, at: i + 1 })
    if (b >= firstWord) late[0].push({ node: b, at: j + 1 })
    if (c >= firstWord) late[1].push({ node: c, at: k + 1 })
    if (d >= firstWord) late[2].push({ node: d, at: l + 1 })
  }
  for (const part of late) ends.push(...part)
  return readOne(table, d, 4 * quarter, size, ends)
}
