import { now, transition } from '../events/transition.ts'
import type { Tx } from '../storage/sql.ts'

/** A run that is cancelled tries nothing any more. Its row is locked. */
export async function cancelRecoveries(tx: Tx, runId: string): Promise<void> {
  const rows = await tx.query<{ id: string }>(
    "SELECT id FROM recovery WHERE run_id = $1 AND status IN ('open', 'trying')",
    [runId],
  )
  await transition(tx, 'recovery', {
    ids: rows.map(({ id }) => id),
    from: ['open', 'trying'],
    to: 'cancelled',
    set: { ended_at: now },
  })
}
