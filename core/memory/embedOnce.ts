import type { Deps } from '../deps.ts'
import { ModelError, type ModelFault } from '../llm/model.ts'
import type { Sql } from '../storage/sql.ts'
import { type Embedder, vectorText } from './embedder.ts'

/** Texts of one request to the provider. */
const BATCH = 64
const PATIENCE_MS = 30_000
/** A batch belongs to who took it for so long; one whose process died is taken again after that. */
const LEASE = "interval '2 minutes'"
/** After a fault of the provider this process leaves it alone for so long. */
const COOL_DOWN_MS = 60_000
/** So many texts refused one by one, and none taken: it is not the texts. */
const NOT_THE_TEXTS = 3

/** Faults that one of the texts may be the reason of. */
const ofTexts: ReadonlySet<ModelFault> = new Set(['request', 'refused', 'schema', 'cut', 'answer'])
const quietUntil = new WeakMap<Embedder, number>()

type Row = { id: number; text: string; hash: string }
type Work = { db: Sql; embedder: Embedder; done: number; refused: number }

/**
 * Gives an embedding to memories that have none, or one of another model, the newest first. Any number of processes may
 * do it at once: each takes others. A text that the provider refuses is set aside, for longer each time. A provider that
 * is away is asked again a minute later; search by text has them meanwhile. Returns how many got one.
 */
export async function embedOnce({ db, memory }: { db: Sql } & Pick<Deps, 'memory'>): Promise<number> {
  const embedder = memory?.embedder
  if (!embedder || performance.now() < (quietUntil.get(embedder) ?? 0)) return 0
  const work: Work = { db, embedder, done: 0, refused: 0 }
  for (;;) {
    const rows = await take(db, embedder.name)
    try {
      if (rows.length > 0) await embedAll(work, rows)
    } catch (error) {
      quietUntil.set(embedder, performance.now() + COOL_DOWN_MS)
      throw error
    }
    if (rows.length < BATCH) return work.done
  }
}

const take = (db: Sql, model: string): Promise<Row[]> =>
  db.query<Row>(
    `WITH due AS (SELECT m.id FROM memory m WHERE NOT EXISTS (SELECT 1 FROM memory_embedding e WHERE e.memory_id = m.id AND e.model = $1)
       AND NOT EXISTS (SELECT 1 FROM memory_embedding_turn t WHERE t.memory_id = m.id AND t.until > clock_timestamp())
       ORDER BY m.id DESC LIMIT ${BATCH}),
     taken AS (INSERT INTO memory_embedding_turn AS t (memory_id, until) SELECT id, clock_timestamp() + ${LEASE} FROM due
       ON CONFLICT (memory_id) DO UPDATE SET until = EXCLUDED.until WHERE t.until <= clock_timestamp() RETURNING memory_id)
     SELECT m.id, m.text, md5(m.text) AS hash FROM memory m JOIN taken ON taken.memory_id = m.id ORDER BY m.id DESC`,
    [model],
  )

/** Halves a batch that is refused, until the one is alone for which it was. Throws where it is the provider's fault. */
async function embedAll(work: Work, rows: readonly Row[]): Promise<void> {
  try {
    await embed(work, rows)
  } catch (error) {
    const itsTexts = error instanceof ModelError && ofTexts.has(error.fault)
    if (itsTexts && rows.length === 1) work.refused++
    if (!itsTexts || (work.done === 0 && work.refused >= NOT_THE_TEXTS)) {
      await letGo(work.db, rows)
      throw error
    }
    if (rows.length === 1) return setAside(work.db, rows)
    const half = Math.ceil(rows.length / 2)
    await embedAll(work, rows.slice(0, half))
    await embedAll(work, rows.slice(half))
  }
}

async function embed(work: Work, rows: readonly Row[]): Promise<void> {
  const { db, embedder } = work
  const texts = rows.map(({ text }) => text)
  const vectors = await embedder.embed(texts, 'document', AbortSignal.timeout(PATIENCE_MS))
  const ids = rows.map(({ id }) => id)
  // Only where the text is still the same: it may have been corrected or forgotten meanwhile.
  await db.query(
    `WITH over AS (DELETE FROM memory_embedding_turn WHERE memory_id = ANY($2::bigint[]))
     INSERT INTO memory_embedding (memory_id, model, embedding)
     SELECT m.id, $1, x.embedding::vector FROM unnest($2::bigint[], $3::text[], $4::text[]) AS x(id, hash, embedding)
     JOIN memory m ON m.id = x.id AND md5(m.text) = x.hash FOR KEY SHARE OF m
     ON CONFLICT (memory_id) DO UPDATE SET model = EXCLUDED.model, embedding = EXCLUDED.embedding`,
    [embedder.name, ids, rows.map(({ hash }) => hash), vectors.map(vectorText)],
  )
  work.done += rows.length
}

/** Ten minutes, then twice as long each time, a week at most; a correction of the text ends it. */
const setAside = async (db: Sql, rows: readonly Row[]): Promise<void> =>
  void (await db.query(
    `UPDATE memory_embedding_turn SET tries = tries + 1, until = clock_timestamp() + least(interval '7 days', interval '10 minutes' * 2 ^ least(tries, 10))
     WHERE memory_id = ANY($1::bigint[])`,
    [rows.map(({ id }) => id)],
  ))

const letGo = async (db: Sql, rows: readonly Row[]): Promise<void> =>
  void (await db.query(
    'UPDATE memory_embedding_turn SET until = clock_timestamp() WHERE memory_id = ANY($1::bigint[])',
    [rows.map(({ id }) => id)],
  ))
