import { randomUUID } from 'node:crypto'
import type { Deps } from '../../core/deps.ts'
import { type NewMemory, storeMemory } from '../../core/memory/storeMemory.ts'

/** Puts a memory down as a test wants it. */
export async function putMemory(deps: Deps, memory: Partial<NewMemory> & { text: string }): Promise<number> {
  const source = memory.source ?? `test:${randomUUID()}`
  const id = await deps.db.tx((tx) =>
    storeMemory(deps, tx, {
      kind: 'fact',
      like: [memory.text],
      outside: false,
      succeeded: null,
      personId: null,
      chatId: null,
      agentId: null,
      cwd: null,
      runId: null,
      at: new Date(),
      ...memory,
      source,
    }),
  )
  if (id === null) throw new Error('it was not remembered')
  return id
}
