import { randomUUID } from 'node:crypto'
import { askApproval } from '../approvals/askApproval.ts'
import { findStanding, useStanding } from '../approvals/standing.ts'
import type { Deps } from '../deps.ts'
import type { RunStatus } from '../events/states.ts'
import { now, transition } from '../events/transition.ts'
import { listMachines } from '../fleet/machineFacts.ts'
import { foreignMachine, mayActIn } from '../people/entitlements.ts'
import { isLockedDown } from '../people/lockdown.ts'
import { type Judged, judgeTask, settleSpec, worstRisk } from '../planning/judgePlan.ts'
import { type Rested, restOnFiles } from '../planning/restOnFiles.ts'
import { scriptFiles } from '../planning/scriptFiles.ts'
import type { Verdict } from '../policy/judge.ts'
import { planHash } from '../protocol/hash.ts'
import { isAcyclic, PlanSpec, type TaskSpec } from '../protocol/specs.ts'
import { createRun } from '../runs/createRun.ts'
import { settleRun } from '../runs/settleRun.ts'
import { storePlan, type TaskTerms } from '../runs/storePlan.ts'
import type { Tx } from '../storage/sql.ts'
import { queueThose } from './moveTasks.ts'
import { Acquaintances, type Placed, type PlacedTask, placeTask } from './placeTask.ts'
import type { TaskRequest } from './taskRequest.ts'

/** Tasks that one run of a program may have. */
const MAX_TASKS = 1000

export type Enqueued =
  | { kind: 'enqueued'; runId: string; taskIds: string[]; created: boolean; approvalId: string | null }
  | { kind: 'denied'; taskId: string; verdict: Verdict }
  | { kind: 'unknown_run' }
  /** Whose program it is may not act there. */
  | { kind: 'not_entitled'; message: string }
  /** The run cannot take more tasks: it has ended, is full, or is a plan that people were shown. */
  | { kind: 'closed_run'; message: string }
  | { kind: 'fault'; code: string; message: string }

type EnqueueDeps = Pick<
  Deps,
  'db' | 'bus' | 'wake' | 'policy' | 'playbooks' | 'settings' | 'redact' | 'gatewayToken'
>
type Batch = {
  runId: string | null
  tasks: readonly TaskRequest[]
  personId: string | null
  /** The program is a person's: it acts only where they may. */
  isPersons?: boolean
}
type Fresh = TaskRequest & { task_id: string }
type FreshBatch = Omit<Batch, 'tasks'> & { tasks: Fresh[] }

/**
 * Takes tasks of a program into the ledger, at most 50, as one plan: placed, judged by policy, and, where policy asks,
 * held until people approve the plan. A task id that is known already is not made again, so that repeating a call
 * changes nothing. `runId` null makes a run for them. All of them or none, in one transaction.
 */
export async function enqueueTasks(deps: EnqueueDeps, batch: Batch): Promise<Enqueued> {
  const done = await deps.db.tx((tx) => enqueue(deps, tx, batch))
  if (done.kind === 'enqueued' && done.created) deps.bus.publish('run.changed', { runId: done.runId })
  return done
}

async function enqueue(deps: EnqueueDeps, tx: Tx, asked: Batch): Promise<Enqueued> {
  const tasks = asked.tasks.map(({ task_id = randomUUID(), ...task }): Fresh => ({ ...task, task_id }))
  const ids = tasks.map((task) => task.task_id)
  if (new Set(ids).size < ids.length)
    return { kind: 'fault', code: 'REPEATED_TASK', message: 'Two of these tasks have the same task_id.' }
  if (tasks.some(({ params }) => holdsSecret(params, deps.redact)))
    return {
      kind: 'fault',
      code: 'SECRET_IN_TASK',
      message:
        'A command of these tasks holds what looks like a secret. It would stand in the ledger and in process lists: give it to the machine, and let the command read it there.',
    }
  const [locked, first, unfit, placed] = await Promise.all([
    isLockedDown(tx),
    knownTasks(
      tx,
      asked.tasks.flatMap(({ task_id }) => task_id ?? []),
      ids,
    ),
    graphFault(tx, tasks),
    placeAll(tx, tasks),
  ])
  if (locked)
    return { kind: 'fault', code: 'LOCKED_DOWN', message: 'Everything is locked down; nothing starts.' }
  if (first) return first
  if (unfit) return { kind: 'fault', ...unfit }
  const run = asked.runId === null ? null : await openRun(tx, asked.runId, tasks.length)
  if (run && 'kind' in run) return run
  if (!Array.isArray(placed)) return placed
  const foreign = await outsideRights(tx, asked, placed)
  if (foreign) return foreign
  return store(deps, tx, { ...asked, tasks }, run, placed)
}

