import { readdir } from 'node:fs/promises'
import { setTimeout as delay } from 'node:timers/promises'
import type { ControlConfig } from '../../core/config/control.ts'
import { messageOf } from '../../core/config/logger.ts'
import { migrationsDir } from '../../core/storage/migrate.ts'
import type { Sql } from '../../core/storage/sql.ts'
import { reachRedis } from '../reachRedis.ts'
import { type Finding, ok, wrong } from './finding.ts'

const SLOW_MS = 100

/** The database answers, fast enough, and has the schema of this version. */
export async function checkDatabase(config: ControlConfig, db: Sql): Promise<Finding> {
  const began = performance.now()
  const [row] = await db.query<{ version: string }>("SELECT current_setting('server_version') AS version")
  const ms = performance.now() - began
  const missing = await missingMigrations(db)
  if (missing.length > 0)
    return wrong(
      'database',
      `lacks ${missing.join(', ')}`,
      'Run `skynet migrate`, or start SKYNET: it migrates.',
    )
  if (ms > SLOW_MS)
    return wrong(
      'database',
      `takes ${ms.toFixed(0)} ms for the simplest question`,
      'Look at its load, and at the network on the way to it.',
    )
  return ok(
    'database',
    `PostgreSQL ${row?.version} (${config.database.kind}), ${ms.toFixed(1)} ms, schema up to date`,
  )
}

async function missingMigrations(db: Sql): Promise<string[]> {
  const entries = await readdir(migrationsDir, { withFileTypes: true })
  const names = entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name)
  const [table] = await db.query<{ there: boolean }>(
    "SELECT to_regclass('_prisma_migrations') IS NOT NULL AS there",
  )
  if (!table?.there) return names
  const rows = await db.query<{ name: string }>(
    'SELECT migration_name AS name FROM _prisma_migrations WHERE finished_at IS NOT NULL AND rolled_back_at IS NULL',
  )
  return names.filter((name) => !rows.some((row) => row.name === name))
}

/** The queue is the one that the installation uses, and somebody works on what lies in it. */
export async function checkQueue(config: ControlConfig, db: Sql): Promise<Finding> {
  const kind = config.redisUrl === null ? 'postgres' : 'redis'
  const [row] = await db.query<{ value: string }>("SELECT value FROM installation WHERE key = 'queue'")
  if (row && row.value !== kind)
    return wrong(
      'queue',
      `this installation's queue is on ${row.value}, these settings say ${kind}`,
      `${kind === 'redis' ? 'Unset' : 'Set'} REDIS_URL, or stop everything and run \`skynet migrate --queue ${kind}\`.`,
    )
  const facts = config.redisUrl === null ? null : await reachRedis(config.redisUrl)
  if (facts?.evicts)
    return wrong(
      'queue',
      'this Redis may throw data away',
      'Set `maxmemory-policy noeviction` in its configuration.',
    )
  const late = await lateRuns(db)
  if (late > 0)
    return wrong(
      'queue',
      `${late} request(s) wait longer than 30 s for a worker`,
      'Start `skynet workers`, and look at its log.',
    )
  return ok(
    'queue',
    `on ${kind}${facts && !facts.appendOnly ? ' without AOF: the ledger restores what it loses' : ''}, nothing waits for a worker`,
  )
}

async function lateRuns(db: Sql): Promise<number> {
  const [row] = await db.query<{ n: number }>(
    `SELECT count(*)::int AS n FROM run WHERE status = 'planning' AND created_at < clock_timestamp() - interval '30 s'
     AND (planning_until IS NULL OR planning_until < clock_timestamp())`,
  )
  return row?.n ?? 0
}

const SKEW_MS = 2000

/** This machine's clock, the database's, and Telegram's (`outside`, milliseconds ahead of ours) agree. */
export async function checkClock(db: Sql, outsideMs: number | null): Promise<Finding> {
  const sent = Date.now()
  const [row] = await db.query<{ now: Date }>('SELECT clock_timestamp() AS now')
  const skew = row ? row.now.getTime() - (sent + Date.now()) / 2 : 0
  const worst = Math.abs(outsideMs ?? 0) > Math.abs(skew) ? (outsideMs ?? 0) : skew
  const text = `${(Math.abs(worst) / 1000).toFixed(1)} s ${worst > 0 ? 'behind' : 'ahead of'} ${worst === skew ? 'the database' : 'Telegram'}`
  if (Math.abs(worst) > SKEW_MS)
    return wrong(
      'clock',
      text,
      'Set this clock by NTP (`timedatectl set-ntp true`): grants are signed with its time.',
    )
  return ok(
    'clock',
    outsideMs === null ? 'agrees with the database' : 'agrees with the database and Telegram',
  )
}

/** Repeats a check that a database on its way up may fail at first. */
export async function withDatabase(name: string, check: () => Promise<Finding>): Promise<Finding> {
  try {
    return await check()
  } catch (first) {
    await delay(200)
    return check().catch(() => wrong(name, messageOf(first), 'Look at the database, then run this again.'))
  }
}
