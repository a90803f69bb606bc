import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { createConnection } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import pg from 'pg'
import type { TestProject } from 'vitest/node'
import { startEmbeddedPostgres } from '../../core/storage/embeddedPostgres.ts'
import { migrate } from '../../core/storage/migrate.ts'
import { freePort } from './freePort.ts'

/*
 * The servers of one test run, for vitest's globalSetup: a PostgreSQL with a migrated template database, and a Redis
 * where its program is installed. Tests reach them through database.ts, never directly. Both end with the run, also
 * when it is killed: PostgreSQL when its owner is gone, Redis through the shell that holds its standard input.
 */

declare module 'vitest' {
  export interface ProvidedContext {
    /** URL of the PostgreSQL of this run; its database `skynet` is the migrated template, which takes no connections. */
    postgresUrl: string
    /** URL of the Redis of this run; null where there is no `redis-server`. */
    redisUrl: string | null
  }
}

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const dir = await mkdtemp(join(tmpdir(), 'skynet-test-'))
  const [postgres, redis] = await Promise.all([startEmbeddedPostgres(join(dir, 'pg')), startRedis(dir)])
  await migrate(postgres.url)
  const url = new URL(postgres.url)
  url.pathname = 'postgres'
  await settle(url.href)
  project.provide('postgresUrl', url.href)
  project.provide('redisUrl', redis?.url ?? null)
  return async () => {
    await Promise.all([postgres.stop(), redis?.stop()])
    await rm(dir, { recursive: true, force: true })
  }
}

/** Nobody needs these databases after a power cut, and a database that others use cannot be copied. */
async function settle(url: string): Promise<void> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  for (const name of ['fsync', 'full_page_writes', 'synchronous_commit', 'autovacuum'])
    await client.query(`ALTER SYSTEM SET ${name} = off`)
  await client.query('SELECT pg_reload_conf()')
  await client.query('ALTER DATABASE skynet ALLOW_CONNECTIONS false')
  await client.end()
}

async function startRedis(dir: string): Promise<{ url: string; stop(): Promise<void> } | null> {
  const port = await freePort()
  const options = `--port ${port} --bind 127.0.0.1 --dir ${dir} --save '' --appendonly no --databases 512 --maxmemory-policy noeviction --loglevel warning`
  const script = `command -v redis-server >/dev/null || exit 0; exec 3<&0; redis-server ${options} </dev/null >/dev/null & r=$!; (cat <&3 >/dev/null; kill $r) & wait $r`
  const shell = spawn('sh', ['-c', script], { stdio: ['pipe', 'ignore', 'inherit'] })
  shell.stdin?.on('error', () => {})
  while (shell.exitCode === null && !(await listens(port))) await delay(10)
  if (shell.exitCode !== null) {
    console.warn(
      'The tests on Redis are skipped: there is no redis-server (Debian: apt install redis-server).',
    )
    return null
  }
  return { url: `redis://127.0.0.1:${port}`, stop: () => end(shell) }
}

async function end(shell: ChildProcess): Promise<void> {
  const gone = once(shell, 'exit')
  shell.stdin?.end()
  await gone
}

function listens(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection(port, '127.0.0.1')
    const settle = (up: boolean) => {
      socket.destroy()
      resolve(up)
    }
    socket.once('connect', () => settle(true))
    socket.once('error', () => settle(false))
  })
}
