import { ANY_AGENT, findAgent, type KnownAgent, meetAgent } from '../fleet/outsideAgents.ts'
import { lockedDown } from '../people/lockdown.ts'
import type { AgentFacts } from '../protocol/frames.ts'
import { beside, type Sql, type Tx } from '../storage/sql.ts'
import { type Candidate, type Claim, type ClaimDeps, claimCandidates } from './claimTasks.ts'
import { filesTaken } from './lanes.ts'

/** Of a machine that is not enrolled nothing is known but the directory the task was given. */
const outsideFacts = (cwd: string): Candidate['facts'] => ({
  roots: cwd === '/' ? [] : [cwd],
  home: '/nowhere',
  platform: 'linux',
})

type Puller = { agent: KnownAgent; capabilities: string[] }
type Wish = { agent: string; capabilities: readonly string[]; taskId: string | null }

export type PulledClaim = { claim: Claim; leaseUntil: Date }
export type Pulled =
  | ({ kind: 'claimed' } & PulledClaim)
  | { kind: 'none' }
  /** The task that was asked for cannot be had; `state` is what it is in. */
  | { kind: 'not_claimable'; message: string }
  | { kind: 'unknown_task' }
  | { kind: 'unknown_agent' }

/** What may be pulled now, in SQL over `t` (task) and `r` (run). Parameters: $2 the capabilities, $3 a task or null. */
const claimable = `t.dispatch = 'pull' AND t.status = 'queued' AND ${beside("r.status = 'running'")} AND t.capabilities <@ $2::text[]
  AND ($3::uuid IS NULL OR t.id = $3) AND (t.not_before IS NULL OR t.not_before <= clock_timestamp()) AND NOT ${lockedDown}
  AND NOT ${filesTaken}`

/** The next tasks for each of the agents $1, at most $4, by priority and age: an index gives them in that order. */
const next = (columns: string, lock: string): string => `
  SELECT n.* FROM unnest($1::uuid[]) x(id) CROSS JOIN LATERAL (
    SELECT ${columns}, t.priority, t.queued_at, t.position FROM task t JOIN run r ON r.id = t.run_id
    WHERE t.agent_id = x.id AND ${claimable} ORDER BY t.priority DESC, t.queued_at, t.position LIMIT $4 ${lock}
  ) n ORDER BY n.priority DESC, n.queued_at, n.position LIMIT $4`

/** What a claim has to know of a task; read from the row as its lock finds it. */
const candidate = `t.id, t.run_id, t.machine_id, t.spec, t.spec_hash, t.verdict, t.effect, t.owns, t.attempts_made, t.plan_id,
  (SELECT p.plan_hash FROM plan p WHERE p.id = t.plan_id) AS plan_hash, t.approved_at, t.standing_id,
  coalesce(t.approved_at < clock_timestamp() - interval '24 hours', false) AS stale, t.cwd,
  EXISTS (SELECT 1 FROM task_dependency d WHERE d.task_id = t.id) AS has_inputs`

const peek = next('t.id', '')
const take = next(candidate, 'FOR UPDATE OF t SKIP LOCKED')

const own = ({ agent }: Puller): string[] => [agent.id, ANY_AGENT]

/** The task an agent would be given now, without claiming it; null when there is none. An unknown agent has no tasks of its own. */
export async function peekTask(sql: Sql, wish: Omit<Wish, 'taskId'>): Promise<string | null> {
  const agent = (await findAgent(sql, wish.agent)) ?? { id: ANY_AGENT, name: wish.agent, facts: null }
  const puller = pullerOf(agent, wish.capabilities)
  const [row] = await sql.query<{ id: string }>(peek, [own(puller), puller.capabilities, null, 1])
  return row?.id ?? null
}

const pullerOf = (agent: KnownAgent, capabilities: readonly string[]): Puller => ({
  agent,
  capabilities: [...capabilities, ...(agent.facts?.capabilities ?? [])],
})

/**
 * Claims one task for an agent that fetches its work itself: the next one, or the one that is named. Token, lease,
 * attempt, grant and files as for tasks that are pushed, in one transaction. Two callers never get the same task.
 */
export async function claimPulled(deps: ClaimDeps, wish: Wish): Promise<Pulled> {
  const pulled = await claimAllPulled(deps, wish, 1)
  if (pulled.kind !== 'claimed') return pulled
  const [first] = pulled.claims
  return first ? { kind: 'claimed', ...first } : { kind: 'none' }
}

type NotClaimed = Exclude<Pulled, { kind: 'claimed' }>
type PulledMany = { kind: 'claimed'; claims: PulledClaim[] } | NotClaimed

/** As `claimPulled`, for the next tasks, at most `limit`; all of them in one transaction. */
export async function claimAllPulled(deps: ClaimDeps, wish: Wish, limit: number): Promise<PulledMany> {
  for (;;) {
    const tried = await deps.db.tx(async (tx): Promise<PulledMany | null> => {
      const agent = await meetAgent(tx, wish.agent)
      if (!agent) return { kind: 'unknown_agent' }
      const puller = pullerOf(agent, wish.capabilities)
      const rows = await tx.query<CandidateRow>(take, [own(puller), puller.capabilities, wish.taskId, limit])
      if (rows.length === 0) return wish.taskId === null ? { kind: 'none' } : whyNot(tx, wish.taskId)
      const claims = await claimCandidates(
        deps,
        tx,
        rows.map((row) => candidateOf(row, agent)),
      )
      return claims.length > 0 ? { kind: 'claimed', claims } : null
    })
    if (tried) return tried
  }
}

type CandidateRow = Omit<Candidate, 'facts' | 'agent_id'> & { cwd: string }

function candidateOf(row: CandidateRow, agent: KnownAgent): Candidate {
  const facts: AgentFacts | Candidate['facts'] = row.machine_id.startsWith('scope:')
    ? outsideFacts(row.cwd)
    : (agent.facts ?? outsideFacts(row.cwd))
  return { ...row, agent_id: agent.id, facts }
}

async function whyNot(tx: Tx, taskId: string): Promise<NotClaimed> {
  const [task] = await tx.query<{ status: string; dispatch: string; run: string; agent: string | null }>(
    `SELECT t.status, t.dispatch, r.status AS run, a.name AS agent FROM task t JOIN run r ON r.id = t.run_id
     LEFT JOIN agent a ON a.id = t.agent_id AND a.id <> $2 WHERE t.id = $1`,
    [taskId, ANY_AGENT],
  )
  if (!task) return { kind: 'unknown_task' }
  if (task.dispatch !== 'pull')
    return { kind: 'not_claimable', message: 'SKYNET hands this task out itself (dispatch "push").' }
  if (task.status !== 'queued') return { kind: 'not_claimable', message: `The task is ${task.status}.` }
  if (task.run !== 'running') return { kind: 'not_claimable', message: `Its run is ${task.run}.` }
  return {
    kind: 'not_claimable',
    message: `It is for ${task.agent ?? 'agents that can do more'}, its files are owned by another task, or somebody takes it now.`,
  }
}
