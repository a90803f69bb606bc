import type { Sql } from '../storage/sql.ts'
import type { MemoryKind } from './memory.ts'
import type { Scope } from './scope.ts'

/** What memories are looked for by. */
export type Question = {
  text: string
  scope: Scope
  /** Where the work is to be done: what was done there, and on that machine, counts for more. */
  place?: { agentId: string; cwd: string | null } | undefined
  /** Only these kinds. */
  kinds?: readonly MemoryKind[] | undefined
  /** Aborted: nobody waits for the answer any more. */
  signal?: AbortSignal | undefined
}

/** One that was found. `relevance`: how well it meets the question by itself, 0 to 1. */
export type Found = { id: number; relevance: number }

/** One way of search. Both ways keep to the same contract (tests/support/searchContract.ts). */
export type Search = {
  way: 'text' | 'vectors'
  /** The most relevant ones that the scope may see, at most `limit`, best first. */
  find(sql: Sql, question: Question, limit: number): Promise<Found[]>
}

/**
 * In SQL: how much the place of a memory (alias `m`) counts, with agent and directory in two parameters from `first`
 * on. All of it in the same directory, below or above it; less elsewhere on the machine, least on another one.
 */
export const placeWeight = (first: number): string => {
  const [agent, cwd] = [`$${first}::uuid`, `$${first + 1}::text`]
  return `(CASE WHEN ${agent} IS NULL THEN 1.0 WHEN m.agent_id IS NULL THEN 0.95 WHEN m.agent_id <> ${agent} THEN 0.7
    WHEN ${cwd} IS NULL OR m.cwd IS NULL OR m.cwd = ${cwd} OR starts_with(m.cwd, ${cwd} || '/') OR starts_with(${cwd}, m.cwd || '/') THEN 1.0
    ELSE 0.85 END)::float8`
}
export const placeValues = (place: Question['place']): unknown[] => [
  place?.agentId ?? null,
  place?.cwd ?? null,
]
