import type { Deps } from '../deps.ts'
import { may, type Role } from '../people/people.ts'
import type { Sql } from '../storage/sql.ts'
import { importance } from './importance.ts'
import { type Memory, type MemoryKind, memoryColumns } from './memory.ts'
import { scopeOf } from './scope.ts'
import type { Found, Question, Search } from './search.ts'

/** As many times the memories asked for are found by relevance, and then ranked by importance. */
const OVERSAMPLING = 3
/** What is less relevant than this part of the most relevant one does not take part, however recent it is. */
const NEAR = 0.35

export type Recalled = Memory & {
  relevance: number
  /** What it was ranked by, 0 to 1. */
  importance: number
  /**
   * Whether its text (never what was `seen`) may stand before a model as one's own: it has no words from elsewhere, and
   * is by the person who asks or by one who may approve.
   */
  trusted: boolean
}

export type Asked = {
  text: string
  /** Where work is to be done. */
  agentId?: string | null | undefined
  cwd?: string | null | undefined
  /** Whose eyes: null, SKYNET's own, see all but the preferences of people. */
  personId?: string | null | undefined
  /** The group that it is shown in: then nothing of other chats, and nobody's preferences. */
  groupId?: number | null | undefined
  kinds?: readonly MemoryKind[] | undefined
  limit: number
  /** Aborted: what is asked of a provider for it ends. */
  signal?: AbortSignal | undefined
}

/**
 * The memories that matter most for a text: three times as many as asked for are found by relevance, then the most
 * important of them taken. None while memory is switched off, or for a text without words.
 */
export async function recall(deps: Pick<Deps, 'db' | 'clock' | 'memory'>, asked: Asked): Promise<Recalled[]> {
  if (!deps.memory) return []
  const question: Question = {
    text: asked.text,
    scope: await scopeOf(deps.db, asked.personId ?? null, asked.groupId ?? null),
    place: asked.agentId ? { agentId: asked.agentId, cwd: asked.cwd ?? null } : undefined,
    kinds: asked.kinds,
    signal: asked.signal,
  }
  const found = await findByAll(deps.db, deps.memory.searches, question, asked.limit * OVERSAMPLING)
  const rows = await readFound(deps.db, found)
  const now = deps.clock.now().getTime()
  const best = Math.max(...rows.map(({ relevance }) => relevance)) || 1
  return rows
    .map(({ role, ...row }) => ({
      ...row,
      importance: importance({ ...row, relevance: row.relevance / best, ageMs: now - row.lastAt.getTime() }),
      trusted: isTrusted(row, role, asked.personId ?? null),
    }))
    .sort((a, b) => b.importance - a.importance || b.id - a.id)
    .slice(0, asked.limit)
}

const isTrusted = (row: Memory, role: Role | null, personId: string | null): boolean =>
  !row.outside && row.personId !== null && (row.personId === personId || may({ role }, 'decide'))

/** The constant of reciprocal rank fusion (Cormack, Clarke and Buettcher, 2009). */
const FUSION = 60

/** Every way of search at once; what several find comes first. */
async function findByAll(
  sql: Sql,
  searches: readonly Search[],
  question: Question,
  limit: number,
): Promise<Found[]> {
  const lists = await Promise.all(searches.map((search) => search.find(sql, question, limit)))
  return fuse(lists, limit)
}

/** Lists, each best first, as one: ordered by reciprocal ranks, each with the best of its relevances. Pure. */
export function fuse(lists: readonly (readonly Found[])[], limit: number): Found[] {
  const scores = new Map<number, { relevance: number; score: number }>()
  for (const list of lists)
    list.forEach(({ id, relevance }, rank) => {
      const known = scores.get(id) ?? { relevance: 0, score: 0 }
      scores.set(id, {
        relevance: Math.max(known.relevance, relevance),
        score: known.score + 1 / (FUSION + rank),
      })
    })
  const top = Math.max(0, ...[...scores.values()].map(({ relevance }) => relevance))
  return [...scores]
    .filter(([, { relevance }]) => relevance >= NEAR * top)
    .sort(([, a], [, b]) => b.score - a.score || b.relevance - a.relevance)
    .slice(0, limit)
    .map(([id, { relevance }]) => ({ id, relevance }))
}

type Row = Memory & { relevance: number; role: Role | null }

const readFound = (sql: Sql, found: readonly Found[]): Promise<Row[]> =>
  found.length === 0
    ? Promise.resolve([])
    : sql.query<Row>(
        `SELECT ${memoryColumns}, x.relevance, p.role FROM unnest($1::bigint[], $2::float8[]) AS x(id, relevance)
         JOIN memory m ON m.id = x.id LEFT JOIN person p ON p.id = m.person_id`,
        [found.map(({ id }) => id), found.map(({ relevance }) => relevance)],
      )
