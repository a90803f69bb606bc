import { randomBytes, randomUUID } from 'node:crypto'
import { type Effect, ownedFiles } from '../actions/catalogue.ts'
import { askApproval } from '../approvals/askApproval.ts'
import { stillStands } from '../approvals/standing.ts'
import type { Deps } from '../deps.ts'
import { type Also, ByRow, inMs, now, plusOne, transition } from '../events/transition.ts'
import { lockedDown } from '../people/lockdown.ts'
import { type JudgedMachine, judgeSpec, worstRisk } from '../planning/judgePlan.ts'
import type { Verdict } from '../policy/judge.ts'
import type { AgentFacts } from '../protocol/frames.ts'
import { GRANT_TTL_MINUTES, type Grant, signGrant } from '../protocol/grants.ts'
import { attemptHash } from '../protocol/hash.ts'
import type { ExecutionSpec, TaskInput, TaskSpec } from '../protocol/specs.ts'
import { beside, type Tx } from '../storage/sql.ts'
import { readInputs } from '../tasks/readInputs.ts'
import { goByIndexes, nextOfAgent } from './lanes.ts'
import { type GatewayCandidate, gatewaysOf, type RankedGateway, rankGateways } from './rankGateways.ts'

/** From claim to delivery; renewed while the gateway is being asked. */
export const LEASE_MS = 10_000
/** Attempts that one agent holds at a time. */
export const AGENT_SLOTS = 16
/** What was approved and has not started by then is asked again. */
const APPROVAL_STALE = "interval '24 hours'"

export type Claim = {
  attemptId: string
  taskId: string
  runId: string
  agentId: string
  claimToken: string
  spec: ExecutionSpec
  grant: Grant
  /** What reaches its agent, the best one first. */
  gateways: RankedGateway[]
  /** When its lease lapses; whoever sends it again renews that first. None of a claim that is being sent again. */
  leaseUntil?: Date
}

/** `more`: others may be claimable now, since the limit was reached or some were turned away. */
export type Claimed = { claims: Claim[]; more: boolean }

export type Candidate = {
  id: string
  run_id: string
  agent_id: string
  machine_id: string
  spec: TaskSpec
  spec_hash: string
  verdict: Verdict
  owns: string[]
  attempts_made: number
  plan_id: string
  plan_hash: string
  approved_at: Date | null
  standing_id: string | null
  stale: boolean
  effect: Effect
  facts: JudgedMachine & Pick<AgentFacts, 'links'>
  /** It depends on others, whose results it is handed. */
  has_inputs: boolean
  /** Those that reach its agent; a task that is fetched needs none. */
  gateways?: GatewayCandidate[]
}

export type ClaimDeps = Pick<
  Deps,
  'db' | 'bus' | 'wake' | 'policy' | 'settings' | 'signingKey' | 'keyChain' | 'clock'
>

/**
 * Claims up to `limit` tasks that can run now: queued, their run running, their agent connected with a free slot,
 * their files free, and policy still content. Each claim has a token, a lease, an attempt and a signed grant, all
 * in one transaction. Two schedulers at once never claim the same task (SKIP LOCKED) nor the same file (a lock per
 * machine).
 */
export async function claimTasks(deps: ClaimDeps, limit: number): Promise<Claimed> {
  return deps.db.tx(async (tx) => {
    // One exchange for both: what a task waits for here it waits for before it starts.
    const [, candidates] = await Promise.all([goByIndexes(tx), claimable(tx, limit)])
    const claims = await claimCandidates(deps, tx, candidates)
    return {
      claims: claims.map(({ claim, leaseUntil }) => ({ ...claim, leaseUntil })),
      more: candidates.length === limit || claims.length < candidates.length,
    }
  })
}

/** A claim, and until when it holds without a word of its holder. */
export type Leased = { claim: Claim; leaseUntil: Date }

/** Claims those of the locked candidates that policy still lets run and whose files are free. */
export async function claimCandidates(deps: ClaimDeps, tx: Tx, candidates: Candidate[]): Promise<Leased[]> {
  await lockMachines(tx, candidates)
  const ready: Candidate[] = []
  for (const candidate of candidates)
    if ((await policyAgrees(deps, tx, candidate)) && (await takeFiles(tx, candidate))) ready.push(candidate)
  return claimAll(deps, tx, ready)
}

/**
 * Of each agent that a gateway reaches the next tasks for its free slots, shared among lanes: an index gives them, so
 * that it costs the same however long the queue is.
 */
