import { DatabaseSync } from 'node:sqlite'
import { load } from 'sqlite-vec'
import type { VectorSide } from '../peers.ts'

/** sqlite-vec: every vector is compared with the question, in a table of its own in memory. */
export async function sqliteVec(dimensions: number): Promise<VectorSide> {
  const db = new DatabaseSync(':memory:', { allowExtension: true })
  load(db)
  db.exec(`CREATE VIRTUAL TABLE v USING vec0(embedding float[${dimensions}] distance_metric=cosine)`)
  const insert = db.prepare('INSERT INTO v (rowid, embedding) VALUES (?, ?)')
  const near = db.prepare('SELECT rowid AS id FROM v WHERE embedding MATCH ? AND k = ? ORDER BY distance')
  const bytes = (vector: readonly number[]) => new Uint8Array(new Float32Array(vector).buffer)
  return {
    add: async (vectors, first) => {
      db.exec('BEGIN')
      for (const [n, vector] of vectors.entries()) insert.run(BigInt(first + n), bytes(vector))
      db.exec('COMMIT')
    },
    near: async (vector, count) => near.all(bytes(vector), count).map((row) => Number(row.id)),
    close: async () => db.close(),
  }
}
