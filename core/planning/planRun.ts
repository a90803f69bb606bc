import { askApproval } from '../approvals/askApproval.ts'
import { findStanding, useStanding } from '../approvals/standing.ts'
import type { Deps } from '../deps.ts'
import { now, transition } from '../events/transition.ts'
import { listMachines, type Machine } from '../fleet/machineFacts.ts'
import { foreignMachine } from '../people/entitlements.ts'
import { isLockedDown } from '../people/lockdown.ts'
import { planHash } from '../protocol/hash.ts'
import { PlanSpec } from '../protocol/specs.ts'
import { settleRun } from '../runs/settleRun.ts'
import { storePlan } from '../runs/storePlan.ts'
import type { Tx } from '../storage/sql.ts'
import { tellFault } from '../storage/tellFault.ts'
import { bestMachine } from './bestMachine.ts'
import { type Judged, judgePlan, settleSpec, worstRisk } from './judgePlan.ts'
import { type PlaceFacts, type PlanSource, planRequest } from './planRequest.ts'
import { pastFor } from './readPast.ts'
import { restOnFiles } from './restOnFiles.ts'
import { askForOrigins } from './untrusted.ts'

/** How long a planner holds a run, renewed while it lives; one that died is followed by another after that. */
const PLANNING_LEASE_MS = 10_000
const MAX_TRIES = 3

type PlanningRun = {
  id: string
  kind: string
  request: string
  chat_id: number | null
  agent_id: string | null
  cwd: string | null
  plan_version: number
  planning_tries: number
}
type PlanDeps = Pick<
  Deps,
  'db' | 'bus' | 'wake' | 'log' | 'policy' | 'playbooks' | 'model' | 'settings' | 'gatewayToken'
>
export type RunFault = {
  code: string
  message: string
  hint?: string
  /** Playbooks near to the request; `request` null: it needs details, such as those of `example`. */
  nearest?: { title: string; request?: string | null; example: string }[]
  rule?: string
  risk?: string
  command?: string
}

/**
 * Plans one run that is in `planning`: makes the plan, has policy judge every task, and leaves the run refused,
 * waiting for approval, running or failed. Safe to call twice at once: the second finds the run taken.
 */
export async function planRun(
  deps: PlanDeps,
  runId: string,
  signal: AbortSignal,
): Promise<'planned' | 'taken'> {
  const run = await takeRun(deps, runId)
  if (!run) return 'taken'
  if (run.planning_tries > MAX_TRIES) {
    await endPlanning(deps, runId, 'failed', {
      code: 'PLANNING_FAILED',
      message: 'Planning broke off three times.',
      hint: 'Ask again in other words.',
    })
    return 'planned'
  }
  const lease = setInterval(() => void holdRun(deps, run), PLANNING_LEASE_MS / 3)
  try {
    if (await isLockedDown(deps.db)) {
      await endPlanning(deps, runId, 'failed', {
        code: 'LOCKED_DOWN',
        message: 'Everything is locked down; nothing starts.',
        hint: 'An owner lifts it on the machine: skynet lockdown --lift',
      })
      return 'planned'
    }
    const machines = await listMachines(deps.db)
    const made = await makePlan(deps, run, machines, signal)
    if ('fault' in made) await endPlanning(deps, runId, 'failed', made.fault)
    else await commitPlan(deps, run, made, machines)
    return 'planned'
  } catch (error) {
    await holdRun(deps, run, 0)
    throw error
  } finally {
    clearInterval(lease)
  }
}

/** Keeps a run for this planner, or with 0 ms lets another have it at once. */
const holdRun = (
  deps: Pick<Deps, 'db' | 'log'>,
  run: Pick<PlanningRun, 'id' | 'planning_tries'>,
  ms: number = PLANNING_LEASE_MS,
): Promise<unknown> =>
  deps.db
    .query(
      `UPDATE run SET planning_until = clock_timestamp() + $2 * interval '1 ms'
       WHERE id = $1 AND status = 'planning' AND planning_tries = $3`,
      [run.id, ms, run.planning_tries],
    )
    .catch((error) => tellFault(deps.log, `planning of ${run.id}`, error))

async function takeRun(deps: Pick<Deps, 'db'>, runId: string): Promise<PlanningRun | undefined> {
  const [run] = await deps.db.query<PlanningRun>(
    `UPDATE run SET planning_until = clock_timestamp() + $2 * interval '1 ms', planning_tries = planning_tries + 1
     WHERE id = $1 AND status = 'planning' AND (planning_until IS NULL OR planning_until < clock_timestamp())
     RETURNING id, kind, request, chat_id, agent_id, cwd, plan_version, planning_tries`,
    [runId, PLANNING_LEASE_MS],
  )
  return run
}

