import { randomUUID } from 'node:crypto'
import { Redis } from 'ioredis'
import pg from 'pg'
import { inject } from 'vitest'

/*
 * Databases for tests, on the servers of the run:
 *
 *   const database = await newDatabase()      // migrated, empty, of its own; about 30 ms
 *   const db = openDatabase({ url: database.url, poolSize: 8, log })
 *   await db.close(); await database.drop()
 */

export type TestDatabase = { url: string; drop(): Promise<void> }

/** A new database: a copy of the migrated template, or `empty`. */
export async function newDatabase(from: 'template' | 'empty' = 'template'): Promise<TestDatabase> {
  const name = `t_${randomUUID().replaceAll('-', '')}`
  await admin(
    `CREATE DATABASE ${name} TEMPLATE ${from === 'template' ? 'skynet' : 'template0'} STRATEGY file_copy`,
  )
  const url = new URL(inject('postgresUrl'))
  url.pathname = name
  return { url: url.href, drop: () => admin(`DROP DATABASE ${name} WITH (FORCE)`) }
}

async function admin(sql: string): Promise<void> {
  const url = new URL(inject('postgresUrl'))
  url.pathname = 'postgres'
  const client = new pg.Client({ connectionString: url.href })
  client.on('error', () => {})
  await client.connect()
  try {
    await client.query(sql)
  } finally {
    await client.end()
  }
}

export const hasRedis = (): boolean => inject('redisUrl') !== null

/** A numbered database of the run's Redis that no other test uses. */
export async function newRedis(): Promise<string> {
  const url = inject('redisUrl')
  if (url === null) throw new Error('there is no Redis here: ask hasRedis() first')
  const redis = new Redis(url)
  const number = await redis.incr('tests:databases')
  redis.disconnect()
  return `${url}/${number}`
}

/** The backends that the queue's tests run on here. */
export const queueKinds = (): ('postgres' | 'redis')[] => (hasRedis() ? ['postgres', 'redis'] : ['postgres'])
