import type { Deps } from '../deps.ts'
import type { Tx } from '../storage/sql.ts'

/**
 * A person's word to run tasks again counts as their approval only as far as it could have been one: not for what they
 * asked for themselves where SKYNET_FOUR_EYES is set, and not for a critical risk that takes several people. Those lose
 * their approval here, and are asked about anew before they start.
 */
export const askAnew = (
  tx: Tx,
  settings: Pick<Deps['settings'], 'fourEyes' | 'approvalQuorum'>,
  taskIds: readonly string[],
  personId: string,
): Promise<object[]> =>
  tx.query(
    `UPDATE task t SET approved_at = NULL FROM run r WHERE r.id = t.run_id AND t.id = ANY($1::uuid[]) AND t.verdict->>'verdict' = 'ask'
     AND (($2 AND (r.person_id = $3 OR EXISTS (SELECT 1 FROM plan p WHERE p.run_id = r.id AND p.revised_by = $3)))
       OR ($4 > 1 AND t.verdict->>'risk' = 'critical'))`,
    [taskIds, settings.fourEyes, personId, settings.approvalQuorum],
  )
