import { randomUUID } from 'node:crypto'
import { type Told, tellEvents } from '../events/tellEvent.ts'
import type { Judged } from '../planning/judgePlan.ts'
import type { PlanFile } from '../planning/planFiles.ts'
import type { PlanSpec } from '../protocol/specs.ts'
import { insertPlan, insertTasks, type NewTask, readMachines, toldOf } from '../runs/storePlan.ts'
import type { Tx } from '../storage/sql.ts'
import { askOfVersion } from './askOfVersion.ts'
import type { FollowDeps } from './deps.ts'

export type Version = {
  plan: PlanSpec
  planHash: string
  policyVersion: string
  source: object
  /** The tasks of it that are there already, by key; they keep all that they are. */
  kept: ReadonlyMap<string, string>
  /** Those that are new: how they are judged, and in which status they begin. */
  judged: ReadonlyMap<string, Judged>
  status: 'held' | 'blocked'
  recoveryId: string
  /** The files that new tasks rest on. */
  files?: readonly PlanFile[]
}

/**
 * The next version of a plan that is being carried out, whose run's row the caller has locked: kept tasks go over into it
 * as they stand, with what they depend on now; new ones are written. What is held is asked about anew: a question about a
 * version whose tasks have gone over into another would have an answer that reaches none of them.
 */
export async function storeVersion(
  deps: Pick<FollowDeps, 'settings'>,
  tx: Tx,
  runId: string,
  version: Version,
): Promise<void> {
  const { plan, planHash, policyVersion, source, kept, recoveryId } = version
  const planId = randomUUID()
  const [old] = await tx.query<{ id: string; files: PlanFile[] | null }>(
    'SELECT p.id, p.files FROM plan p JOIN run r ON r.id = p.run_id AND r.plan_version = p.version WHERE r.id = $1',
    [runId],
  )
  const files = together(plan, old?.files ?? [], version.files ?? [])
  await insertPlan(tx, planId, runId, plan, { planHash, policyVersion, source, files })
  await copyMilestones(tx, old?.id, planId)
  const fresh = await newTasks(tx, version)
  await insertTasks(tx, runId, planId, fresh)
  await markFresh(tx, recoveryId, fresh)
  await takeOver(tx, planId, version)
  const taskIds = new Map(fresh.map(({ id, task }) => [task.key, id]))
  await tieTogether(tx, plan, new Map([...kept, ...taskIds]))
  const data = { version: plan.version, plan_hash: planHash, source, recovery_id: recoveryId }
  const made: Told = { type: 'plan.made', subject: { runId }, data }
  await tellEvents(tx, [made, ...fresh.map((task) => toldOf(runId, task))])
  await askOfVersion(deps, tx, { runId, planId, planHash })
}

/** Each file on which the plan rests, as it was looked at last. Pure. */
export function together(plan: PlanSpec, old: readonly PlanFile[], fresh: readonly PlanFile[]): PlanFile[] {
  const at = (agentId: string, path: string): string => JSON.stringify([agentId, path])
  const named = new Set(
    plan.tasks.flatMap(({ spec }) => (spec.rests_on ?? []).map(({ path }) => at(spec.agent_id, path))),
  )
  const files = new Map([...old, ...fresh].map((file) => [at(file.agent_id, file.path), file]))
  return [...files].flatMap(([key, file]) => (named.has(key) ? [file] : []))
}

/** Milestones go on as they stand. */
const copyMilestones = (tx: Tx, from: string | undefined, to: string): Promise<object[]> =>
  tx.query(
    `INSERT INTO milestone (plan_id, key, position, title, started_at, ended_at, outcome)
     SELECT $1, key, position, title, started_at, ended_at, outcome FROM milestone WHERE plan_id = $2`,
    [to, from],
  )

async function newTasks(tx: Tx, { plan, kept, judged, status }: Version): Promise<NewTask[]> {
  const machines = await readMachines(
    tx,
    plan.tasks.map(({ spec }) => spec.agent_id),
  )
  return plan.tasks.flatMap((task, position) => {
    if (kept.has(task.key)) return []
    const own = judged.get(task.key)
    if (!own) throw new Error(`task ${task.key} was not judged`)
    const machine = machines.get(task.spec.agent_id) ?? { platform: 'linux', home: '/nowhere' }
    return [{ id: randomUUID(), position, task, judged: own, status, terms: undefined, machine }]
  })
}

const markFresh = (tx: Tx, recoveryId: string, fresh: readonly NewTask[]): Promise<object[]> =>
  tx.query('UPDATE task SET recovery_id = $1 WHERE id = ANY($2::uuid[])', [
    recoveryId,
    fresh.map(({ id }) => id),
  ])

const takeOver = (tx: Tx, planId: string, { plan, kept }: Version): Promise<object[]> => {
  const places = plan.tasks.flatMap(({ key }, position) => {
    const id = kept.get(key)
    return id ? [{ id, position }] : []
  })
  return tx.query(
    `UPDATE task t SET plan_id = $1, position = k.position FROM unnest($2::uuid[], $3::int[]) AS k(id, position) WHERE t.id = k.id`,
    [planId, places.map(({ id }) => id), places.map(({ position }) => position)],
  )
}

/** What each task of the plan depends on, as the plan says now. */
async function tieTogether(tx: Tx, plan: PlanSpec, ids: ReadonlyMap<string, string>): Promise<void> {
  const edges = plan.tasks.flatMap(({ key, depends_on }) =>
    depends_on.map((before) => [ids.get(key), ids.get(before)] as const),
  )
  await tx.query('DELETE FROM task_dependency WHERE task_id = ANY($1::uuid[])', [[...ids.values()]])
  await tx.query(
    'INSERT INTO task_dependency (task_id, depends_on_id) SELECT * FROM unnest($1::uuid[], $2::uuid[])',
    [edges.map(([task]) => task), edges.map(([, before]) => before)],
  )
}
