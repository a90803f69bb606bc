import { type ControlConfig, parseControlConfig } from '../core/config/control.ts'
import { createLogger, type Logger } from '../core/config/logger.ts'
import type { Env } from '../core/config/settings.ts'
import { migrate } from '../core/storage/migrate.ts'
import { type Database, openDatabase } from '../core/storage/openDatabase.ts'
import { openStorage } from './openStorage.ts'

export type Ledger = { config: ControlConfig; db: Database; url: string; log: Logger; migrated: string[] }

/**
 * Lends the ledger to `work`: the database of the settings, brought up when nobody has, migrated, and let go again.
 * For commands that change a row or two while SKYNET runs or does not.
 */
export async function withLedger<T>(env: Env, work: (ledger: Ledger) => Promise<T>): Promise<T> {
  const config = parseControlConfig(env)
  const log = createLogger('skynet', config.logLevel)
  const storage = await openStorage(config, log)
  try {
    const migrated = await migrate(storage.url)
    const db = openDatabase({ url: storage.url, poolSize: 2, log })
    return await work({ config, db, url: storage.url, log, migrated }).finally(() => db.close())
  } finally {
    await storage.stop()
  }
}