const claimable = (tx: Tx, limit: number): Promise<Candidate[]> =>
  tx.query<Candidate>(
    `WITH busy AS (
       SELECT x.agent_id, t.lane, count(*) AS n FROM attempt x JOIN task t ON t.id = x.task_id
       WHERE x.agent_id IN (SELECT id FROM agent WHERE connected) AND x.status IN ('claimed', 'accepted', 'started') GROUP BY x.agent_id, t.lane
     ), free AS (
       SELECT a.id, a.facts, reach.gateways, held.lanes AS held, ${AGENT_SLOTS} - coalesce(held.n, 0) AS slots FROM agent a
       CROSS JOIN LATERAL (SELECT jsonb_object_agg(b.lane, b.n) AS lanes, sum(b.n)::int AS n FROM busy b WHERE b.agent_id = a.id) held
       CROSS JOIN LATERAL (${gatewaysOf('a.id')}) reach
       WHERE a.connected AND a.revoked_at IS NULL AND reach.gateways IS NOT NULL AND coalesce(held.n, 0) < ${AGENT_SLOTS} AND NOT ${lockedDown}
     ), next AS MATERIALIZED (
       SELECT k.id, k.turn, free.facts, free.gateways FROM free CROSS JOIN LATERAL (${nextOfAgent('$2')}) k
     )
     SELECT t.id, t.run_id, t.agent_id, t.machine_id, t.spec, t.spec_hash, t.verdict, t.effect, t.owns, t.attempts_made, t.plan_id, p.plan_hash, t.approved_at, t.standing_id,
       t.approved_at < clock_timestamp() - ${APPROVAL_STALE} AS stale, next.facts, next.gateways,
       EXISTS (SELECT 1 FROM task_dependency d WHERE d.task_id = t.id) AS has_inputs
     FROM next JOIN task t ON t.id = next.id JOIN plan p ON p.id = t.plan_id
     WHERE ${beside("t.status = 'queued'")}
     ORDER BY t.priority DESC, next.turn, t.queued_at, t.position LIMIT $1 FOR UPDATE OF t SKIP LOCKED`,
    [limit, randomBytes(16).toString('hex')],
  )

/** Files of one machine are handed out by one transaction at a time. */
async function lockMachines(tx: Tx, candidates: Candidate[]): Promise<void> {
  const machines = [...new Set(candidates.filter((c) => c.owns.length > 0).map((c) => c.machine_id))].sort()
  for (const machine of machines)
    await tx.query("SELECT pg_advisory_xact_lock(hashtextextended('files:' || $1, 0))", [machine])
}

/** Token, lease, attempt and grant for each, in one statement however many they are, one more for inputs. */
async function claimAll(deps: ClaimDeps, tx: Tx, tasks: Candidate[]): Promise<Leased[]> {
  if (tasks.length === 0) return []
  const fed = tasks.flatMap((task) => (task.has_inputs ? task.id : []))
  const inputs = fed.length > 0 ? await readInputs(tx, fed) : new Map<string, TaskInput[]>()
  const claims = tasks.map((task) => newClaim(deps, task, inputs.get(task.id)))
  const moved = await transition(tx, 'task', {
    ids: tasks.map((task) => task.id),
    from: ['queued'],
    to: 'claimed',
    set: {
      claim_token: new ByRow(new Map(claims.map((claim) => [claim.taskId, claim.claimToken]))),
      lease_until: inMs(LEASE_MS),
      attempts_made: plusOne('attempts_made'),
      not_before: null,
    },
    also: attemptsOf(tasks, claims),
  })
  if (moved.length !== tasks.length) throw new Error('a task moved while it was locked')
  const leases = new Map(moved.map((row) => [row.id, row.lease_until as Date]))
  return claims.map((claim) => ({ claim, leaseUntil: leases.get(claim.taskId) as Date }))
}

function newClaim(deps: ClaimDeps, task: Candidate, inputs: TaskInput[] | undefined): Claim {
  const attemptId = randomUUID()
  const claimToken = randomBytes(24).toString('base64url')
  const own = { run_id: task.run_id, task_id: task.id, claim_token: claimToken }
  // An agent that does not tell of links does not know this field either.
  const owns = task.facts.links ? { owns: task.owns } : {}
  const spec = { ...task.spec, ...own, ...owns, ...(inputs ? { inputs } : {}) }
  const grant = mintGrant(deps, task, attemptId, spec)
  const { run_id: runId, agent_id: agentId } = task
  const gateways = rankGateways(task.gateways ?? [])
  return { attemptId, taskId: task.id, runId, agentId, claimToken, spec, grant, gateways }
}

/** The attempts of tasks that are being claimed, with their events. */
const attemptsOf = (tasks: Candidate[], claims: Claim[]): Also => ({
  columns: ['lease_until'],
  parts: (param) => `made AS (
      INSERT INTO attempt (id, task_id, number, claim_token, status, agent_id, spec_hash, "grant", gateway_id)
      SELECT x.id, x.task_id, coalesce((SELECT max(a.number) FROM attempt a WHERE a.task_id = x.task_id), 0) + 1, x.token, 'claimed', x.agent_id, x.hash, x.g, x.gateway_id
      FROM unnest(${[
        `${param(claims.map((claim) => claim.attemptId))}::uuid[]`,
        `${param(tasks.map((task) => task.id))}::uuid[]`,
        `${param(claims.map((claim) => claim.claimToken))}::text[]`,
        `${param(tasks.map((task) => task.agent_id))}::uuid[]`,
        `${param(tasks.map((task) => task.spec_hash))}::text[]`,
        `${param(claims.map((claim) => JSON.stringify(claim.grant)))}::jsonb[]`,
        `${param(claims.map((claim) => claim.gateways[0]?.id ?? null))}::uuid[]`,
      ].join(
        ', ',
      )}) AS x(id, task_id, token, agent_id, hash, g, gateway_id) JOIN moved ON moved.id = x.task_id
      RETURNING id, task_id, number, agent_id)`,
  told: `SELECT 'attempt.claimed', moved.run_id, made.task_id, made.id, NULL::uuid, made.agent_id, jsonb_build_object('number', made.number, 'status', 'claimed')
    FROM made JOIN moved ON moved.id = made.task_id`,
})

