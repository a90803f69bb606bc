import type { Deps } from '../deps.ts'
import { clip } from '../planning/clip.ts'
import type { PlanSource } from '../planning/planOutcome.ts'
import type { PlanSpec } from '../protocol/specs.ts'
import type { Sql } from '../storage/sql.ts'
import { describeStep } from './describeStep.ts'
import { isOutside } from './isOutside.ts'
import { storeMemory } from './storeMemory.ts'

const MAX_STEP = 200

type Revision = {
  planId: string
  runId: string
  request: string
  forwarded: boolean
  personId: string
  changedByOthers: boolean
  name: string
  chatId: number | null
  source: PlanSource | null
  spec: PlanSpec
  before: PlanSpec
}

/** How somebody wanted a plan to be, from what they changed of it: theirs alone to see. */
export async function rememberRevision(
  deps: Pick<Deps, 'redact'>,
  tx: Sql,
  runId: string,
  version: number,
  at: Date,
): Promise<void> {
  const [revision] = await tx.query<Revision>(
    `SELECT p.id AS "planId", r.id AS "runId", r.request, r.forwarded, p.revised_by AS "personId",
       p.revised_by IS DISTINCT FROM r.person_id OR EXISTS (SELECT 1 FROM plan c WHERE c.run_id = r.id AND c.revised_by <> p.revised_by) AS "changedByOthers",
       w.name, r.chat_id AS "chatId", p.source, p.spec, b.spec AS before
     FROM plan p JOIN run r ON r.id = p.run_id JOIN plan b ON b.run_id = p.run_id AND b.version = p.version - 1 JOIN person w ON w.id = p.revised_by
     WHERE p.run_id = $1 AND p.version = $2`,
    [runId, version],
  )
  if (!revision) return
  const place = revision.spec.tasks[0]?.spec
  for (const change of changesOf(revision.before, revision.spec))
    await storeMemory(deps, tx, {
      kind: 'preference',
      like: [revision.personId, place?.agent_id ?? null, place?.cwd ?? null, change],
      text: `${revision.name} changed a plan for "${clip(revision.request, 120)}" in ${place?.cwd ?? '/'}: ${change}`,
      outside: isOutside(revision),
      succeeded: null,
      personId: revision.personId,
      chatId: revision.chatId,
      agentId: place?.agent_id ?? null,
      cwd: place?.cwd ?? null,
      runId: revision.runId,
      source: `plan:${revision.planId}`,
      at,
    })
}

/** What the newer plan does otherwise, a line for each step. Pure. */
export function changesOf(before: PlanSpec, after: PlanSpec): string[] {
  const now = new Map(after.tasks.map((task) => [task.key, clip(describeStep(task.spec), MAX_STEP)]))
  return before.tasks.flatMap((task) => {
    const [was, is] = [clip(describeStep(task.spec), MAX_STEP), now.get(task.key)]
    if (is === undefined) return [`left out: ${was}`]
    return is === was ? [] : [`instead of: ${was}, took: ${is}`]
  })
}
