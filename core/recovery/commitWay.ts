import { now, transition } from '../events/transition.ts'
import { listMachines, type Machine } from '../fleet/machineFacts.ts'
import { foreignMachine } from '../people/entitlements.ts'
import type { Judged } from '../planning/judgePlan.ts'
import type { PlanFile } from '../planning/planFiles.ts'
import { nothingSeen, restOn, type SeenFiles, seeFiles } from '../planning/restOnFiles.ts'
import { planHash } from '../protocol/hash.ts'
import type { PlanSpec } from '../protocol/specs.ts'
import { settleRun } from '../runs/settleRun.ts'
import type { Sql, Tx } from '../storage/sql.ts'
import type { RecoverDeps, Taken } from './deps.ts'
import type { Spent, Way } from './findWay.ts'
import { graft } from './graft.ts'
import { judgeSteps, type Steps } from './judgeSteps.ts'
import type { CameOf, RecoveryMode } from './ladder.ts'
import { type Case, type CaseTask, readCase, replacedBy } from './readCase.ts'
import { recoveryMode } from './recoveryMode.ts'
import { storeVersion } from './storeVersion.ts'

/**
 * Makes a way the next version of the plan, in one transaction, when the run still goes on (or is paused) and the step is
 * still this worker's; or ends the step where there is no way. New steps are judged like any others; where one asks,
 * all of them are held and people are asked about the new version. What was approved and is unchanged stays approved.
 */
export async function commitWay(
  deps: RecoverDeps,
  runId: string,
  taken: Taken,
  seen: Case,
  way: Way,
): Promise<void> {
  for (;;) {
    const looked = await look(deps, taken, way)
    if (await deps.db.tx((tx) => commit(deps, tx, runId, taken, { seen, way, looked }))) break
  }
  deps.bus.publish('run.changed', { runId })
}

type Found = { seen: Case; way: Way; looked: Looked }

/** False when another failure of the run made a version since the files were looked at: they are looked at again. */
async function commit(
  deps: RecoverDeps,
  tx: Tx,
  runId: string,
  taken: Taken,
  { seen, way, looked }: Found,
): Promise<boolean> {
  const [run] = await tx.query<{ status: string }>('SELECT status FROM run WHERE id = $1 FOR UPDATE', [runId])
  if (run?.status !== 'running' && run?.status !== 'paused') return true
  if (!(await isOwn(tx, taken))) return true
  const end = async (ended: Ended): Promise<true> => {
    await endStep(deps, tx, runId, taken, ended)
    return true
  }
  const { spent } = way
  if (!isWanted(await recoveryMode(tx, deps.settings), seen.by)) return end({ ...switchedOff, spent })
  if (way.kind === 'none') return end(way)
  // Another failure of the run may have made a version meanwhile.
  const facts = await readCase(tx, taken.id)
  if (!facts) return end({ cameOf: 'no_way', spent })
  if (facts.plan.version !== looked.version) return false
  await commitSteps(deps, tx, taken, { ...facts, tried: seen.tried }, way, looked.seen)
  return true
}

/** Whether what was opened is still to be done: somebody may have switched it off since. Pure. */
export const isWanted = (mode: RecoveryMode, by: Case['by']): boolean =>
  mode === 'auto' || (mode === 'retry' && by === 'rule')

/** What came of a step that nobody wants any more. */
export const switchedOff = { cameOf: 'no_way', note: 'it was switched off' } as const

const isOwn = async (tx: Tx, { id, tries }: Taken): Promise<boolean> =>
  (
    await tx.query("SELECT 1 FROM recovery WHERE id = $1 AND tries = $2 AND status = 'open' FOR UPDATE", [
      id,
      tries,
    ])
  ).length > 0

type Ended = { cameOf: CameOf; note?: string; spent?: Spent; details?: string }

/** The step came to nothing: what follows from that is decided as after any failure. */
export async function endStep(
  deps: RecoverDeps,
  tx: Tx,
  runId: string,
  { id }: Taken,
  { cameOf, note, spent, details }: Ended,
): Promise<void> {
  await tx.query('SELECT 1 FROM run WHERE id = $1 FOR UPDATE', [runId])
  await transition(tx, 'recovery', {
    ids: [id],
    from: ['open'],
    to: 'not_helped',
    set: { came_of: cameOf, note: note ?? null, ended_at: now, ...columnsOf(spent) },
    data: { came_of: cameOf, ...(details === undefined ? {} : { details: deps.redact(details) }) },
  })
  await settleRun(deps, tx, runId)
}

const columnsOf = (spent: Spent | undefined) =>
  spent ? { tokens: spent.tokens, cost_usd: spent.costUsd, model_ms: spent.ms } : {}

