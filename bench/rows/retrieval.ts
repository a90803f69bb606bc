import { recall } from '../../core/memory/recall.ts'
import { everything } from '../../core/memory/scope.ts'
import { scaled } from '../compare.ts'
import { latencyLine, percentile } from '../figures.ts'
import { fillMemories, questions } from '../memories.ts'
import type { Stand } from '../stand.ts'

const SIZES = [1000, 10_000, 100_000]
const QUESTIONS = 200
const AIM = { p50: 25, p99: 50 }

/**
 * Search in the memory at three sizes, on the product's own PostgreSQL, one question at a time: the search itself, and all
 * of what a plan waits for (`recall`: search, ranking, the memories themselves). Beside it PostgreSQL's own ranking with
 * the same index. The first time round warms up.
 */
export async function retrievalRow(stand: Stand): Promise<string[]> {
  const { deps } = await stand.control('memories')
  const search = deps.memory?.searches.find(({ way }) => way === 'text')
  if (!search) throw new Error('memory is off')
  const lines: string[] = []
  for (const [n, size] of SIZES.entries()) {
    const count = scaled(size)
    await fillMemories(deps.db, scaled(SIZES[n - 1] ?? 0) * Math.min(1, n), count)
    const asked = questions(QUESTIONS)
    const timed = async (ask: (text: string) => Promise<{ length: number }>) => {
      const took: number[] = []
      let found = 0
      for (const round of [0, 1])
        for (const text of asked) {
          const began = performance.now()
          const rows = await ask(text)
          if (round === 0) continue
          took.push(performance.now() - began)
          found += Math.min(1, rows.length)
        }
      return { took, found }
    }
    const own = await timed((text) => search.find(deps.db, { text, scope: everything }, 15))
    const all = await timed((text) => recall(deps, { text, limit: 5 }))
    const plain = await timed((text) =>
      deps.db.query(
        `SELECT id FROM memory, (SELECT replace(plainto_tsquery('english', $1)::text, '&', '|')::tsquery AS q) q
         WHERE words @@ q.q ORDER BY ts_rank(words, q.q) DESC LIMIT 15`,
        [text],
      ),
    )
    lines.push(
      `${count} memories: ${own.found} of ${QUESTIONS} questions found some`,
      latencyLine('  search', own.took, AIM),
      latencyLine('  recall', all.took, AIM),
      `  plain full text, any word          p50 ${percentile(plain.took, 50).toFixed(1).padStart(6)} ms  p99 ${percentile(plain.took, 99).toFixed(1).padStart(6)} ms`,
    )
  }
  return lines
}
