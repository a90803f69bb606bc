import type { Logger } from '../config/logger.ts'
import { Outage } from '../config/outage.ts'
import type { Sql } from '../storage/sql.ts'
import { type Embedder, vectorText } from './embedder.ts'
import { scopeValues } from './scope.ts'
import { type Found, placeValues, placeWeight, type Question, type Search } from './search.ts'

/** A question is not kept waiting longer than this for its vector; the other way of search answers alone. */
const PATIENCE_MS = 3000
/** After a fault the provider is left alone for so long. */
const COOL_DOWN_MS = 30_000
/** Vectors of questions that are kept, since several parts ask for the same text. */
const KEPT = 200

type Options = { embedder: Embedder; log: Pick<Logger, 'warn'> }

/** Search by likeness of meaning: pgvector with an HNSW index (docs/memory.md). Finds nothing while the provider is away. */
export function searchVectors({ embedder, log }: Options): Search {
  const vectorOf = keepingVectors(embedder, new Outage(log, `the embeddings of ${embedder.name}`))
  return {
    way: 'vectors',
    find: async (sql, question, limit) => {
      if (question.text.trim() === '' || limit < 1) return []
      const vector = await vectorOf(question.text, question.signal)
      return vector === null ? [] : nearest(sql, embedder.name, vector, question, limit)
    },
  }
}

/** The nearest by the index, then weighted by place: a few more are looked at, so that weighing has a choice. */
function nearest(
  sql: Sql,
  model: string,
  vector: string,
  { scope, place, kinds }: Question,
  limit: number,
): Promise<Found[]> {
  return sql.query<Found>(
    `SELECT m.id, greatest(0, least(1, 1 - n.distance)) * ${placeWeight(8)} AS relevance
     FROM memory_near($1::vector, $2, $3::uuid, $4::text[], $5::text[], $6::text[], 2 * $7::int) n JOIN memory m ON m.id = n.id
     ORDER BY relevance DESC, m.last_at DESC LIMIT $7`,
    [vector, model, ...scopeValues(scope), kinds ?? null, limit, ...placeValues(place)],
  )
}

/** The vector of a question as PostgreSQL takes it; null while the provider is away, or once nobody waits for it. */
function keepingVectors(
  embedder: Embedder,
  outage: Outage,
): (text: string, signal?: AbortSignal) => Promise<string | null> {
  const kept = new Map<string, string>()
  let quietUntil = 0
  return async (text, signal) => {
    const known = kept.get(text)
    if (known !== undefined) return known
    if (performance.now() < quietUntil || signal?.aborted) return null
    try {
      const patience = AbortSignal.timeout(PATIENCE_MS)
      const until = signal ? AbortSignal.any([patience, signal]) : patience
      const [vector = []] = await embedder.embed([text], 'query', until)
      outage.over()
      if (kept.size >= KEPT) kept.delete(kept.keys().next().value ?? '')
      kept.set(text, vectorText(vector))
      return kept.get(text) ?? null
    } catch (error) {
      if (signal?.aborted) return null
      quietUntil = performance.now() + COOL_DOWN_MS
      outage.failed(error)
      return null
    }
  }
}