type Made = { plan: PlanSpec; source: PlanSource }

async function makePlan(
  deps: PlanDeps,
  run: PlanningRun,
  machines: Machine[],
  signal: AbortSignal,
): Promise<Made | { fault: RunFault }> {
  const machine =
    machines.find((m) => m.agentId === run.agent_id) ?? (await bestMachine(deps.db, run, machines))
  if (!machine)
    return {
      fault: {
        code: 'NO_MACHINE',
        message: 'No machine is connected yet.',
        hint: 'Start one with `skynet agent`.',
      },
    }
  const place = placeFacts(machine, run.cwd ?? machine.facts.roots[0] ?? '/')
  const version = run.plan_version + 1
  if (run.kind === 'command')
    return { plan: commandPlan(run.request, place, version), source: { kind: 'command' } }
  const past = await pastFor(deps, run, place)
  const outcome = await planRequest(deps, { request: run.request, version, signal, ...past })
  if (outcome.kind === 'planned') return { plan: outcome.plan, source: outcome.source }
  if (outcome.kind === 'failed')
    return { fault: { code: 'PLANNING_FAILED', message: outcome.reason, hint: outcome.hint } }
  return {
    fault: {
      code: 'NO_PLAYBOOK',
      message: 'No playbook fits this request.',
      hint: outcome.hint,
      nearest: outcome.nearest,
    },
  }
}

export function placeFacts(machine: Machine, cwd: string): PlaceFacts {
  const { facts } = machine
  const around = facts.repositories
    .filter((r) => cwd === r.path || cwd.startsWith(`${r.path}/`))
    .sort((a, b) => b.path.length - a.path.length)
  return {
    agentId: machine.agentId,
    agentName: machine.name,
    machineId: facts.machine_id,
    platform: facts.platform,
    home: facts.home,
    roots: facts.roots,
    cwd,
    repository: around[0] ?? null,
    repositories: facts.repositories,
    capabilities: facts.capabilities,
  }
}

/** Seconds a `/run` command may take. */
const COMMAND_TIMEOUT_S = 3600

const commandPlan = (command: string, place: PlaceFacts, version: number): PlanSpec =>
  PlanSpec.parse({
    version,
    summary: command.length > 60 ? `${command.slice(0, 59)}…` : command,
    milestones: [],
    tasks: [
      {
        key: '1',
        title: command.length > 40 ? `${command.slice(0, 39)}…` : command,
        depends_on: [],
        spec: {
          action: 'shell',
          params: { command },
          agent_id: place.agentId,
          machine_id: place.machineId,
          cwd: place.cwd,
          required_files: [],
          timeout_s: COMMAND_TIMEOUT_S,
          network: true,
        },
      },
    ],
  })

async function endPlanning(
  deps: Pick<Deps, 'db' | 'bus'>,
  runId: string,
  to: 'failed' | 'refused',
  fault: RunFault,
): Promise<void> {
  await transition(deps.db, 'run', {
    ids: [runId],
    from: ['planning'],
    to,
    set: { error: fault, ended_at: now },
    data: { code: fault.code, message: fault.message },
  })
  deps.bus.publish('run.changed', { runId })
}

async function commitPlan(deps: PlanDeps, run: PlanningRun, made: Made, machines: Machine[]): Promise<void> {
  await deps.db.tx(async (tx) => {
    const [row] = await tx.query<{ status: string }>('SELECT status FROM run WHERE id = $1 FOR UPDATE', [
      run.id,
    ])
    if (row?.status === 'planning') await commitRevision(deps, tx, run.id, made, machines)
  })
  deps.bus.publish('run.changed', { runId: run.id })
}

type CommitDeps = Pick<Deps, 'bus' | 'wake' | 'policy' | 'settings' | 'playbooks' | 'gatewayToken'>

/** The machine of the plan on which who stands for it (who changed it, else who asked) may not act; null: none. */
async function foreignTo(tx: Tx, runId: string, plan: PlanSpec, by?: string): Promise<string | null> {
  const [run] = await tx.query<{ person_id: string | null }>('SELECT person_id FROM run WHERE id = $1', [
    runId,
  ])
  const personId = by ?? run?.person_id
  const agentIds = plan.tasks.map(({ spec }) => spec.agent_id)
  return personId ? foreignMachine(tx, personId, agentIds) : null
}

