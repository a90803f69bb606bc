import type { Sql } from '../storage/sql.ts'
import { type Memory, type MemoryKind, memoryColumns } from './memory.ts'
import type { MemoryAccess } from './openMemory.ts'
import { type Scope, scopeValues, visible } from './scope.ts'

/** The newest memories that this scope may see. */
export const listMemories = (sql: Sql, scope: Scope, offset: number, limit: number): Promise<Memory[]> =>
  sql.query<Memory>(
    `SELECT ${memoryColumns} FROM memory m WHERE ${visible(3)} ORDER BY m.last_at DESC, m.id DESC OFFSET $1 LIMIT $2`,
    [offset, limit, ...scopeValues(scope)],
  )

/** Memories by their numbers, those that this scope may see, in the order of the numbers. */
export const readMemories = (sql: Sql, scope: Scope, ids: readonly number[]): Promise<Memory[]> =>
  sql.query<Memory>(
    `SELECT ${memoryColumns} FROM unnest($1::bigint[]) WITH ORDINALITY AS x(id, n) JOIN memory m ON m.id = x.id
     WHERE ${visible(2)} ORDER BY x.n`,
    [ids, ...scopeValues(scope)],
  )

export type MemoryStats = {
  total: number
  kinds: Partial<Record<MemoryKind, number>>
  oldest: Date | null
  newest: Date | null
  /** How they are searched: by their words, by embeddings. */
  ways: ('text' | 'vectors')[]
  /** Whose embeddings, and how many memories have one; null without. */
  embeddings: { model: string; memories: number } | null
  max: number
}

/** How many memories there are that this scope may see, and how they are searched. */
export async function memoryStats(sql: Sql, access: MemoryAccess, scope: Scope): Promise<MemoryStats> {
  const rows = await sql.query<{ kind: MemoryKind; count: number; oldest: Date; newest: Date }>(
    `SELECT m.kind, count(*)::int AS count, min(m.last_at) AS oldest, max(m.last_at) AS newest FROM memory m
     WHERE ${visible(1)} GROUP BY m.kind ORDER BY m.kind`,
    scopeValues(scope),
  )
  const times = (pick: (row: (typeof rows)[number]) => Date) => rows.map((row) => pick(row).getTime())
  return {
    total: rows.reduce((sum, { count }) => sum + count, 0),
    kinds: Object.fromEntries(rows.map(({ kind, count }) => [kind, count])),
    oldest: rows.length > 0 ? new Date(Math.min(...times((row) => row.oldest))) : null,
    newest: rows.length > 0 ? new Date(Math.max(...times((row) => row.newest))) : null,
    ways: access.searches.map(({ way }) => way),
    embeddings: access.embedder ? await embedded(sql, access.embedder.name, scope) : null,
    max: access.max,
  }
}

async function embedded(sql: Sql, model: string, scope: Scope): Promise<{ model: string; memories: number }> {
  const [row] = await sql.query<{ count: number }>(
    `SELECT count(*)::int AS count FROM memory_embedding e JOIN memory m ON m.id = e.memory_id WHERE e.model = $1 AND ${visible(2)}`,
    [model, ...scopeValues(scope)],
  )
  return { model, memories: row?.count ?? 0 }
}
