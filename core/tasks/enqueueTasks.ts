import { randomUUID } from 'node:crypto'
import { askApproval } from '../approvals/askApproval.ts'
import { findStanding, useStanding } from '../approvals/standing.ts'
import type { Deps } from '../deps.ts'
import { listMachines, type Machine } from '../fleet/machineFacts.ts'
import { isLockedDown } from '../people/lockdown.ts'
import { type Judged, judgeTask, worstRisk } from '../planning/judgePlan.ts'
import {
  hasSeen,
  nothingSeen,
  type Rested,
  restOn,
  type SeenFiles,
  seeFiles,
} from '../planning/restOnFiles.ts'
import { scriptFiles } from '../planning/scriptFiles.ts'
import type { Verdict } from '../policy/judge.ts'
import { planHash } from '../protocol/hash.ts'
import type { PlanSpec } from '../protocol/specs.ts'
import { beginRun } from '../runs/beginRun.ts'
import { storePlan } from '../runs/storePlan.ts'
import type { Tx } from '../storage/sql.ts'
import { Acquaintances, type Placed, type PlacedTask, placeTask } from './placeTask.ts'
import { hasOutside, programPlan, termsOf } from './programPlan.ts'
import {
  createProgramRun,
  goOn,
  type NoOpenRun,
  type OpenRun,
  openRun,
  runOfTasks,
  tellBegun,
} from './programRun.ts'
import {
  type Fault,
  faultOfGraph,
  faultOfTexts,
  type NotEntitled,
  outsideRights,
  type ProgramOf,
} from './refuseTasks.ts'
import type { IdentifiedTask, TaskRequest } from './taskRequest.ts'

export type Enqueued =
  | { kind: 'enqueued'; runId: string; taskIds: string[]; created: boolean; approvalId: string | null }
  | { kind: 'denied'; taskId: string; verdict: Verdict }
  | NoOpenRun
  | NotEntitled
  | ({ kind: 'fault' } & Fault)

type EnqueueDeps = Pick<
  Deps,
  'db' | 'bus' | 'wake' | 'policy' | 'playbooks' | 'settings' | 'redact' | 'gatewayToken'
>
type Batch = {
  runId: string | null
  tasks: readonly TaskRequest[]
} & ProgramOf
type IdentifiedBatch = Omit<Batch, 'tasks'> & { tasks: IdentifiedTask[]; seen: SeenFiles }
/** Agents have to be asked for files that a plan would rest on: outside of any transaction. */
type Unseen = { kind: 'unseen'; plan: PlanSpec; judged: readonly Judged[]; machines: readonly Machine[] }

/**
 * Takes tasks of a program into the ledger, at most 50, as one plan: placed, judged by policy, and, where policy asks,
 * held until people approve the plan. A task id that is known already is not made again, so that repeating a call
 * changes nothing. `runId` null makes a run for them. All of them or none, in one transaction. Where that comes upon files
 * that the plan would rest on, it ends with nothing made, their agents are asked, which may take seconds, and all of it is
 * looked at anew with what they said.
 */
export async function enqueueTasks(deps: EnqueueDeps, batch: Batch): Promise<Enqueued> {
  const tasks = batch.tasks.map(
    ({ task_id = randomUUID(), ...task }): IdentifiedTask => ({ ...task, task_id }),
  )
  const chosen = batch.tasks.flatMap(({ task_id }) => task_id ?? [])
  for (let seen = nothingSeen; ; ) {
    const done = await deps.db.tx((tx) => enqueue(deps, tx, { ...batch, tasks, seen }, chosen))
    if (done.kind === 'unseen') {
      seen = together(seen, await seeFiles(deps, deps.db, done.plan, done.judged, done.machines))
      continue
    }
    if (done.kind === 'enqueued' && done.created) deps.bus.publish('run.changed', { runId: done.runId })
    return done
  }
}

/** All that was seen, the newer where both have it: it only grows, so that asking ends however tasks change their places. */
const together = (old: SeenFiles, fresh: SeenFiles): SeenFiles =>
  new Map(
    [...old, ...fresh].map(([agentId]) => [
      agentId,
      new Map([...(old.get(agentId) ?? []), ...(fresh.get(agentId) ?? [])]),
    ]),
  )

