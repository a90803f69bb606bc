/**
 * `npm run migration -- NAME` writes the next migration: what changed in prisma/schema.prisma since the last one.
 * prisma/migrations/schema.last.prisma is the schema as of the last migration. A PostgreSQL is started for it.
 */
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startEmbeddedPostgres } from '../core/storage/embeddedPostgres.ts'
import { schemaDifference } from './schemaDifference.ts'

const name = process.argv[2]
if (!name || !/^[a-z0-9_]+$/.test(name)) {
  console.error('Usage: npm run migration -- name_of_the_change')
  process.exit(2)
}
const last = join(import.meta.dirname, 'migrations/schema.last.prisma')
const schema = await readFile(join(import.meta.dirname, 'schema.prisma'), 'utf8')
const scratch = await mkdtemp(join(tmpdir(), 'skynet-migration-'))
const postgres = await startEmbeddedPostgres(scratch)
const sql = await schemaDifference(await readFile(last, 'utf8').catch(() => null), schema, postgres.url)
await postgres.stop()
await rm(scratch, { recursive: true })
if (sql === '') {
  console.log('Nothing changed since the last migration.')
} else {
  const stamp = new Date().toISOString().replace(/\D/g, '').slice(0, 14)
  const dir = join(import.meta.dirname, 'migrations', `${stamp}_${name}`)
  await mkdir(dir, { recursive: true })
  await writeFile(join(dir, 'migration.sql'), sql)
  await writeFile(last, schema)
  console.log(`Wrote prisma/migrations/${stamp}_${name}/migration.sql: read it before you commit it.`)
}
