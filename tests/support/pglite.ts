import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { PGlite, type PGliteOptions } from '@electric-sql/pglite'
import { pg_trgm } from '@electric-sql/pglite/contrib/pg_trgm'
import { vector } from '@electric-sql/pglite/vector'
import { migrationsDir } from '../../core/storage/migrate.ts'
import type { Sql, Tx } from '../../core/storage/sql.ts'

/*
 * PostgreSQL with pgvector inside this process, with the product's own migrations: the embedded PostgreSQL has no
 * pgvector, so what needs it is tried here. One connection; a transaction holds up all else.
 */

export type VectorDatabase = Sql & {
  tx<T>(work: (tx: Tx) => Promise<T>): Promise<T>
  close(): Promise<void>
}

/** `bigint` as numbers, like the product reads them. */
const options: PGliteOptions = { extensions: { vector, pg_trgm }, parsers: { 20: Number } }

export async function openVectorDatabase(): Promise<VectorDatabase> {
  const db = new PGlite(options)
  await db.waitReady
  for (const name of (await readdir(migrationsDir, { withFileTypes: true }))
    .filter((e) => e.isDirectory())
    .map((e) => e.name)
    .sort())
    await db.exec(await readFile(join(migrationsDir, name, 'migration.sql'), 'utf8'))
  await db.exec('SET enable_seqscan = off; SET plan_cache_mode = force_generic_plan')
  const sqlOf = (client: Pick<PGlite, 'query'>): Sql => ({
    query: async <R extends object>(text: string, values: readonly unknown[] = []) =>
      (await client.query<R>(text, [...values])).rows,
  })
  return {
    ...sqlOf(db),
    tx: async (work) => {
      const effects: (() => void)[] = []
      const result = await db.transaction((tx) =>
        work({ ...sqlOf(tx as unknown as PGlite), afterCommit: (effect) => effects.push(effect) }),
      )
      for (const effect of effects) effect()
      return result
    },
    close: () => db.close(),
  }
}
