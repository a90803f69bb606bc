import type { Env } from '../core/config/settings.ts'
import type { Sql } from '../core/storage/sql.ts'
import { type Ledger, withLedger } from './openLedger.ts'
import { reachRedis } from './reachRedis.ts'
import { UsageError } from './reportError.ts'

export type QueueKind = 'redis' | 'postgres'

/** `skynet migrate`: brings the schema up to date; with a queue, changes the installation over to it. */
export async function migrateCommand(env: Env, queue: QueueKind | null): Promise<void> {
  await withLedger(env, async (ledger) => {
    const { migrated } = ledger
    console.log(migrated.length > 0 ? `Applied: ${migrated.join(', ')}` : 'The database is up to date.')
    if (queue) await changeQueue(ledger, queue)
  })
}

/**
 * Puts the queue on another backend. Nothing is carried over: jobs are wake-ups, and the ledger asks again for all
 * that waits. Refused while other processes use the database, since half of them would look at the old queue.
 */
async function changeQueue({ config, db }: Ledger, queue: QueueKind): Promise<void> {
  if (queue === 'redis') {
    if (!config.redisUrl)
      throw new UsageError('--queue redis: set REDIS_URL first, such as redis://127.0.0.1:6379.')
    const facts = await reachRedis(config.redisUrl)
    if (facts.evicts)
      console.log('Mind: set `maxmemory-policy noeviction` in this Redis, or it may drop wake-ups.')
  }
  const others = await otherClients(db)
  if (others > 0)
    throw new UsageError(
      `--queue ${queue}: ${others} connection(s) of other processes are open. Stop every SKYNET process first.`,
    )
  await db.query(
    "INSERT INTO installation (key, value) VALUES ('queue', $1) ON CONFLICT (key) DO UPDATE SET value = $1",
    [JSON.stringify(queue)],
  )
  console.log(`The queue of this installation is on ${queue} now. ${nextStep(queue, config.redisUrl)}`)
}

const nextStep = (queue: QueueKind, redisUrl: string | null): string =>
  queue === 'postgres' && redisUrl ? 'Unset REDIS_URL, then start again.' : 'Start again.'

async function otherClients(sql: Sql): Promise<number> {
  const [row] = await sql.query<{ n: number }>(
    `SELECT count(*)::int AS n FROM pg_stat_activity
     WHERE datname = current_database() AND backend_type = 'client backend' AND pid <> pg_backend_pid()`,
  )
  return row?.n ?? 0
}
