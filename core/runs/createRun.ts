import { randomUUID } from 'node:crypto'
import type { Deps } from '../deps.ts'
import { tellEvent } from '../events/tellEvent.ts'
import type { Tx } from '../storage/sql.ts'

export type NewRun = {
  kind: 'command' | 'request' | 'api'
  request: string
  personId: string | null
  chat: { id: number; topicId: number; messageId: number | null } | null
  /** The place it was given or that follows from the chat; null: planning looks for one. */
  place: { agentId: string; cwd: string } | null
}

/**
 * The start of everything: a run in `planning`, with its event, in the caller's transaction; a worker is woken once
 * it commits. `request` must be redacted already.
 */
export async function createRun(
  deps: Pick<Deps, 'wake'>,
  tx: Tx,
  run: NewRun,
): Promise<{ id: string; number: number }> {
  const id = randomUUID()
  const [row] = await tx.query<{ number: number }>(
    `INSERT INTO run (id, kind, status, request, person_id, chat_id, topic_id, message_id, agent_id, cwd)
     VALUES ($1, $2, 'planning', $3, $4, $5, $6, $7, $8, $9) RETURNING number`,
    [
      id,
      run.kind,
      run.request,
      run.personId,
      run.chat?.id ?? null,
      run.chat?.topicId ?? 0,
      run.chat?.messageId ?? null,
      run.place?.agentId ?? null,
      run.place?.cwd ?? null,
    ],
  )
  if (!row) throw new Error('the run was not written')
  await tellEvent(
    tx,
    'run.created',
    { runId: id, agentId: run.place?.agentId ?? null },
    { number: row.number, kind: run.kind, status: 'planning', request: run.request },
  )
  tx.afterCommit(() => deps.wake('run.plan', { runId: id }))
  return { id, number: row.number }
}