async function refuseForeign(tx: Tx, runId: string, name: string): Promise<void> {
  const error = { code: 'NOT_ENTITLED', message: `Who asked may not act on ${name}.` }
  const hint = 'An owner says where each person may act: /settings.'
  await transition(tx, 'run', {
    ids: [runId],
    from: ['planning'],
    to: 'refused',
    set: { error: { ...error, hint }, ended_at: now },
    data: error,
  })
}

/**
 * Judges a plan and stores it as the newest version of a run in `planning`, whose row the caller has locked. `by`: who
 * made this version by changing the one before. A plan for a machine on which they may not act is refused.
 */
export async function commitRevision(
  deps: CommitDeps,
  tx: Tx,
  runId: string,
  made: Made,
  machines: Machine[],
  by?: string,
): Promise<void> {
  const foreign = await foreignTo(tx, runId, made.plan, by)
  if (foreign !== null) return refuseForeign(tx, runId, foreign)
  const settled = settlePlan(made.plan, machines, deps)
  const byId = new Map(machines.map((m) => [m.agentId, m.facts]))
  const judged = askForOrigins(
    judgePlan(settled, (id) => byId.get(id), deps.policy, deps.settings.denyPaths),
    made.source,
  )
  const plan = await restOnFiles(deps, tx, withoutFiles(settled), judged, machines)
  await carryOut(deps, tx, runId, {
    plan,
    source: made.source,
    judged,
    hash: planHash(plan, deps.policy.version),
    by: by ?? null,
  })
}

/** What an earlier version rested on is looked at anew. */
const withoutFiles = (plan: PlanSpec): PlanSpec => ({
  ...plan,
  tasks: plan.tasks.map((task) => {
    const { rests_on: _, ...spec } = task.spec
    return { ...task, spec }
  }),
})

/** Every spec settled by what policy says of it: that is what is hashed. */
function settlePlan(plan: PlanSpec, machines: Machine[], deps: CommitDeps): PlanSpec {
  const byId = new Map(machines.map((m) => [m.agentId, m.facts]))
  const judged = judgePlan(plan, (id) => byId.get(id), deps.policy, deps.settings.denyPaths)
  const tasks = plan.tasks.map((task, i) => {
    const verdict = judged[i]?.verdict
    const platform = byId.get(task.spec.agent_id)?.platform ?? ''
    return verdict ? { ...task, spec: settleSpec(task.spec, verdict, platform) } : task
  })
  return { ...plan, tasks }
}

type Decided = Made & { judged: Judged[]; hash: string; by: string | null }

async function carryOut(
  deps: CommitDeps,
  tx: Tx,
  runId: string,
  { plan, source, judged, hash, by }: Decided,
): Promise<void> {
  const denied = judged.find((j) => j.verdict.verdict === 'deny')
  const asked = judged.some((j) => j.verdict.verdict === 'ask')
  const standing = asked && by === null ? await standingFor(deps, tx, runId, { plan, source, judged }) : null
  const asks = asked && standing === null
  const status = denied ? 'cancelled' : asks ? 'held' : 'blocked'
  const { planId, taskIds } = await storePlan(tx, runId, plan, {
    planHash: hash,
    policyVersion: deps.policy.version,
    source,
    judged,
    status,
    revisedBy: by,
  })
  if (denied) {
    const { rule, reason, risk } = denied.verdict
    await transition(tx, 'run', {
      ids: [runId],
      from: ['planning'],
      to: 'refused',
      set: { error: { code: 'POLICY_DENIED', message: reason, rule, risk }, ended_at: now },
      data: { rule, reason },
    })
  } else if (asks) {
    await askApproval(tx, {
      runId,
      planId,
      planHash: hash,
      risk: worstRisk(judged.map((j) => j.verdict)),
      settings: deps.settings,
    })
    await transition(tx, 'run', { ids: [runId], from: ['planning'], to: 'awaiting_approval' })
  } else {
    await useStanding(
      tx,
      runId,
      [...(standing ?? [])].map(([key, standingId]) => ({ standingId, taskId: taskIds.get(key) ?? '' })),
    )
    await transition(tx, 'run', { ids: [runId], from: ['planning'], to: 'running', set: { started_at: now } })
    await settleRun(deps, tx, runId)
  }
}

/** The standing approvals by which all of a plan that asks goes on without asking; null when anything is left to ask. */
async function standingFor(
  deps: CommitDeps,
  tx: Tx,
  runId: string,
  { plan, source, judged }: Pick<Decided, 'plan' | 'source' | 'judged'>,
): Promise<Map<string, string> | null> {
  const [run] = await tx.query<{ person_id: string | null }>('SELECT person_id FROM run WHERE id = $1', [
    runId,
  ])
  return findStanding(deps, tx, plan, judged, { askerId: run?.person_id ?? null, source })
}