/** Parameters that become arguments of processes, and are shown to people. */
const shownParams = ['command', 'message', 'path'] as const

const holdsSecret = (params: Record<string, unknown>, redact: (text: string) => string): boolean =>
  shownParams.some((name) => {
    const text = params[name]
    return typeof text === 'string' && redact(text) !== text
  })

/** A program of a person acts where that person may. */
async function outsideRights(
  tx: Tx,
  { personId, isPersons = false }: Batch,
  placed: readonly PlacedTask[],
): Promise<Extract<Enqueued, { kind: 'not_entitled' }> | null> {
  if (personId === null || !isPersons) return null
  const agentIds = placed.map(({ spec }) => spec.agent_id)
  const foreign = await foreignMachine(tx, personId, agentIds)
  if (foreign !== null) return { kind: 'not_entitled', message: `You may not act on ${foreign}.` }
  if (await mayActIn(tx, personId, 0)) return null
  return { kind: 'not_entitled', message: 'You may act in some chats only, not by programs.' }
}

/** The places of all tasks, or why one of them has none. */
async function placeAll(
  tx: Tx,
  tasks: readonly Fresh[],
): Promise<PlacedTask[] | Extract<Placed, { kind: 'fault' }>> {
  const agents = new Acquaintances(tx)
  const placed: PlacedTask[] = []
  for (const task of tasks) {
    const place = await placeTask(tx, task, agents)
    if (place.kind === 'fault') return place
    placed.push(place.task)
  }
  return placed
}

/**
 * What an earlier call made of these ids; null when none of them is known. One call at a time has an id. Only those that
 * the caller chose (`chosen`) can be known.
 */
async function knownTasks(tx: Tx, chosen: readonly string[], ids: string[]): Promise<Enqueued | null> {
  if (chosen.length === 0) return null
  const [, rows] = await Promise.all([
    tx.query("SELECT pg_advisory_xact_lock(hashtextextended('task:' || id, 0)) FROM unnest($1::text[]) id", [
      [...chosen].sort(),
    ]),
    tx.query<{ id: string; run_id: string; approval_id: string | null }>(
      `SELECT t.id, t.run_id, (SELECT a.id FROM approval a WHERE a.plan_id = t.plan_id ORDER BY a.created_at DESC LIMIT 1) AS approval_id
       FROM task t WHERE t.id = ANY($1::uuid[])`,
      [chosen],
    ),
  ])
  const [row] = rows
  if (!row) return null
  if (rows.length < ids.length)
    return {
      kind: 'fault',
      code: 'PARTLY_KNOWN',
      message: `Some of these tasks exist already: ${rows.map(({ id }) => id).join(', ')}. Enqueue only the others.`,
    }
  return { kind: 'enqueued', runId: row.run_id, taskIds: ids, created: false, approvalId: row.approval_id }
}

type Fault = { code: string; message: string }

/** Dependencies must be of this batch or known, and lead nowhere in a circle. */
async function graphFault(tx: Tx, tasks: readonly Fresh[]): Promise<Fault | null> {
  const own = new Set(tasks.map((task) => task.task_id))
  const outside = [...new Set(tasks.flatMap((task) => task.dependencies))].filter((id) => !own.has(id))
  const found =
    outside.length > 0
      ? await tx.query<{ id: string }>('SELECT id FROM task WHERE id = ANY($1::uuid[])', [outside])
      : []
  const known = new Set(found.map(({ id }) => id))
  const missing = outside.filter((id) => !known.has(id))
  if (missing.length > 0)
    return { code: 'UNKNOWN_DEPENDENCY', message: `There is no task ${missing.join(', ')} to depend on.` }
  const graph = tasks.map((task) => ({
    key: task.task_id,
    depends_on: task.dependencies.filter((id) => own.has(id)),
  }))
  return isAcyclic(graph) ? null : { code: 'CYCLE', message: 'These tasks depend on each other in a circle.' }
}

