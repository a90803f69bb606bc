import { randomUUID } from 'node:crypto'
import type { Deps } from '../deps.ts'
import { tellEvent } from '../events/tellEvent.ts'
import type { Sql } from '../storage/sql.ts'
import { isOwnWords } from './isOutside.ts'
import type { MemoryKind } from './memory.ts'
import { storeMemory } from './storeMemory.ts'

export type Note = {
  kind: MemoryKind
  text: string
  personId: string | null
  /** A program's: it may have its words from anywhere. */
  program: boolean
  chatId: number | null
  agentId: string | null
  cwd: string | null
  succeeded?: boolean | null
}

/**
 * Puts down what somebody wants remembered; the same words for the same place again are one memory. Returns its id.
 */
export async function noteFact(deps: Pick<Deps, 'redact'>, tx: Sql, note: Note, at: Date): Promise<number> {
  const { kind, text, personId, chatId, agentId, cwd } = note
  const id = await storeMemory(deps, tx, {
    ...{ kind, text: text.trim(), personId, chatId, agentId, cwd, at },
    like: ['note', personId, chatId, agentId, cwd, text.trim().toLowerCase().replace(/\s+/g, ' ')],
    outside: note.program || personId === null || !isOwnWords(text),
    succeeded: note.succeeded ?? null,
    runId: null,
    source: `note:${randomUUID()}`,
  })
  if (id === null) throw new Error('a new source cannot have been forgotten')
  await tellEvent(tx, 'memory.stored', {}, { memory: id, kind, by: personId })
  return id
}
