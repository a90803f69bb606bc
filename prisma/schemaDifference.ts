import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { PrismaPg } from '@prisma/adapter-pg'
import { bindMigrationAwareSqlAdapterFactory } from '@prisma/driver-adapter-utils'

type Engine = { diff(params: unknown): Promise<{ stdout: string | null }> }
type Exports = Record<string, () => void>
declare const WebAssembly: {
  compile(bytes: Uint8Array): Promise<object>
  instantiate(module: object, imports: Record<string, object>): Promise<{ exports: Exports }>
}
type Glue = {
  __wbg_set_wasm(exports: Exports): void
  SchemaEngine: {
    new: (options: unknown, onEvent: (line: string) => void, adapter: unknown) => Promise<Engine>
  }
}

let loaded: Promise<Glue> | null = null

/** The engine once per process: its glue keeps one instance, and a second one breaks the first. */
const theEngine = (): Promise<Glue> => {
  loaded ??= loadEngine()
  return loaded
}

/** Loads Prisma's schema engine by hand: its package expects a bundler that understands WebAssembly imports. */
async function loadEngine(): Promise<Glue> {
  const dir = dirname(createRequire(import.meta.url).resolve('@prisma/schema-engine-wasm'))
  const glue = (await import(join(dir, 'schema_engine_bg.js'))) as Glue
  const module = await WebAssembly.compile(await readFile(join(dir, 'schema_engine_bg.wasm')))
  const instance = await WebAssembly.instantiate(module, { './schema_engine_bg.js': glue })
  glue.__wbg_set_wasm(instance.exports)
  instance.exports.__wbindgen_start?.()
  return glue
}

const target = (schema: string | null) =>
  schema === null
    ? { tag: 'empty' }
    : { tag: 'schemaDatamodel', files: [{ path: 'schema.prisma', content: schema }] }

/**
 * The SQL that turns a database of schema `before` (null: an empty database) into one of schema `after`; empty
 * when they agree. The engine wants a server to talk to (`url`) but reads nothing from it: the texts alone decide.
 */
export async function schemaDifference(before: string | null, after: string, url: string): Promise<string> {
  const { SchemaEngine } = await theEngine()
  const adapter = bindMigrationAwareSqlAdapterFactory(new PrismaPg({ connectionString: url }))
  const engine = await SchemaEngine.new({ datamodels: [['schema.prisma', after]] }, () => {}, adapter)
  const { stdout } = await engine.diff({
    from: target(before),
    to: target(after),
    script: true,
    exitCode: null,
    shadowDatabaseUrl: null,
    filters: { externalTables: [], externalEnums: [] },
  })
  const sql = stdout ?? ''
  return sql.includes('This is an empty migration') ? '' : sql
}
