import { openMemory } from '../../core/memory/openMemory.ts'
import { testLog } from '../../tests/support/control.ts'
import { hashEmbedder } from '../../tests/support/hashEmbedder.ts'
import { openVectorDatabase } from '../../tests/support/pglite.ts'
import { makeCorpus } from '../../tests/support/retrieval/corpus.ts'
import { measure } from '../../tests/support/retrieval/measure.ts'

/** How well memories are found: questions with known answers, every way of search on one database. */
export async function recallRow(): Promise<string[]> {
  const corpus = makeCorpus()
  const db = await openVectorDatabase()
  try {
    const memory = await openMemory({ db, log: testLog, max: 10_000, embedder: hashEmbedder })
    const scores = await measure(db, memory, corpus)
    return [
      `${corpus.queries.length} questions over ${corpus.memories.length} memories; embeddings are those of the tests, which know no meaning`,
      `${''.padEnd(28)}  recall@5   nDCG@5`,
      ...scores.map(
        ({ name, recall, ndcg }) =>
          `${name.padEnd(28)}  ${recall.toFixed(3).padStart(8)} ${ndcg.toFixed(3).padStart(8)}`,
      ),
    ]
  } finally {
    await db.close()
  }
}
