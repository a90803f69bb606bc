import { mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import pg from 'pg'
import type { ControlConfig } from '../core/config/control.ts'
import { type Logger, messageOf } from '../core/config/logger.ts'
import { ConfigError } from '../core/config/settings.ts'
import { type EmbeddedPostgres, startEmbeddedPostgres } from '../core/storage/embeddedPostgres.ts'
import { holdLock } from './holdLock.ts'

/** How often the embedded server is looked at. */
const LOOK_MS = 1000

export type Storage = { url: string; stop(): Promise<void> }
type Where = Pick<ControlConfig, 'dataDir' | 'database'>

/**
 * The database of the settings, answering: the one that is named, or the embedded one, brought up when it is not
 * there, and kept up until `stop`. Rejects with ConfigError when it cannot be reached.
 */
export async function openStorage(config: Where, log: Pick<Logger, 'warn'>): Promise<Storage> {
  await makeDataDir(config.dataDir)
  if (config.database.kind === 'embedded') return keepEmbedded(config.dataDir, log)
  await reach(config.database.url)
  return { url: config.database.url, stop: async () => {} }
}

/** The data directory, made with access for its owner alone. */
export async function makeDataDir(dataDir: string): Promise<void> {
  await mkdir(dataDir, { recursive: true, mode: 0o700 }).catch((error: NodeJS.ErrnoException) => {
    const why = `${error.code ?? messageOf(error)}`
    throw new ConfigError(
      `SKYNET_DATA_DIR: got ${JSON.stringify(dataDir)} (${why}); it takes a directory that this user may write.`,
    )
  })
}

async function reach(url: string): Promise<void> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 10_000 })
  client.on('error', () => {})
  try {
    await client.connect()
  } catch (error) {
    const reason = error instanceof AggregateError ? error.errors[0] : error
    const where = new URL(url).host || 'its socket'
    throw new ConfigError(
      `DATABASE_URL: the database at ${where} does not answer (${messageOf(reason)}). Start it, correct the setting, or unset it to use the embedded one.`,
    )
  } finally {
    await client.end().catch(() => {})
  }
}

/**
 * The embedded server. Several processes of one machine may share it; whoever started it stops it, and the others
 * then bring it up again. The same happens when it dies.
 */
async function keepEmbedded(dataDir: string, log: Pick<Logger, 'warn'>): Promise<Storage> {
  let own = await bringUp(dataDir)
  let busy: Promise<void> | null = null
  const look = async (): Promise<void> => {
    if ((await runningUrl(dataDir)) !== null) return
    log.warn('the embedded PostgreSQL has ended; starting it again')
    own = await bringUp(dataDir).catch((error) => {
      log.warn(messageOf(error))
      return own
    })
  }
  const timer = setInterval(() => {
    busy ??= look().finally(() => {
      busy = null
    })
  }, LOOK_MS).unref()
  return {
    url: own.url,
    stop: async () => {
      clearInterval(timer)
      await busy
      await own.stop()
    },
  }
}

async function bringUp(dataDir: string): Promise<EmbeddedPostgres> {
  const release = await holdLock(`${dataDir}/postgres`)
  return startEmbeddedPostgres(dataDir).finally(release)
}

/** Where the embedded server of this data directory answers, by its own pid file; null when none runs. */
export async function runningUrl(dataDir: string): Promise<string | null> {
  const text = await readFile(join(dataDir, 'postgres/data/postmaster.pid'), 'utf8').catch(() => '')
  const [pid, , , port, socket] = text.split('\n')
  if (!isAlive(Number(pid))) return null
  return `postgresql://skynet@localhost/skynet?host=${encodeURIComponent(socket ?? '')}&port=${port}`
}

function isAlive(pid: number): boolean {
  if (!(pid > 1)) return false
  try {
    return process.kill(pid, 0)
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
