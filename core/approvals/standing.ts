import { randomUUID } from 'node:crypto'
import type { Deps } from '../deps.ts'
import { tellEvent } from '../events/tellEvent.ts'
import { isOutside } from '../people/entitlements.ts'
import { type Judged, worstRisk } from '../planning/judgePlan.ts'
import type { PlanSource } from '../planning/planOutcome.ts'
import type { Playbook } from '../planning/playbook.ts'
import type { Verdict } from '../policy/judge.ts'
import { canonicalJson, sha256, specHash } from '../protocol/hash.ts'
import type { PlanSpec, PlanTask, TaskSpec } from '../protocol/specs.ts'
import type { Tx } from '../storage/sql.ts'

/** What a person may approve for a while: exactly this command in this place, or this playbook on this machine. */
export const standingKinds = ['command', 'playbook'] as const
export type StandingKind = (typeof standingKinds)[number]

/** How long each lasts. */
export const standingMs: Record<StandingKind, number> = { command: 3_600_000, playbook: 86_400_000 }

/** What may be approved for a while: a command never for a critical risk, a playbook, whose words vary, only up to medium. */
const tolerated: Record<StandingKind, readonly Verdict['risk'][]> = {
  command: ['low', 'medium', 'high'],
  playbook: ['low', 'medium'],
}

/** One thing that is covered, as it is looked up: by its hash and nothing else. */
type Scope = {
  kind: StandingKind
  hash: string
  label: string
  spec: TaskSpec
  risk: Verdict['risk']
  rule: string
}

type Playbooks = readonly Pick<Playbook, 'name' | 'title' | 'parameters' | 'tasks'>[]
type Asking = { spec: TaskSpec; verdict: Pick<Verdict, 'verdict' | 'risk' | 'rule'> }

/** The spec itself, as an approval covers it: action, parameters, agent, machine, directory, files, time, network. */
const commandScope = ({ spec, verdict }: Asking): Scope => ({
  kind: 'command',
  hash: sha256(canonicalJson({ kind: 'command', spec: specHash(spec) })),
  label: typeof spec.params.command === 'string' ? spec.params.command : spec.action,
  spec,
  risk: verdict.risk,
  rule: verdict.rule,
})

/** The playbook as it is written now, on one agent: a file that changed is another playbook. */
function playbookScope({ spec, verdict }: Asking, source: PlanSource, playbooks: Playbooks): Scope | null {
  const playbook =
    source.kind === 'playbook' && !source.learned
      ? playbooks.find(({ name }) => name === source.name)
      : undefined
  if (!playbook) return null
  const { name, title, parameters, tasks } = playbook
  const what = { name, parameters, tasks, agent_id: spec.agent_id, machine_id: spec.machine_id }
  const hash = sha256(canonicalJson({ kind: 'playbook', ...(JSON.parse(JSON.stringify(what)) as object) }))
  return { kind: 'playbook', hash, label: title, spec, risk: verdict.risk, rule: verdict.rule }
}

const scopeOf = (
  kind: StandingKind,
  asking: Asking,
  source: PlanSource,
  playbooks: Playbooks,
): Scope | null => (kind === 'command' ? commandScope(asking) : playbookScope(asking, source, playbooks))

/**
 * What a standing approval of this kind would cover of a plan: each task that asks. Null where it may not be given: a
 * risk it does not take, no such playbook, nothing that asks. Pure.
 */
export function standingScopes(
  kind: StandingKind,
  asking: readonly Asking[],
  source: PlanSource,
  playbooks: Playbooks,
): Scope[] | null {
  const scopes = asking.map((task) => scopeOf(kind, task, source, playbooks))
  const whole = scopes.filter(
    (scope): scope is Scope => scope !== null && tolerated[kind].includes(scope.risk),
  )
  return whole.length > 0 && whole.length === asking.length ? whole : null
}

/** Written with the approval it comes from, in its transaction, for the one who asked. Returns until when it lasts. */
export async function giveStanding(
  tx: Tx,
  scopes: readonly Scope[],
  given: { by: string; askerId: string; approvalId: string; runId: string },
): Promise<Date> {
  let until = new Date(0)
  for (const scope of mergeSame(scopes)) {
    const id = randomUUID()
    const [row] = await tx.query<{ expires_at: Date }>(
      `INSERT INTO standing_approval (id, kind, scope_hash, label, agent_id, machine_id, cwd, asker_id, given_by, risk, rule, approval_id, expires_at)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, clock_timestamp() + $13 * interval '1 ms') RETURNING expires_at`,
      [
        id,
        scope.kind,
        scope.hash,
        scope.label.slice(0, 4000),
        scope.spec.agent_id,
        scope.spec.machine_id,
        scope.kind === 'command' ? scope.spec.cwd : null,
        given.askerId,
        given.by,
        scope.risk,
        scope.rule,
        given.approvalId,
        standingMs[scope.kind],
      ],
    )
    if (row) until = row.expires_at
    await tellEvent(
      tx,
      'standing.given',
      { runId: given.runId, approvalId: given.approvalId, agentId: scope.spec.agent_id },
      { standing_id: id, kind: scope.kind, scope_hash: scope.hash, asker_id: given.askerId, by: given.by },
    )
  }
  return until
}