async function commitSteps(
  deps: RecoverDeps,
  tx: Tx,
  taken: Taken,
  facts: Case,
  way: Steps,
  seen: SeenFiles,
): Promise<void> {
  const { runId } = facts
  const { spent } = way
  const end = (cameOf: CameOf, note: string) =>
    endStep(deps, tx, runId, taken, { cameOf, note: note.slice(0, 300), spent })
  const gone = replacedBy(facts)
  const machines = await listMachines(tx)
  const misplaced = await whyMisplaced(tx, facts, way, machines)
  if (misplaced) return end(misplaced.cameOf, misplaced.note)
  const { plan: steps, judged } = judgeSteps(deps, facts, machines, way)
  const denied = judged.find(({ verdict }) => verdict.verdict === 'deny')
  if (denied) return end('policy', denied.verdict.reason)
  const keys = new Set(gone.map(({ key }) => key))
  if (facts.plan.tasks.length - keys.size + steps.tasks.length > MAX_TASKS)
    return end('no_way', 'the plan would be too long')
  const { plan: rested, files } = restOn(steps, judged, machines, seen)
  const plan = graft(facts.plan, keys, rested.tasks, facts.plan.version + 1)
  await replace(deps, tx, taken, facts, { plan, files, gone, judged, way })
}

/** Why the steps cannot be done where they are meant to be; null: they can. */
async function whyMisplaced(
  sql: Sql,
  { personId }: Case,
  { tasks }: Steps,
  machines: readonly Machine[],
): Promise<{ cameOf: CameOf; note: string } | null> {
  const agentIds = tasks.map(({ spec }) => spec.agent_id)
  if (!agentIds.every((id) => machines.some(({ agentId }) => agentId === id)))
    return { cameOf: 'no_way', note: 'its machine is not there any more' }
  if (personId && (await foreignMachine(sql, personId, agentIds)) !== null)
    return { cameOf: 'policy', note: 'who asked may not act there' }
  return null
}

/** What the files hold that the steps would rest on, and the version of the plan for which that was asked. */
type Looked = { version: number | null; seen: SeenFiles }

/** Agents are asked before the run's row is locked: a cancel does not wait for their answers. */
async function look(deps: RecoverDeps, taken: Taken, way: Way): Promise<Looked> {
  const facts = way.kind === 'steps' ? await readCase(deps.db, taken.id) : undefined
  if (way.kind === 'none' || !facts) return { version: null, seen: nothingSeen }
  const { version } = facts.plan
  const machines = await listMachines(deps.db)
  if (await whyMisplaced(deps.db, facts, way, machines)) return { version, seen: nothingSeen }
  const { plan, judged } = judgeSteps(deps, facts, machines, way)
  return { version, seen: await seeFiles(deps, deps.db, plan, judged, machines) }
}

/** A plan has at most so many tasks. */
const MAX_TASKS = 50

type Replacement = { plan: PlanSpec; files: PlanFile[]; gone: CaseTask[]; judged: Judged[]; way: Steps }

async function replace(
  deps: RecoverDeps,
  tx: Tx,
  taken: Taken,
  facts: Case,
  { plan, files, gone, judged, way }: Replacement,
): Promise<void> {
  const { runId, failed } = facts
  const asks = judged.some(({ verdict }) => verdict.verdict === 'ask')
  await leave(tx, gone)
  const added = judged.map(({ key }) => key).join(', ')
  const change = `step ${failed.key} failed; instead ${added}`
  const source = { ...sourceOf(facts, way), change }
  await storeVersion(deps, tx, runId, {
    plan,
    planHash: planHash(plan, deps.policy.version),
    policyVersion: deps.policy.version,
    source,
    kept: new Map(facts.tasks.flatMap((task) => (gone.includes(task) ? [] : [[task.key, task.id] as const]))),
    judged: new Map(judged.map((one) => [one.key, one])),
    status: asks ? 'held' : 'blocked',
    recoveryId: taken.id,
    files,
  })
  await transition(tx, 'recovery', {
    ids: [taken.id],
    from: ['open'],
    to: 'trying',
    set: {
      note: way.note.slice(0, 300),
      plan_version: plan.version,
      replaced: gone.map(({ id }) => id),
      started_at: now,
      ...columnsOf(way.spent),
    },
    data: { plan_version: plan.version, keys: judged.map(({ key }) => key) },
  })
  await settleRun(deps, tx, runId)
}

/** What made the new version: all that either question was shown may have had a part in it. */
function sourceOf(facts: Case, { source }: Steps): object {
  if (source?.kind !== 'model') return facts.source
  const before = 'from' in facts.source && Array.isArray(facts.source.from) ? facts.source.from : []
  return { ...source, from: [...new Set([...before, ...(source.from ?? [])])] }
}

/** What has not begun of the way that failed is left out: a person who goes back to it finds it again. */
const leave = (tx: Tx, gone: readonly CaseTask[]): Promise<object[]> =>
  transition(tx, 'task', {
    ids: gone.filter(({ status }) => status === 'held' || status === 'blocked').map(({ id }) => id),
    from: ['held', 'blocked'],
    to: 'skipped',
    set: { ended_at: now },
    data: { why: 'replaced by a new version' },
  })
