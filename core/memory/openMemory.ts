import type { Logger } from '../config/logger.ts'
import type { Database } from '../storage/openDatabase.ts'
import type { Search } from './search.ts'
import { searchText } from './searchText.ts'

/** How memories are looked for here; `deps.memory` is null while memory is switched off. */
export type MemoryAccess = { searches: readonly Search[] }

type OpenDeps = { db: Pick<Database, 'query' | 'tx'>; log: Pick<Logger, 'info' | 'warn'> }

/** Any number that nothing else in this database locks; only one process at a time prepares it. */
const PREPARE_LOCK = 7_205_002

/**
 * Makes the database ready for search, as far as it can be: what needs an extension is no migration, since it differs
 * from one server to the next. Idempotent.
 */
export async function openMemory({ db, log }: OpenDeps): Promise<MemoryAccess> {
  const trigrams = await prepare(db, log, 'pg_trgm', [
    'CREATE INDEX IF NOT EXISTS memory_word_like ON memory_word USING gin (word gin_trgm_ops)',
    // Without it the words of the newest memories lie in a heap that each search goes through.
    'ALTER INDEX memory_words_idx SET (fastupdate = off)',
  ])
  return { searches: [searchText({ trigrams })] }
}

/** Whether the extension is there now, with what is built on it. Where it cannot be, memory does without and says so. */
async function prepare(
  db: OpenDeps['db'],
  log: OpenDeps['log'],
  extension: 'pg_trgm' | 'vector',
  statements: readonly string[],
): Promise<boolean> {
  try {
    return await db.tx(async (tx) => {
      await tx.query('SELECT pg_advisory_xact_lock($1)', [PREPARE_LOCK])
      const [there] = await tx.query('SELECT 1 FROM pg_available_extensions WHERE name = $1', [extension])
      if (!there) return false
      await tx.query(`CREATE EXTENSION IF NOT EXISTS ${extension}`)
      for (const statement of statements) await tx.query(statement)
      return true
    })
  } catch (error) {
    log.info(`memory goes without ${extension}: ${(error as Error).message}`)
    return false
  }
}
