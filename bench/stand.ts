import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { startEmbeddedPostgres } from '../core/storage/embeddedPostgres.ts'
import { migrate } from '../core/storage/migrate.ts'
import { type ControlOptions, openTestControl, type TestControl } from '../tests/support/control.ts'

export type Stand = {
  /** An empty database of its own on the common server. */
  database(name: string): Promise<string>
  /** The control plane's parts on a migrated database of their own. */
  control(name: string, options?: Partial<ControlOptions>): Promise<TestControl & { databaseUrl: string }>
  /** Called when the stand ends, the last one first. */
  atEnd(close: () => Promise<unknown>): void
  close(): Promise<void>
}

/**
 * The product's own PostgreSQL with its settings and its default fsync, in a temporary directory: every contestant has
 * a database of its own on it.
 */
export async function openStand(): Promise<Stand> {
  const dir = await mkdtemp(join(tmpdir(), 'skynet-rows-'))
  const postgres = await startEmbeddedPostgres(join(dir, 'pg'))
  const ends: (() => Promise<unknown>)[] = []
  const database = async (wish: string): Promise<string> => {
    const name = wish.toLowerCase().replaceAll(/\W/g, '')
    const url = new URL(postgres.url)
    const client = new pg.Client({ connectionString: url.href })
    await client.connect()
    await client.query(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`)
    await client.query(`CREATE DATABASE ${name}`)
    await client.end()
    url.pathname = name
    return url.href
  }
  return {
    database,
    control: async (name, options = {}) => {
      const databaseUrl = await database(name)
      await migrate(databaseUrl)
      const control = await openTestControl({ databaseUrl, ...options })
      ends.push(() => control.close())
      return { ...control, databaseUrl }
    },
    atEnd: (close) => void ends.push(close),
    close: async () => {
      for (const end of ends.reverse()) await end()
      await postgres.stop()
      await rm(dir, { recursive: true, force: true })
    },
  }
}
