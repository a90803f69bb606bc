import { PrismaPg } from '@prisma/adapter-pg'
import pg from 'pg'
import { PrismaClient } from '../../prisma/client/client.ts'
import type { Logger } from '../config/logger.ts'
import { type Sql, sqlOf, type Tx, transaction } from './sql.ts'

/**
 * The ledger's connection. Reads of models go through `prisma`; whatever must commit together goes through `tx`,
 * and hot transitions are one statement each (docs/adr/0003).
 */
export type Database = Sql & {
  tx<T>(work: (tx: Tx) => Promise<T>): Promise<T>
  prisma: PrismaClient
  pool: pg.Pool
  close(): Promise<void>
}

export type DatabaseOptions = { url: string; poolSize: number; log: Pick<Logger, 'warn'> }

/** Opens a pool of at most `poolSize` connections; each is made when first needed. */
export function openDatabase({ url, poolSize, log }: DatabaseOptions): Database {
  const pool = new pg.Pool({
    connectionString: url,
    max: poolSize,
    connectionTimeoutMillis: 5000,
    idleTimeoutMillis: 30_000,
  })
  pool.on('error', (error) => log.warn(`database connection lost: ${error.message}`))
  const prisma = new PrismaClient({ adapter: new PrismaPg(pool) })
  return {
    ...sqlOf(pool),
    tx: (work) => transaction(pool, work),
    prisma,
    pool,
    close: async () => {
      await prisma.$disconnect()
      await pool.end()
    },
  }
}