type OpenRun = { id: string; status: RunStatus; version: number; count: number }

/** A program's run that can take more tasks, locked. */
async function openRun(tx: Tx, runId: string, more: number): Promise<OpenRun | Enqueued> {
  const [run] = await tx.query<OpenRun & { kind_of: string }>(
    `SELECT id, status, kind AS kind_of, plan_version AS version, (SELECT count(*)::int FROM task t WHERE t.run_id = run.id) AS count
     FROM run WHERE id = $1 FOR UPDATE`,
    [runId],
  )
  if (!run) return { kind: 'unknown_run' }
  if (run.kind_of !== 'api')
    return {
      kind: 'closed_run',
      message: 'This run is a plan that people were shown; leave run_id out to make another run.',
    }
  if (!['awaiting_approval', 'running', 'paused'].includes(run.status))
    return {
      kind: 'closed_run',
      message: `This run has ended (${run.status}); leave run_id out to make another.`,
    }
  if (run.count + more > MAX_TASKS)
    return {
      kind: 'closed_run',
      message: `A run has at most ${MAX_TASKS} tasks; leave run_id out to make another.`,
    }
  return run
}

async function store(
  deps: EnqueueDeps,
  tx: Tx,
  batch: FreshBatch,
  run: OpenRun | null,
  placed: readonly PlacedTask[],
): Promise<Enqueued> {
  const keys = batch.tasks.map((_, i) => String((run?.count ?? 0) + i + 1))
  const judged = placed.map(({ spec, machine }, i): Judged => {
    return { key: keys[i] ?? '', ...judgeTask(spec, machine, deps.policy, deps.settings.denyPaths) }
  })
  const at = judged.findIndex(({ verdict }) => verdict.verdict === 'deny')
  const denied = judged[at]
  if (denied) return { kind: 'denied', taskId: batch.tasks[at]?.task_id ?? '', verdict: denied.verdict }
  const bare = planOf(deps, batch.tasks, keys, placed, judged, (run?.version ?? 0) + 1)
  const { plan, files } = await withFiles(deps, tx, bare, judged)
  const runId = run?.id ?? randomUUID()
  const hash = planHash(plan, deps.policy.version)
  const asked = judged.some(({ verdict }) => verdict.verdict === 'ask')
  const standing = asked
    ? await findStanding(deps, tx, plan, judged, { askerId: batch.personId, source: { kind: 'api' } })
    : null
  const asks = asked && standing === null
  const begins = run === null && !asks && !hasOutside(batch.tasks)
  // All of it is asked for at once: the run first, since the rest is about it.
  const made = run ? null : newRun(tx, plan, batch.personId, runId)
  const [{ planId, taskIds }] = await Promise.all([
    storePlan(tx, runId, plan, {
      planHash: hash,
      policyVersion: deps.policy.version,
      source: { kind: 'api' },
      judged,
      status: asks ? 'held' : 'blocked',
      files,
      terms: termsOf(batch.tasks, keys),
      machines: new Map(placed.map(({ spec, machine }) => [spec.agent_id, machine])),
    }),
    begins ? begin(deps, tx, runId, batch.tasks) : null,
    made,
  ])
  await useStanding(
    tx,
    runId,
    [...(standing ?? [])].map(([key, standingId]) => ({ standingId, taskId: taskIds.get(key) ?? '' })),
  )
  const risk = worstRisk(judged.map(({ verdict }) => verdict))
  const approvalId = asks
    ? await askApproval(tx, { runId, planId, planHash: hash, risk, settings: deps.settings })
    : null
  if (!begins) await goOn(deps, tx, runId, run === null && asks)
  return { kind: 'enqueued', runId, taskIds: batch.tasks.map((t) => t.task_id), created: true, approvalId }
}

/** What is asked about rests on the files it runs, as they are now. */
async function withFiles(
  deps: EnqueueDeps,
  tx: Tx,
  plan: PlanSpec,
  judged: readonly Judged[],
): Promise<Rested> {
  const some = plan.tasks.some(
    ({ spec }, i) => judged[i]?.verdict.verdict === 'ask' && scriptFiles(spec).length > 0,
  )
  return some ? restOnFiles(deps, tx, plan, judged, await listMachines(tx)) : { plan, files: [] }
}