/** One row for each thing under each rule, at its highest risk. */
const mergeSame = (scopes: readonly Scope[]): Scope[] =>
  [...Map.groupBy(scopes, ({ hash, rule }) => `${hash} ${rule}`).values()].flatMap((same) => {
    const [first] = same
    return first ? [{ ...first, risk: worstRisk(same) }] : []
  })

/**
 * Which standing approval counts at present, for SQL over `standing_approval s`: not revoked, not over, and given by
 * somebody who may still decide there; `$fourEyes`: and who is not the one it is for.
 */
const counts = (fourEyes: string): string =>
  `s.revoked_at IS NULL AND s.expires_at > clock_timestamp() AND NOT (${fourEyes} AND s.given_by = s.asker_id)
   AND EXISTS (SELECT 1 FROM person g WHERE g.id = s.given_by AND g.revoked_at IS NULL AND g.role IN ('approver', 'owner'))
   AND NOT ${isOutside('s.given_by', 'machine', 's.agent_id::text')}`

type Standing = { id: string; scope_hash: string; risk: Verdict['risk']; rule: string | null }

/**
 * The standing approvals that let a whole plan through, by the key of each task that asks; null unless every one of
 * them is covered: for who asked, by the hash of exactly what it does and where, for no more risk than was approved and
 * under the same rule. A denial is never looked at here.
 */
export async function findStanding(
  deps: Pick<Deps, 'playbooks'> & { settings: Pick<Deps['settings'], 'fourEyes'> },
  tx: Tx,
  plan: PlanSpec,
  judged: readonly Judged[],
  of: { askerId: string | null; source: PlanSource },
): Promise<Map<string, string> | null> {
  const asking = judged.filter(({ verdict }) => verdict.verdict === 'ask')
  if (of.askerId === null || asking.length === 0 || judged.some((j) => j.verdict.verdict === 'deny'))
    return null
  const wanted = asking.map(({ key, verdict }) => ({
    key,
    scopes: scopesOf(deps, plan, key, verdict, of.source),
  }))
  const rows = await tx.query<Standing>(
    `SELECT s.id, s.scope_hash, s.risk, s.rule FROM standing_approval s
     WHERE s.scope_hash = ANY($1) AND s.asker_id = $2 AND ${counts('$3')} ORDER BY s.expires_at DESC`,
    [wanted.flatMap(({ scopes }) => scopes.map(({ hash }) => hash)), of.askerId, deps.settings.fourEyes],
  )
  const found = new Map<string, string>()
  for (const { key, scopes } of wanted) {
    const row = rows.find((one) => scopes.some((scope) => covers(one, scope)))
    if (!row) return null
    found.set(key, row.id)
  }
  return found
}

const scopesOf = (
  deps: Pick<Deps, 'playbooks'>,
  plan: PlanSpec,
  key: string,
  verdict: Verdict,
  source: PlanSource,
): Scope[] => {
  const task = plan.tasks.find((one: PlanTask) => one.key === key)
  if (!task) return []
  return standingKinds.flatMap((kind) => {
    const scope = scopeOf(kind, { spec: task.spec, verdict }, source, deps.playbooks)
    return scope && tolerated[kind].includes(scope.risk) ? [scope] : []
  })
}

const covers = (row: Standing, scope: Scope): boolean =>
  row.scope_hash === scope.hash && row.rule === scope.rule && worstRisk([row, scope]) === row.risk

/** Writes down that they were used, each with its event, and marks the tasks that they let through as approved. */
export async function useStanding(
  tx: Tx,
  runId: string,
  uses: readonly { standingId: string; taskId: string }[],
): Promise<void> {
  for (const { standingId, taskId } of uses) {
    await tx.query(
      'UPDATE standing_approval SET uses = uses + 1, last_used_at = clock_timestamp() WHERE id = $1',
      [standingId],
    )
    await tx.query('UPDATE task SET standing_id = $2, approved_at = clock_timestamp() WHERE id = $1', [
      taskId,
      standingId,
    ])
    await tellEvent(tx, 'standing.used', { runId, taskId }, { standing_id: standingId })
  }
}

/** Whether the standing approval that let a task through still counts, looked at just before its start. */
export const stillStands = async (
  tx: Tx,
  settings: Pick<Deps['settings'], 'fourEyes'>,
  standingId: string,
): Promise<boolean> =>
  (
    await tx.query(`SELECT 1 FROM standing_approval s WHERE s.id = $1 AND ${counts('$2')}`, [
      standingId,
      settings.fourEyes,
    ])
  ).length > 0
