import { expect, test } from 'vitest'
import { openMemory } from '../../../core/memory/openMemory.ts'
import { testLog } from '../../support/control.ts'
import { hashEmbedder } from '../../support/hashEmbedder.ts'
import { openVectorDatabase } from '../../support/pglite.ts'
import { makeCorpus } from '../../support/retrieval/corpus.ts'
import { measure } from '../../support/retrieval/measure.ts'

/** Below what was measured (docs/benchmarks.md); `npm run bench -- recall` prints all of it. */
const floors = { text: [0.74, 0.68], vectors: [0.44, 0.39], 'text, by importance': [0.72, 0.62] } as const

test('memories with known answers are found as well as before, and better than by plain full text', async () => {
  const corpus = makeCorpus()
  expect(corpus.memories.length).toBeGreaterThanOrEqual(500)
  expect(corpus.queries.length).toBeGreaterThanOrEqual(60)
  const db = await openVectorDatabase()
  try {
    const memory = await openMemory({ db, log: testLog, max: 10_000, embedder: hashEmbedder })
    const scores = new Map((await measure(db, memory, corpus)).map((score) => [score.name, score]))
    for (const [name, [recall, ndcg]] of Object.entries(floors)) {
      expect([name, scores.get(name)?.recall]).toEqual([
        name,
        expect.toSatisfy((value: number) => value >= recall),
      ])
      expect([name, scores.get(name)?.ndcg]).toEqual([
        name,
        expect.toSatisfy((value: number) => value >= ndcg),
      ])
    }
    const plain = scores.get('plain full text, any word')
    const text = scores.get('text')
    expect((text?.recall ?? 0) - (plain?.recall ?? 1)).toBeGreaterThan(0.1)
    expect((text?.ndcg ?? 0) - (plain?.ndcg ?? 1)).toBeGreaterThan(0.1)
  } finally {
    await db.close()
  }
}, 120_000)
