import { z } from 'zod'
import type { Deps } from '../deps.ts'
import { transition } from '../events/transition.ts'
import { foreignMachine } from '../people/entitlements.ts'
import { PlanSpec } from '../protocol/specs.ts'
import { jsonText } from '../storage/jsonText.ts'
import type { Tx } from '../storage/sql.ts'
import { supersede } from './revisePlan.ts'

/** Longest wish that is taken, in characters. */
const MAX_WISH = 2000

/** A change of a plan that somebody asked for in words. `forwarded`: somebody else's words, sent on. */
export const RevisionWish = z.object({ text: z.string(), by: z.string(), forwarded: z.boolean().optional() })
export type RevisionWish = z.infer<typeof RevisionWish>

/**
 * Has a plan that waits for approval changed as somebody says in words: its approval is superseded, its tasks end, and
 * the run is planned anew, by a model that has the old plan and the words in view. `text` must be redacted already.
 * Whatever comes of it is a new version that is judged and asked about; when nothing does, the old plan is.
 */
export async function askRevision(
  deps: Pick<Deps, 'bus' | 'wake'>,
  tx: Tx,
  runId: string,
  { text, by, forwarded }: RevisionWish,
): Promise<'asked' | 'too_late' | 'not_entitled'> {
  const [row] = await tx.query<{ status: string; spec: unknown }>(
    'SELECT r.status, p.spec FROM run r JOIN plan p ON p.run_id = r.id AND p.version = r.plan_version WHERE r.id = $1 FOR UPDATE OF r',
    [runId],
  )
  if (row?.status !== 'awaiting_approval') return 'too_late'
  const agentIds = PlanSpec.parse(row.spec).tasks.map(({ spec }) => spec.agent_id)
  if ((await foreignMachine(tx, by, agentIds)) !== null) return 'not_entitled'
  const wish = { text: text.slice(0, MAX_WISH), by, ...(forwarded ? { forwarded } : {}) }
  await supersede(tx, runId)
  await transition(tx, 'run', {
    ids: [runId],
    from: ['awaiting_approval'],
    to: 'planning',
    data: { why: 'revised', change: wish.text },
  })
  await tx.query('UPDATE run SET revision = $2, planning_tries = 0, planning_until = NULL WHERE id = $1', [
    runId,
    jsonText(wish),
  ])
  tx.afterCommit(() => {
    deps.bus.publish('run.changed', { runId })
    deps.wake('run.plan', { runId })
  })
  return 'asked'
}
