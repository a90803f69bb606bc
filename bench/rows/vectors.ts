import { DIMENSIONS, type Embedder, fitted, vectorText } from '../../core/memory/embedder.ts'
import { embedOnce } from '../../core/memory/embedOnce.ts'
import { openMemory } from '../../core/memory/openMemory.ts'
import { everything } from '../../core/memory/scope.ts'
import { testLog } from '../../tests/support/control.ts'
import { openVectorDatabase, type VectorDatabase } from '../../tests/support/pglite.ts'
import { Random } from '../../tests/support/random.ts'
import { type Contestant, compare, lines, scaled } from '../compare.ts'
import { median } from '../figures.ts'
import { peer, type VectorSide } from '../peers.ts'

const SIZES = [1000, 10_000]
const TOP = 10
const ASKED = 50
/** Vectors lie around so many centres, as texts do around their subjects. */
const CENTRES = 200
const RECALL = 0.95
const STEP = 250

const gauss = (r: Random): number =>
  Math.sqrt(-2 * Math.log(r.next() || 1e-9)) * Math.cos(2 * Math.PI * r.next())
const randomVector = (r: Random): number[] => Array.from({ length: DIMENSIONS }, () => gauss(r))
const centres = Array.from({ length: CENTRES }, (_, n) => randomVector(new Random(n + 1)))

/** The vector of number `n`, always the same. */
function vectorOf(n: number): number[] {
  const r = new Random(10_000 + n)
  const centre = r.pick(centres)
  return fitted(centre.map((x) => x + 0.8 * gauss(r)))
}

/** The product's way of search by vectors: the embedding of a text is that of the number it says. */
async function product(): Promise<VectorSide> {
  const embedder: Embedder = {
    name: 'bench:numbers',
    embed: (texts) => Promise.resolve(texts.map((text) => vectorOf(Number(text.split(' ')[1])))),
  }
  const db = await openVectorDatabase()
  const memory = await openMemory({ db, log: testLog, max: 1e6, embedder })
  const search = memory.searches.find(({ way }) => way === 'vectors')
  if (!search) throw new Error('there is no pgvector here')
  return {
    add: async (vectors, first) => {
      await db.query(
        `INSERT INTO memory (id, kind, key, text, outside, last_at, words)
         SELECT $1::int + n, 'task', 'k' || ($1::int + n), 'vector ' || ($1::int + n), false, now(), ''::tsvector FROM generate_series(0, $2::int - 1) n`,
        [first, vectors.length],
      )
      await embedOnce({ db, memory })
    },
    near: async (vector, count) => {
      const text = `vector ${asked.get(vector)}`
      return (await search.find(db, { text, scope: everything }, count)).map(({ id }) => id)
    },
    close: () => db.close(),
  }
}
/** Which number a question's vector is of. */
const asked = new Map<readonly number[], number>()

/** pgvector in the same PGlite, asked with plain SQL. */
async function pgvector(): Promise<VectorSide> {
  const db: VectorDatabase = await openVectorDatabase()
  await db.query('CREATE EXTENSION IF NOT EXISTS vector')
  await db.query(`CREATE TABLE v (id bigint PRIMARY KEY, embedding vector(${DIMENSIONS}))`)
  await db.query('CREATE INDEX ON v USING hnsw (embedding vector_cosine_ops)')
  await db.query('SET hnsw.ef_search = 100')
  return {
    add: async (vectors, first) => {
      await db.query(
        'INSERT INTO v SELECT $1::int + n - 1, e::vector FROM unnest($2::text[]) WITH ORDINALITY AS x(e, n)',
        [first, vectors.map(vectorText)],
      )
    },
    near: async (vector, count) =>
      (
        await db.query<{ id: number }>('SELECT id FROM v ORDER BY embedding <=> $1::vector LIMIT $2', [
          vectorText(vector),
          count,
        ])
      ).map(({ id }) => id),
    close: () => db.close(),
  }
}

/** Every vector compared, in this process: what is found is the truth. */
function bruteForce(): VectorSide {
  const all: Float32Array[] = []
  return {
    add: async (vectors) => void all.push(...vectors.map((vector) => new Float32Array(vector))),
    near: async (vector, count) => {
      const scores = all.map((one, n) => {
        let sum = 0
        for (let i = 0; i < DIMENSIONS; i++) sum += (one[i] ?? 0) * (vector[i] ?? 0)
        return { n: n + 1, sum }
      })
      return scores
        .sort((a, b) => b.sum - a.sum)
        .slice(0, count)
        .map(({ n }) => n)
    },
    close: async () => {},
  }
}

/** Row 10: the ten nearest of so many vectors, questions a second, and how many of the true ten are found. */
export async function vectorsRow(): Promise<string[]> {
  const sides: [string, VectorSide][] = [
    ['SKYNET (pgvector in PGlite)', await product()],
    ['PGlite + pgvector', await pgvector()],
    [
      'sqlite-vec',
      await (await peer<(dimensions: number) => Promise<VectorSide>>('sqliteVec', 'sqliteVec'))(DIMENSIONS),
    ],
    ['brute force (limit)', bruteForce()],
  ]
  const out: string[] = []
  try {
    let filled = 0
    for (const wished of SIZES) {
      const size = scaled(wished)
      for (; filled < size; filled += STEP) {
        const vectors = Array.from({ length: Math.min(STEP, size - filled) }, (_, n) =>
          vectorOf(filled + n + 1),
        )
        for (const [, side] of sides) await side.add(vectors, filled + 1)
      }
      filled = size
      out.push(`${size} vectors of ${DIMENSIONS}`, ...(await ask(sides, size)))
    }
  } finally {
    for (const [, side] of sides) await side.close()
  }
  return out
}

async function ask(sides: readonly [string, VectorSide][], size: number): Promise<string[]> {
  const questions = Array.from({ length: ASKED }, (_, n) => {
    const number = 5_000_000 + n
    const vector = vectorOf(number)
    asked.set(vector, number)
    return vector
  })
  const truth = await Promise.all(questions.map((vector) => bruteOf(sides).near(vector, Math.min(TOP, size))))
  const recalls = new Map<string, number[]>()
  const contestants = sides.map(
    ([name, side]): Contestant => ({
      name,
      round: async () => {
        const began = performance.now()
        const found: number[][] = []
        for (const vector of questions) found.push(await side.near(vector, Math.min(TOP, size)))
        const rate = ASKED / ((performance.now() - began) / 1000)
        const hits = found.map(
          (ids, n) => ids.filter((id) => truth[n]?.includes(id)).length / (truth[n]?.length ?? 1),
        )
        recalls.set(name, hits)
        return rate
      },
    }),
  )
  const figures = await compare(contestants)
  return [
    ...lines(figures, '/s').map((line) => `  ${line}`),
    ...[...recalls].map(([name, hits]) => {
      const mean = hits.reduce((sum, hit) => sum + hit, 0) / hits.length
      return `  ${name}: recall ${mean.toFixed(3)} (median ${median(hits).toFixed(2)})${mean >= RECALL ? '' : `  below ${RECALL}: MISSED`}`
    }),
  ]
}

const bruteOf = (sides: readonly [string, VectorSide][]): VectorSide => {
  const [, side] = sides.at(-1) ?? []
  if (!side) throw new Error('nobody takes part')
  return side
}
