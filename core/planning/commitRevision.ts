import { askApproval } from '../approvals/askApproval.ts'
import { findStanding, useStanding } from '../approvals/standing.ts'
import type { Deps } from '../deps.ts'
import { now, transition } from '../events/transition.ts'
import type { Machine } from '../fleet/machineFacts.ts'
import { foreignMachine } from '../people/entitlements.ts'
import { planHash } from '../protocol/hash.ts'
import type { PlanSpec } from '../protocol/specs.ts'
import { settleRun } from '../runs/settleRun.ts'
import { storePlan } from '../runs/storePlan.ts'
import type { Sql, Tx } from '../storage/sql.ts'
import { type Judged, judgePlan, settleSpec, worstRisk } from './judgePlan.ts'
import type { PlanFile } from './planFiles.ts'
import type { PlanSource } from './planOutcome.ts'
import { nothingSeen, restOn, type SeenFiles, seeFiles } from './restOnFiles.ts'
import { askForOrigins, FORWARDED, originsOf } from './untrusted.ts'

/** A plan and what made it. */
export type Made = { plan: PlanSpec; source: PlanSource }

export type CommitDeps = Pick<
  Deps,
  'bus' | 'wake' | 'policy' | 'settings' | 'playbooks' | 'gatewayToken' | 'redact'
>

/** The machine of the plan on which who stands for it (who changed it, else who asked) may not act; null: none. */
async function foreignTo(tx: Sql, runId: string, plan: PlanSpec, by?: string): Promise<string | null> {
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
 * What the files hold that a plan would rest on, for `commitRevision`: asked before the run's row is locked, since a
 * cancel would wait for the answers. Nothing is asked of a machine on which who stands for the plan may not act.
 */
export async function seeRevision(
  deps: CommitDeps,
  sql: Sql,
  runId: string,
  made: Made,
  machines: Machine[],
  by?: string,
): Promise<SeenFiles> {
  if ((await foreignTo(sql, runId, made.plan, by)) !== null) return nothingSeen
  const { plan, judged } = judgeMade(deps, made, machines)
  return seeFiles(deps, sql, plan, judged, machines)
}

/** A plan as it is judged: its specs settled, with what it rested on forgotten. */
function judgeMade(deps: CommitDeps, made: Made, machines: Machine[]): { plan: PlanSpec; judged: Judged[] } {
  const settled = settlePlan(made.plan, machines, deps)
  const byId = new Map(machines.map((m) => [m.agentId, m.facts]))
  const judged = judgePlan(settled, (id) => byId.get(id), deps.policy, deps.settings.denyPaths)
  return { plan: withoutFiles(settled), judged: askForOrigins(judged, made.source) }
}

/**
 * Judges a plan and stores it as the newest version of a run in `planning`, whose row the caller has locked. `seen`: what
 * its files hold, where it may ask. `by`: who made this version by changing the one before. A plan for a machine on which they may not act
 * is refused.
 */
export async function commitRevision(
  deps: CommitDeps,
  tx: Tx,
  runId: string,
  made: Made,
  { machines, seen = nothingSeen, by }: { machines: Machine[]; seen?: SeenFiles; by?: string | undefined },
): Promise<void> {
  const foreign = await foreignTo(tx, runId, made.plan, by)
  if (foreign !== null) return refuseForeign(tx, runId, foreign)
  const { plan: bare, judged } = judgeMade(deps, made, machines)
  const { plan, files } = restOn(bare, judged, machines, seen)
  await carryOut(deps, tx, runId, {
    plan,
    files,
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

type Decided = Made & { files: PlanFile[]; judged: Judged[]; hash: string; by: string | null }

async function carryOut(
  deps: CommitDeps,
  tx: Tx,
  runId: string,
  { plan, files, source, judged, hash, by }: Decided,
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
    files,
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

/**
 * The standing approvals by which all of a plan that asks goes on without asking; null when anything is left to ask, and
 * for words that were sent on: what was approved ahead was for the person's own.
 */
async function standingFor(
  deps: CommitDeps,
  tx: Tx,
  runId: string,
  { plan, source, judged }: Pick<Decided, 'plan' | 'source' | 'judged'>,
): Promise<Map<string, string> | null> {
  if (originsOf(source).includes(FORWARDED)) return null
  const [run] = await tx.query<{ person_id: string | null }>('SELECT person_id FROM run WHERE id = $1', [
    runId,
  ])
  return findStanding(deps, tx, plan, judged, { askerId: run?.person_id ?? null, source })
}