const hasOutside = (tasks: readonly Fresh[]): boolean => {
  const own = new Set(tasks.map((task) => task.task_id))
  return tasks.some((task) => task.dependencies.some((id) => !own.has(id)))
}

/** A run of its own that nobody has to approve begins: what depends on nothing is claimable. */
async function begin(deps: EnqueueDeps, tx: Tx, runId: string, tasks: readonly Fresh[]): Promise<void> {
  await Promise.all([
    transition(tx, 'run', { ids: [runId], from: ['planning'], to: 'running', set: { started_at: now } }),
    queueThose(
      tx,
      tasks.flatMap((task) => (task.dependencies.length === 0 ? task.task_id : [])),
    ),
  ])
  tx.afterCommit(() => {
    deps.bus.publish('run.changed', { runId })
    if (tasks.some((task) => task.dispatch === 'push')) deps.wake('tasks.dispatch', {})
  })
}

/** A run whose only plan waits for people waits as well; any other goes on with what may run. */
async function goOn(deps: EnqueueDeps, tx: Tx, runId: string, waits: boolean): Promise<void> {
  if (waits) {
    await transition(tx, 'run', { ids: [runId], from: ['planning'], to: 'awaiting_approval' })
    return
  }
  await transition(tx, 'run', {
    ids: [runId],
    from: ['planning', 'awaiting_approval'],
    to: 'running',
    set: { started_at: now },
  })
  await settleRun(deps, tx, runId)
}

const settled = (placed: PlacedTask | undefined, judged: Judged | undefined): TaskSpec | undefined =>
  placed && judged && settleSpec(placed.spec, judged.verdict, placed.machine.platform)

function planOf(
  deps: Pick<Deps, 'redact'>,
  tasks: readonly Fresh[],
  keys: readonly string[],
  placed: readonly PlacedTask[],
  judged: readonly Judged[],
  version: number,
): PlanSpec {
  const keyOf = new Map(tasks.map((task, i) => [task.task_id, keys[i] ?? '']))
  const titles = tasks.map((task) => deps.redact(task.title ?? titleOf(task)))
  return PlanSpec.parse({
    version,
    summary: titles.length === 1 ? titles[0] : `${titles.length} tasks: ${titles[0]}`.slice(0, 200),
    milestones: [],
    tasks: tasks.map((task, i) => ({
      key: keys[i],
      title: titles[i],
      depends_on: task.dependencies.flatMap((id) => keyOf.get(id) ?? []),
      spec: settled(placed[i], judged[i]),
    })),
  })
}

function titleOf({ action, params }: Pick<TaskRequest, 'action' | 'params'>): string {
  const what = params.command ?? params.path ?? params.message ?? params.tool
  const text = typeof what === 'string' ? (action === 'shell' ? what : `${action} ${what}`) : action
  const line = text.replace(/\s+/g, ' ').trim()
  return line.length > 100 ? `${line.slice(0, 99)}…` : line || action
}

const termsOf = (tasks: readonly Fresh[], keys: readonly string[]): Map<string, TaskTerms> => {
  const own = new Set(tasks.map((task) => task.task_id))
  return new Map(
    tasks.map((task, i): [string, TaskTerms] => [
      keys[i] ?? '',
      {
        id: task.task_id,
        dispatch: task.dispatch,
        capabilities: task.capabilities,
        priority: task.priority,
        maxAttempts: task.max_attempts,
        dependencies: task.dependencies.filter((id) => !own.has(id)),
      },
    ]),
  )
}

/** The run of tasks that came without one. Nobody has to plan it, so no planner is woken. */
async function newRun(tx: Tx, plan: PlanSpec, personId: string | null, id: string): Promise<void> {
  const [task] = plan.tasks
  const place =
    task && plan.tasks.every(({ spec }) => spec.agent_id === task.spec.agent_id)
      ? { agentId: task.spec.agent_id, cwd: task.spec.cwd }
      : null
  const run = { kind: 'api' as const, request: plan.summary, personId, chat: null, place }
  await createRun({ wake: () => {} }, tx, run, id)
}
