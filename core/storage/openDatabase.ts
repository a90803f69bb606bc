import { PrismaPg } from '@prisma/adapter-pg'
import pg from 'pg'
import { PrismaClient } from '../../prisma/client/client.ts'
import type { Logger } from '../config/logger.ts'
import { Outage } from '../config/outage.ts'
import { isDatabaseAway } from './databaseAway.ts'
import { GatheringSocket } from './gatheringSocket.ts'
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

const CONNECT_MS = 5000
/**
 * No statement of the product takes this long. One that does has lost its connection without being told: it fails, and
 * another connection is made.
 */
const SILENCE_MS = 20_000
/** A transaction whose process has gone silent ends at the server too: others wait for what it has locked. */
const IDLE_IN_TRANSACTION_MS = 15_000

/**
 * Every statement is planned once, for any values: planning some of them takes longer than running them. Such a plan is
 * kept, and on a ledger that was empty when it was made it may read whole tables, and would go on doing so when they
 * have a hundred thousand rows; so whatever has an index is to use it.
 */
const PLANNING = '-c plan_cache_mode=force_generic_plan -c enable_seqscan=off'

/**
 * Opens a pool of at most `poolSize` connections; each is made when first needed. While the database is away every
 * call fails, at the latest after a few seconds, with an error that `isDatabaseAway` knows; the log tells of it once.
 */
export function openDatabase({ url, poolSize, log }: DatabaseOptions): Database {
  const pool = new pg.Pool({
    connectionString: url,
    max: poolSize,
    connectionTimeoutMillis: CONNECT_MS,
    idleTimeoutMillis: 30_000,
    keepAlive: true,
    pipeline: true,
    stream: () => new GatheringSocket(),
    options: PLANNING,
    query_timeout: SILENCE_MS,
    statement_timeout: SILENCE_MS,
    idle_in_transaction_session_timeout: IDLE_IN_TRANSACTION_MS,
  })
  const outage = new Outage(log, 'the database')
  pool.on('error', (error) => outage.failed(error))
  // A connection that breaks while somebody holds it fails their statement; the event itself must not end the process.
  pool.on('connect', (client) => void client.on('error', () => {}))
  const watched = async <T>(call: Promise<T>): Promise<T> => {
    try {
      const answer = await call
      outage.over()
      return answer
    } catch (error) {
      if (isDatabaseAway(error)) outage.failed(error)
      throw error
    }
  }
  const sql = sqlOf(pool)
  const prisma = new PrismaClient({ adapter: new PrismaPg(pool) })
  return {
    query: (text, values) => watched(sql.query(text, values)),
    tx: (work) => watched(transaction(pool, work)),
    prisma,
    pool,
    close: async () => {
      await prisma.$disconnect()
      await pool.end()
    },
  }
}
