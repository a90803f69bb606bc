import { randomUUID } from 'node:crypto'
import type { Deps } from '../deps.ts'
import { jsonText } from '../storage/jsonText.ts'
import type { Tx } from '../storage/sql.ts'

export type NewRun = {
  kind: 'command' | 'request' | 'api'
  request: string
  /** Its words are somebody else's, sent on. */
  forwarded?: boolean
  personId: string | null
  chat: { id: number; topicId: number; messageId: number | null } | null
  /** The place it was given or that follows from the chat; null: planning looks for one. */
  place: { agentId: string; cwd: string } | null
}

/** What is told of a run besides its number, as it comes to be. */
export const toldCreated = ({ kind, request, forwarded }: NewRun): Record<string, unknown> => ({
  kind,
  status: 'planning',
  request,
  ...(forwarded ? { forwarded: true } : {}),
})

/**
 * The start of everything: a run in `planning`, with its event, in the caller's transaction; a worker is woken once
 * it commits. `request` must be redacted already.
 */
export async function createRun(
  deps: Pick<Deps, 'wake'>,
  tx: Tx,
  run: NewRun,
  id: string = randomUUID(),
): Promise<{ id: string; number: number }> {
  const [row] = await tx.query<{ number: number }>(
    `WITH made AS (
       INSERT INTO run (id, kind, status, request, person_id, chat_id, topic_id, message_id, agent_id, cwd, forwarded)
       VALUES ($1, $2, 'planning', $3, $4, $5, $6, $7, $8, $9, $11) RETURNING id, number, agent_id
     ), told AS (
       INSERT INTO event (type, run_id, agent_id, data)
       SELECT 'run.created', id, agent_id, jsonb_build_object('number', number) || $10::jsonb FROM made
     )
     SELECT number FROM made`,
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
      jsonText(toldCreated(run)),
      run.forwarded === true,
    ],
  )
  if (!row) throw new Error('the run was not written')
  tx.afterCommit(() => deps.wake('run.plan', { runId: id }))
  return { id, number: row.number }
}
