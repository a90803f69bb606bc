import { now, transition } from '../events/transition.ts'
import type { Tx } from '../storage/sql.ts'

/** A person who was asked about failed tasks lets them run again: that is tried now. */
export async function tryAsked(tx: Tx, taskIds: readonly string[], personId: string): Promise<void> {
  const rows = await tx.query<{ id: string }>(
    "SELECT id FROM recovery WHERE task_id = ANY($1::uuid[]) AND status = 'asked'",
    [taskIds],
  )
  await transition(tx, 'recovery', {
    ids: rows.map(({ id }) => id),
    from: ['asked'],
    to: 'trying',
    set: { by: 'person', started_at: now },
    data: { person_id: personId },
  })
}