/** The permission for exactly this attempt, signed; lives GRANT_TTL_MINUTES. */
function mintGrant(
  deps: Pick<Deps, 'signingKey' | 'keyChain' | 'clock'>,
  task: Candidate,
  attemptId: string,
  spec: ExecutionSpec,
): Grant {
  const issued = deps.clock.now()
  const grant = signGrant(
    {
      v: 1,
      execution_id: attemptId,
      task_id: task.id,
      claim_token: spec.claim_token,
      agent_id: task.agent_id,
      machine_id: task.machine_id,
      spec_hash: task.spec_hash,
      plan_hash: task.plan_hash,
      attempt_hash: attemptHash(spec),
      issued_at: issued.toISOString(),
      expires_at: new Date(issued.getTime() + GRANT_TTL_MINUTES * 60_000).toISOString(),
    },
    deps.signingKey,
  )
  return deps.keyChain && deps.keyChain.length > 0 ? { ...grant, chain: [...deps.keyChain] } : grant
}

/** Policy is asked again just before the start: deny wins over an approval, and an approval that is old or over is asked again. */
async function policyAgrees(deps: ClaimDeps, tx: Tx, task: Candidate): Promise<boolean> {
  const verdict = judgeSpec(task.spec, task.facts, deps.policy, deps.settings.denyPaths)
  if (verdict.verdict === 'deny') {
    const error = { code: 'POLICY_DENIED', message: verdict.reason, rule: verdict.rule }
    await transition(tx, 'task', {
      ids: [task.id],
      from: ['queued'],
      to: 'failed',
      set: { error, ended_at: now },
      data: error,
    })
    // The run is settled on its own, with its row locked first, as everybody does.
    tx.afterCommit(() => deps.wake('run.settle', { runId: task.run_id }))
    return false
  }
  if (verdict.verdict === 'allow') return true
  const approved = task.approved_at && !task.stale && isCovered(task.verdict, verdict)
  if (approved && (task.standing_id === null || (await stillStands(tx, deps.settings, task.standing_id))))
    return true
  await transition(tx, 'task', {
    ids: [task.id],
    from: ['queued'],
    to: 'held',
    set: { approved_at: null, standing_id: null, verdict },
    data: { rule: verdict.rule, reason: verdict.reason },
  })
  await askApproval(tx, {
    runId: task.run_id,
    planId: task.plan_id,
    planHash: task.plan_hash,
    risk: verdict.risk,
    settings: deps.settings,
  })
  return false
}

/** Whether people approved it for at least this risk under the same rule; a policy that changed asks again. */
const isCovered = (approved: Verdict, verdict: Verdict): boolean =>
  approved.rule === verdict.rule && worstRisk([approved, verdict]) === approved.risk

/**
 * Takes the files of a task, under the names they have by what the agent tells now of links. False when another task
 * has one of them, or a directory around or below it.
 */
async function takeFiles(tx: Tx, task: Candidate): Promise<boolean> {
  if (task.owns.length === 0) return true
  await renameFiles(tx, task)
  const taken = await tx.query(
    `SELECT 1 FROM file_ownership f, unnest($2::text[]) p WHERE f.machine_id = $1
     AND (f.path = p OR starts_with(f.path, rtrim(p, '/') || '/') OR starts_with(p, rtrim(f.path, '/') || '/')) LIMIT 1`,
    [task.machine_id, task.owns],
  )
  if (taken.length > 0) return false
  await tx.query('INSERT INTO file_ownership (machine_id, path, task_id) SELECT $1, unnest($2::text[]), $3', [
    task.machine_id,
    task.owns,
    task.id,
  ])
  return true
}

async function renameFiles(tx: Tx, task: Candidate): Promise<void> {
  const owns = ownedFiles(task.spec, task.effect, task.facts)
  if (owns.join('\0') === task.owns.join('\0')) return
  task.owns = owns
  await tx.query('UPDATE task SET owns = $2 WHERE id = $1', [task.id, owns])
}

export const freeFiles = (tx: Tx, taskIds: readonly string[]): Promise<object[]> =>
  tx.query('DELETE FROM file_ownership WHERE task_id = ANY($1::uuid[])', [taskIds])
