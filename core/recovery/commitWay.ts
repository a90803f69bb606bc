import { now, transition } from '../events/transition.ts'
import { listMachines, type Machine } from '../fleet/machineFacts.ts'
import { foreignMachine } from '../people/entitlements.ts'
import { type Judged, judgePlan, settleSpec } from '../planning/judgePlan.ts'
import type { PlanFile } from '../planning/planFiles.ts'
import { restOnFiles } from '../planning/restOnFiles.ts'
import { askForOrigins } from '../planning/untrusted.ts'
import { planHash, specHash } from '../protocol/hash.ts'
import type { PlanSpec, PlanTask } from '../protocol/specs.ts'
import { settleRun } from '../runs/settleRun.ts'
import type { Tx } from '../storage/sql.ts'
import type { RecoverDeps, Taken } from './deps.ts'
import type { Spent, Way } from './findWay.ts'
import { freshKeys, graft } from './graft.ts'
import type { CameOf } from './ladder.ts'
import { type Case, type CaseTask, readCase, replacedBy } from './readCase.ts'
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
  await deps.db.tx(async (tx) => {
    const [run] = await tx.query<{ status: string }>('SELECT status FROM run WHERE id = $1 FOR UPDATE', [
      runId,
    ])
    if (run?.status !== 'running' && run?.status !== 'paused') return
    if (!(await isOwn(tx, taken))) return
    if (way.kind === 'none') return endStep(deps, tx, runId, taken, way)
    // Another failure of the run may have made a version meanwhile.
    const facts = await readCase(tx, taken.id)
    if (!facts) return endStep(deps, tx, runId, taken, { cameOf: 'no_way', spent: way.spent })
    await commitSteps(deps, tx, taken, { ...facts, tried: seen.tried }, way)
  })
  deps.bus.publish('run.changed', { runId })
}

const isOwn = async (tx: Tx, { id, tries }: Taken): Promise<boolean> =>
  (
    await tx.query("SELECT 1 FROM recovery WHERE id = $1 AND tries = $2 AND status = 'open' FOR UPDATE", [
      id,
      tries,
    ])
  ).length > 0

type Ended = { cameOf: CameOf; note?: string; spent?: Spent }

/** The step came to nothing: what follows from that is decided as after any failure. */
export async function endStep(
  deps: RecoverDeps,
  tx: Tx,
  runId: string,
  { id }: Taken,
  { cameOf, note, spent }: Ended,
): Promise<void> {
  await tx.query('SELECT 1 FROM run WHERE id = $1 FOR UPDATE', [runId])
  await transition(tx, 'recovery', {
    ids: [id],
    from: ['open'],
    to: 'not_helped',
    set: { came_of: cameOf, note: note ?? null, ended_at: now, ...columnsOf(spent) },
    data: { came_of: cameOf },
  })
  await settleRun(deps, tx, runId)
}

const columnsOf = (spent: Spent | undefined) =>
  spent ? { tokens: spent.tokens, cost_usd: spent.costUsd, model_ms: spent.ms } : {}

type Steps = Extract<Way, { kind: 'steps' }>

async function commitSteps(deps: RecoverDeps, tx: Tx, taken: Taken, facts: Case, way: Steps): Promise<void> {
  const { runId } = facts
  const { spent } = way
  const gone = replacedBy(facts)
  const machines = await listMachines(tx)
  const agentIds = way.tasks.map(({ spec }) => spec.agent_id)
  if (!agentIds.every((id) => machines.some(({ agentId }) => agentId === id)))
    return endStep(deps, tx, runId, taken, {
      cameOf: 'no_way',
      note: 'its machine is not there any more',
      spent,
    })
  if (facts.personId && (await foreignMachine(tx, facts.personId, agentIds)) !== null)
    return endStep(deps, tx, runId, taken, { cameOf: 'policy', note: 'who asked may not act there', spent })
  const fresh = rekeyed(way.tasks, facts)
  const { tasks, files, judged } = await judgeSteps(
    deps,
    tx,
    facts,
    { ...facts.plan, tasks: fresh },
    machines,
    way,
  )
  const denied = judged.find(({ verdict }) => verdict.verdict === 'deny')
  if (denied)
    return endStep(deps, tx, runId, taken, {
      cameOf: 'policy',
      note: denied.verdict.reason.slice(0, 300),
      spent,
    })
  const keys = new Set(gone.map(({ key }) => key))
  if (facts.plan.tasks.length - keys.size + tasks.length > MAX_TASKS)
    return endStep(deps, tx, runId, taken, { cameOf: 'no_way', note: 'the plan would be too long', spent })
  const plan = graft(facts.plan, keys, tasks, facts.plan.version + 1)
  await replace(deps, tx, taken, facts, { plan, files, gone, judged, way })
}

/** A plan has at most so many tasks. */
const MAX_TASKS = 50

/** The steps under keys of their own, `2a`, `2b` for `2`. */
function rekeyed(steps: readonly PlanTask[], { root, usedKeys }: Case): PlanTask[] {
  const keys = freshKeys(root.key, usedKeys, steps.length)
  const named = new Map(steps.map(({ key }, i) => [key, keys[i] ?? key]))
  return steps.map(({ milestone: _, ...task }) => ({
    ...task,
    key: named.get(task.key) ?? task.key,
    depends_on: task.depends_on.map((key) => named.get(key) ?? key),
  }))
}

type JudgedSteps = { tasks: PlanTask[]; files: PlanFile[]; judged: Judged[] }

/** What policy says of new steps: with the log in view of whoever proposed them, all that does more than look asks. */
async function judgeSteps(
  deps: RecoverDeps,
  tx: Tx,
  facts: Case,
  steps: PlanSpec,
  machines: Machine[],
  way: Steps,
): Promise<JudgedSteps> {
  const byId = new Map(machines.map(({ agentId, facts: own }) => [agentId, own]))
  const judge = (plan: PlanSpec): Judged[] =>
    judgePlan(plan, (id) => byId.get(id), deps.policy, deps.settings.denyPaths)
  const first = judge(steps)
  const settled = steps.tasks.map((task, i) => {
    const { rests_on: _, ...spec } = task.spec
    const verdict = first[i]?.verdict
    const platform = byId.get(spec.agent_id)?.platform ?? ''
    return { ...task, spec: verdict ? settleSpec(spec, verdict, platform) : spec }
  })
  const plan = { ...steps, tasks: settled }
  const repeats = askToRepeat(judge(plan), plan, facts)
  const judged = way.source ? askForOrigins(repeats, way.source) : repeats
  const rested = await restOnFiles(deps, tx, plan, judged, machines)
  return { tasks: rested.plan.tasks, files: rested.files, judged }
}

const REPEAT_RULE = 'recovery.repeat'

/** A step that changed things, or may have, is not begun a second time without a person. */
function askToRepeat(judged: readonly Judged[], plan: PlanSpec, { tasks }: Case): Judged[] {
  const done = new Set(tasks.filter(({ effect }) => effect === 'write').map((task) => sameWork(task.spec)))
  return judged.map((one, i) => {
    const spec = plan.tasks[i]?.spec
    if (one.verdict.verdict !== 'allow' || one.effect === 'read' || !spec || !done.has(sameWork(spec)))
      return one
    const reason = 'it would be done a second time, and the first may have changed something'
    return { ...one, verdict: { ...one.verdict, verdict: 'ask', rule: REPEAT_RULE, reason } }
  })
}

/** The same but for its time limit and what it rests on. */
const sameWork = ({ rests_on: _, ...spec }: CaseTask['spec']): string => specHash({ ...spec, timeout_s: 1 })

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
