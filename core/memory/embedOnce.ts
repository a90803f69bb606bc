import type { Deps } from '../deps.ts'
import type { Sql } from '../storage/sql.ts'
import { vectorText } from './embedder.ts'

/** Texts of one request to the provider. */
const BATCH = 64
const PATIENCE_MS = 30_000

/**
 * Gives an embedding to memories that have none, or one of another model, the newest first. A provider that is away is
 * asked again at the next tick; search by text has them meanwhile. Returns how many got one.
 */
export async function embedOnce({ db, memory }: { db: Sql } & Pick<Deps, 'memory'>): Promise<number> {
  const embedder = memory?.embedder
  if (!embedder) return 0
  for (let done = 0; ; ) {
    const rows = await db.query<{ id: number; text: string; hash: string }>(
      `SELECT m.id, m.text, md5(m.text) AS hash FROM memory m
       WHERE NOT EXISTS (SELECT 1 FROM memory_embedding e WHERE e.memory_id = m.id AND e.model = $1)
       ORDER BY m.id DESC LIMIT ${BATCH}`,
      [embedder.name],
    )
    if (rows.length === 0) return done
    const texts = rows.map(({ text }) => text)
    const vectors = await embedder.embed(texts, 'document', AbortSignal.timeout(PATIENCE_MS))
    // Only where the text is still the same: it may have been corrected or forgotten meanwhile.
    await db.query(
      `INSERT INTO memory_embedding (memory_id, model, embedding)
       SELECT m.id, $1, x.embedding::vector FROM unnest($2::bigint[], $3::text[], $4::text[]) AS x(id, hash, embedding)
       JOIN memory m ON m.id = x.id AND md5(m.text) = x.hash FOR KEY SHARE OF m
       ON CONFLICT (memory_id) DO UPDATE SET model = EXCLUDED.model, embedding = EXCLUDED.embedding`,
      [embedder.name, rows.map(({ id }) => id), rows.map(({ hash }) => hash), vectors.map(vectorText)],
    )
    done += rows.length
    if (rows.length < BATCH) return done
  }
}
