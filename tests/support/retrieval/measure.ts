import { embedOnce } from '../../../core/memory/embedOnce.ts'
import type { MemoryAccess } from '../../../core/memory/openMemory.ts'
import { recall } from '../../../core/memory/recall.ts'
import { everything } from '../../../core/memory/scope.ts'
import { storeMemory } from '../../../core/memory/storeMemory.ts'
import type { VectorDatabase } from '../pglite.ts'
import { type Corpus, makeCorpus } from './corpus.ts'

/** How well a way of search finds: means over all questions, 0 to 1. */
export type Score = { name: string; recall: number; ndcg: number }
type Way = { name: string; find(ask: string): Promise<number[]> }

const AT = 5

/** Puts a corpus into a database. Returns the number of each memory. */
export async function fill(db: VectorDatabase, { memories }: Corpus): Promise<number[]> {
  const ids: number[] = []
  await db.tx(async (tx) => {
    for (const memory of memories) ids.push((await storeMemory({ redact: (text) => text }, tx, memory)) ?? 0)
  })
  return ids
}

/** PostgreSQL's own full-text search with its own ranking; `any`: of the words, else all of them. */
const plain = (db: VectorDatabase, any: boolean): Way => ({
  name: `plain full text, ${any ? 'any word' : 'all words'}`,
  find: async (ask) => {
    const query = any
      ? "replace(plainto_tsquery('english', $1)::text, '&', '|')::tsquery"
      : "plainto_tsquery('english', $1)"
    const text = "to_tsvector('english', text || ' ' || coalesce(seen, ''))"
    const rows = await db.query<{ id: number }>(
      `SELECT id FROM memory WHERE ${text} @@ ${query} ORDER BY ts_rank_cd(${text}, ${query}) DESC, id LIMIT ${AT}`,
      [ask],
    )
    return rows.map(({ id }) => id)
  },
})

function ways(db: VectorDatabase, memory: MemoryAccess): Way[] {
  const clock = { now: () => new Date(Date.UTC(2026, 10, 20)) }
  const ranked = (name: string, searches: MemoryAccess['searches']): Way => ({
    name,
    find: async (ask) => {
      const deps = { db, clock, memory: { ...memory, searches } } as unknown as Parameters<typeof recall>[0]
      return (await recall(deps, { text: ask, limit: AT })).map(({ id }) => id)
    },
  })
  const single = memory.searches.map(
    ({ way, find }): Way => ({
      name: way,
      find: async (ask) => (await find(db, { text: ask, scope: everything }, AT)).map(({ id }) => id),
    }),
  )
  const text = memory.searches.filter(({ way }) => way === 'text')
  return [
    plain(db, false),
    plain(db, true),
    ...single,
    ranked('text, by importance', text),
    ranked('both, by importance', memory.searches),
  ]
}

/** Discounted gain of the answers among the first few, against the best there could be (binary relevance). */
function ndcg(found: readonly number[], answers: ReadonlySet<number>): number {
  const gain = (hits: readonly boolean[]) =>
    hits.reduce((sum, hit, n) => sum + (hit ? 1 / Math.log2(n + 2) : 0), 0)
  const best = Array.from({ length: Math.min(AT, answers.size) }, () => true)
  return gain(found.slice(0, AT).map((id) => answers.has(id))) / gain(best)
}

/** Asks every question in every way, on one database. */
export async function measure(
  db: VectorDatabase,
  memory: MemoryAccess,
  corpus = makeCorpus(),
): Promise<Score[]> {
  const ids = await fill(db, corpus)
  await embedOnce({ db, memory })
  const scores: Score[] = []
  for (const way of ways(db, memory)) {
    let [recalled, gained] = [0, 0]
    for (const { ask, answers } of corpus.queries) {
      const wanted = new Set(answers.map((n) => ids[n] ?? 0))
      const found = await way.find(ask)
      recalled += found.filter((id) => wanted.has(id)).length / Math.min(AT, wanted.size)
      gained += ndcg(found, wanted)
    }
    scores.push({
      name: way.name,
      recall: recalled / corpus.queries.length,
      ndcg: gained / corpus.queries.length,
    })
  }
  return scores
}