async function enqueue(
  deps: EnqueueDeps,
  tx: Tx,
  batch: IdentifiedBatch,
  chosen: readonly string[],
): Promise<Enqueued | Unseen> {
  const { tasks } = batch
  const ids = tasks.map((task) => task.task_id)
  const fault = faultOfTexts(tasks, deps.redact)
  if (fault) return { kind: 'fault', ...fault }
  const [locked, first, unfit, placed] = await Promise.all([
    isLockedDown(tx),
    knownTasks(tx, chosen, ids),
    faultOfGraph(tx, tasks),
    placeAll(tx, tasks),
  ])
  if (locked)
    return { kind: 'fault', code: 'LOCKED_DOWN', message: 'Everything is locked down; nothing starts.' }
  if (first) return first
  if (unfit) return { kind: 'fault', ...unfit }
  const run = batch.runId === null ? null : await openRun(tx, batch.runId, tasks.length)
  if (run && 'kind' in run) return run
  if (!Array.isArray(placed)) return placed
  const foreign = await outsideRights(tx, batch, placed)
  if (foreign) return foreign
  return store(deps, tx, batch, run, placed)
}

/** The places of all tasks, or why one of them has none. */
async function placeAll(
  tx: Tx,
  tasks: readonly IdentifiedTask[],
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

async function store(
  deps: EnqueueDeps,
  tx: Tx,
  batch: IdentifiedBatch,
  run: OpenRun | null,
  placed: readonly PlacedTask[],
): Promise<Enqueued | Unseen> {
  const keys = batch.tasks.map((_, i) => String((run?.count ?? 0) + i + 1))
  const judged = placed.map(({ spec, machine }, i): Judged => {
    return { key: keys[i] ?? '', ...judgeTask(spec, machine, deps.policy, deps.settings.denyPaths) }
  })
  const at = judged.findIndex(({ verdict }) => verdict.verdict === 'deny')
  const denied = judged[at]
  if (denied) return { kind: 'denied', taskId: batch.tasks[at]?.task_id ?? '', verdict: denied.verdict }
  const bare = programPlan(deps, batch.tasks, keys, placed, judged, (run?.version ?? 0) + 1)
  const rested = await withFiles(tx, bare, judged, batch.seen)
  if ('kind' in rested) return rested
  const { plan, files } = rested
  const runId = run?.id ?? randomUUID()
  const hash = planHash(plan, deps.policy.version)
  const asked = judged.some(({ verdict }) => verdict.verdict === 'ask')
  const standing = asked
    ? await findStanding(deps, tx, plan, judged, { askerId: batch.personId, source: { kind: 'api' } })
    : null
  const asks = asked && standing === null
  const begins = run === null && !asks && !hasOutside(batch.tasks)
  const about = {
    planHash: hash,
    policyVersion: deps.policy.version,
    source: { kind: 'api' },
    judged,
    files,
    terms: termsOf(batch.tasks, keys),
    machines: new Map(placed.map(({ spec, machine }) => [spec.agent_id, machine])),
  }
  const fresh = runOfTasks(plan, batch.personId)
  // All of it is asked for at once: the run first, since the rest is about it.
  const made = run || begins ? null : createProgramRun(tx, fresh, runId)
  const [{ planId, taskIds }] = await Promise.all([
    begins
      ? beginRun(tx, runId, fresh, plan, about)
      : storePlan(tx, runId, plan, { ...about, status: asks ? 'held' : 'blocked' }),
    made,
  ])
  if (begins) tellBegun(deps, tx, runId, batch.tasks)
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

/** What is asked about rests on the files it runs, as they were seen. */
async function withFiles(
  tx: Tx,
  plan: PlanSpec,
  judged: readonly Judged[],
  seen: SeenFiles,
): Promise<Rested | Unseen> {
  const some = plan.tasks.some(
    ({ spec }, i) => judged[i]?.verdict.verdict === 'ask' && scriptFiles(spec).length > 0,
  )
  if (!some) return { plan, files: [] }
  const machines = await listMachines(tx)
  if (!hasSeen(seen, plan, judged, machines)) return { kind: 'unseen', plan, judged, machines }
  return restOn(plan, judged, machines, seen)
}
