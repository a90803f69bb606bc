import type { Logger } from '../config/logger.ts'
import type { Database } from '../storage/openDatabase.ts'
import type { Sql } from '../storage/sql.ts'
import type { Embedder } from './embedder.ts'
import { prepareVectors } from './prepareVectors.ts'
import type { Search } from './search.ts'
import { searchText } from './searchText.ts'
import { searchVectors } from './searchVectors.ts'

/**
 * How memories are looked for here; `deps.memory` is null while memory is switched off. `embedder`: what memories are given
 * embeddings by; null where the database or the settings have none.
 */
export type MemoryAccess = {
  searches: readonly Search[]
  embedder: Embedder | null
  /** Memories that are kept, at most. */
  max: number
}

type OpenDeps = {
  db: Pick<Database, 'tx'>
  log: Pick<Logger, 'info' | 'warn'>
  max: number
  embedder?: Embedder | null
}

/** Any number that nothing else in this database locks; only one process at a time prepares it. */
const PREPARE_LOCK = 7_205_002

/**
 * Makes the database ready for search, as far as it can be: what needs an extension is no migration, since it differs
 * from one server to the next. Idempotent.
 */
export async function openMemory({ db, log, max, embedder = null }: OpenDeps): Promise<MemoryAccess> {
  const trigrams = await prepare(db, log, 'pg_trgm', prepareTrigrams)
  const vectors = embedder !== null && (await prepare(db, log, 'vector', prepareVectors))
  if (embedder && !vectors)
    log.info(`memory is searched by its words alone: this database has no pgvector for ${embedder.name}`)
  return {
    searches: [searchText({ trigrams }), ...(embedder && vectors ? [searchVectors({ embedder, log })] : [])],
    embedder: vectors ? embedder : null,
    max,
  }
}

async function prepareTrigrams(tx: Sql): Promise<boolean> {
  await tx.query('CREATE INDEX IF NOT EXISTS memory_word_like ON memory_word USING gin (word gin_trgm_ops)')
  // Without it the words of the newest memories lie in a heap that each search goes through.
  await tx.query('ALTER INDEX memory_words_idx SET (fastupdate = off)')
  return true
}

/** Whether the extension is there now, with what is built on it. Where it cannot be, memory does without and says so. */
async function prepare(
  db: OpenDeps['db'],
  log: OpenDeps['log'],
  extension: 'pg_trgm' | 'vector',
  build: (tx: Sql) => Promise<boolean>,
): Promise<boolean> {
  try {
    return await db.tx(async (tx) => {
      await tx.query('SELECT pg_advisory_xact_lock($1)', [PREPARE_LOCK])
      const [there] = await tx.query('SELECT 1 FROM pg_available_extensions WHERE name = $1', [extension])
      if (!there) return false
      await tx.query(`CREATE EXTENSION IF NOT EXISTS ${extension}`)
      return build(tx)
    })
  } catch (error) {
    log.info(`memory goes without ${extension}: ${(error as Error).message}`)
    return false
  }
}
