import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PrismaPg } from '@prisma/adapter-pg'
import pg from 'pg'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { MigrationError, migrate, migrationsDir } from '../../core/storage/migrate.ts'
import { PrismaClient } from '../../prisma/client/client.ts'
import { schemaDifference } from '../../prisma/schemaDifference.ts'
import { newDatabase, type TestDatabase } from '../support/database.ts'

const schemaFile = join(migrationsDir, '../schema.prisma')
let database: TestDatabase
let dir: string
beforeEach(async () => {
  database = await newDatabase('empty')
  dir = await mkdtemp(join(tmpdir(), 'skynet-migrations-'))
  await cp(migrationsDir, dir, { recursive: true })
})
afterEach(async () => {
  await database.drop()
  await rm(dir, { recursive: true })
})

async function ask<R extends pg.QueryResultRow>(sql: string): Promise<R[]> {
  const client = new pg.Client({ connectionString: database.url })
  await client.connect()
  try {
    return (await client.query<R>(sql)).rows
  } finally {
    await client.end()
  }
}

describe('migrate', () => {
  test('five at once: each migration is applied once, by one of them', async () => {
    const applied = await Promise.all(Array.from({ length: 5 }, () => migrate(database.url)))
    const names = (
      await ask<{ migration_name: string }>('SELECT migration_name FROM _prisma_migrations')
    ).map((r) => r.migration_name)
    expect(applied.flat().sort()).toEqual(names.sort())
    expect(applied.filter((list) => list.length > 0)).toHaveLength(1)
    expect(await migrate(database.url)).toEqual([])
  })

  test('a migration that was changed after it was applied is refused, and so is a database that is newer', async () => {
    await migrate(database.url, dir)
    const [name] = (
      await ask<{ migration_name: string }>('SELECT migration_name FROM _prisma_migrations ORDER BY 1')
    ).map((r) => r.migration_name)
    const file = join(dir, name ?? '', 'migration.sql')
    await writeFile(file, `${await readFile(file, 'utf8')}\n-- changed`)
    await expect(migrate(database.url, dir)).rejects.toThrow(/was changed after it was applied/)
    await rm(join(dir, name ?? ''), { recursive: true })
    await expect(migrate(database.url, dir)).rejects.toThrow(MigrationError)
  })

  test('one that fails leaves nothing of itself behind', async () => {
    await cp(join(dir, 'schema.last.prisma'), join(dir, 'x'))
    const broken = join(dir, '99999999999999_broken')
    await cp(migrationsDir, broken, { recursive: true })
    await writeFile(join(broken, 'migration.sql'), 'CREATE TABLE half (id int); SELECT nonsense;')
    await expect(migrate(database.url, dir)).rejects.toThrow(/99999999999999_broken failed/)
    expect(await ask("SELECT 1 FROM pg_tables WHERE tablename = 'half'")).toEqual([])
  })
})

describe('the schema', () => {
  test('has no change that no migration makes', async () => {
    const last = await readFile(join(migrationsDir, 'schema.last.prisma'), 'utf8')
    const now = await readFile(schemaFile, 'utf8')
    expect(await schemaDifference(last, now, database.url)).toBe('')
  })

  test('and the migrations make the same tables, columns, types, keys and indexes', async () => {
    await migrate(database.url)
    const migrated = await shape()
    await database.drop()
    database = await newDatabase('empty')
    const client = new pg.Client({ connectionString: database.url })
    await client.connect()
    await client.query(await schemaDifference(null, await readFile(schemaFile, 'utf8'), database.url))
    await client.end()
    expect(migrated).toEqual(await shape())
  })

  test('is what the generated client reads', async () => {
    await migrate(database.url)
    const pool = new pg.Pool({ connectionString: database.url, max: 2 })
    const prisma = new PrismaClient({ adapter: new PrismaPg(pool) })
    expect(
      await prisma.run.findMany({ include: { tasks: { include: { attempts: true } }, approvals: true } }),
    ).toEqual([])
    expect(await prisma.delivery.count()).toBe(0)
    await prisma.$disconnect()
    await pool.end()
  })
})

/** Columns, indexes and constraints of every table of the product, as PostgreSQL tells them. */
async function shape(): Promise<unknown> {
  const columns = await ask(
    `SELECT table_name, column_name, data_type, udt_name, is_nullable, regexp_replace(column_default, '[0-9]{5,}', 'n') AS d FROM information_schema.columns
     WHERE table_schema = 'public' AND table_name <> '_prisma_migrations' ORDER BY 1, 2`,
  )
  const indexes = await ask(
    "SELECT tablename, indexdef FROM pg_indexes WHERE schemaname = 'public' AND tablename <> '_prisma_migrations' ORDER BY 1, 2",
  )
  const constraints = await ask(
    `SELECT conrelid::regclass::text AS t, conname, pg_get_constraintdef(oid) AS d FROM pg_constraint
     WHERE connamespace = 'public'::regnamespace AND conrelid::regclass::text <> '_prisma_migrations' ORDER BY 1, 2`,
  )
  return { columns, indexes, constraints }
}
