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
  const firstWord = found.findIndex((list) => list.length > 0)
  return { scan: (text, onHit) => run(text, next, firstWord < 0 ? 0x10000 : firstWord, found, onHit) }
}

function run(
  text: string,
  next: Uint16Array,
  firstWord: number,
  found: readonly (readonly number[])[],
  onHit: (word: number, end: number) => void,
): void {
  let state = 0
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    state = code < COLUMNS ? (next[state * COLUMNS + code] as number) : 0
    if (state >= firstWord) for (const word of found[state] as readonly number[]) onHit(word, i + 1)
  }
}
