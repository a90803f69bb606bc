import { planHash } from '../protocol/hash.ts'
import { PlanSpec } from '../protocol/specs.ts'
import type { Tx } from '../storage/sql.ts'
import type { FollowDeps } from './deps.ts'
import { graft } from './graft.ts'
import { storeVersion } from './storeVersion.ts'

type Row = {
  version: number
  spec: unknown
  source: object
  policy_version: string
  before: unknown
  replaced: string[]
}
type Task = { id: string; key: string; recovery_id: string | null }

/**
 * Takes the steps of a recovery that nobody wanted out of the plan again and puts back what they stood for, as the next
 * version: the run then ends as if they had not been, and what failed can be retried. The run's row is locked.
 */
export async function putBack(
  deps: Pick<FollowDeps, 'settings'>,
  tx: Tx,
  runId: string,
  recoveryId: string,
): Promise<void> {
  const [row] = await tx.query<Row>(
    `SELECT r.plan_version AS version, p.spec, b.source, p.policy_version, v.replaced, b.spec AS before
     FROM recovery v JOIN run r ON r.id = v.run_id JOIN plan p ON p.run_id = r.id AND p.version = r.plan_version
     JOIN plan b ON b.run_id = r.id AND b.version = v.plan_version - 1 WHERE v.id = $1`,
    [recoveryId],
  )
  if (!row) return
  const tasks = await tx.query<Task>(
    `SELECT t.id, t.key, t.recovery_id FROM task t JOIN plan p ON p.id = t.plan_id WHERE t.run_id = $1 AND (p.version = $2 OR t.id = ANY($3::uuid[]))`,
    [runId, row.version, row.replaced],
  )
  const back = tasks.filter(({ id }) => row.replaced.includes(id))
  const gone = new Set(tasks.flatMap(({ key, recovery_id }) => (recovery_id === recoveryId ? [key] : [])))
  const keys = new Set(back.map(({ key }) => key))
  const old = PlanSpec.parse(row.before)
  const add = old.tasks
    .filter(({ key }) => keys.has(key))
    .map((task) => ({ ...task, depends_on: task.depends_on.filter((key) => keys.has(key)) }))
  const plan = graft(PlanSpec.parse(row.spec), gone, add, row.version + 1)
  await storeVersion(deps, tx, runId, {
    plan,
    planHash: planHash(plan, row.policy_version),
    policyVersion: row.policy_version,
    source: row.source,
    kept: new Map(tasks.flatMap(({ id, key }) => (gone.has(key) ? [] : [[key, id] as const]))),
    judged: new Map(),
    status: 'blocked',
    recoveryId,
  })
}
