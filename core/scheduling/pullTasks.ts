import { ANY_AGENT, findAgent, type KnownAgent, meetAgent } from '../fleet/outsideAgents.ts'
import { lockedDown } from '../people/lockdown.ts'
import type { AgentFacts } from '../protocol/frames.ts'
import type { Sql, Tx } from '../storage/sql.ts'
import { type Candidate, type Claim, type ClaimDeps, claimCandidates } from './claimTasks.ts'

/** Of a machine that is not enrolled nothing is known but the directory the task was given. */
const outsideFacts = (cwd: string): Candidate['facts'] => ({
  roots: cwd === '/' ? [] : [cwd],
  home: '/nowhere',
  platform: 'linux',
})

type Puller = { agent: KnownAgent; capabilities: string[] }
type Wish = { agent: string; capabilities: readonly string[]; taskId: string | null }

export type Pulled =
  | { kind: 'claimed'; claim: Claim; leaseUntil: Date }
  | { kind: 'none' }
  /** The task that was asked for cannot be had; `state` is what it is in. */
  | { kind: 'not_claimable'; message: string }
  | { kind: 'unknown_task' }
  | { kind: 'unknown_agent' }

/** What may be pulled now, in SQL over `t` (task) and `r` (run). Parameters: $2 the capabilities, $3 a task or null. */
const claimable = `t.dispatch = 'pull' AND t.status = 'queued' AND r.status = 'running' AND t.capabilities <@ $2::text[]
  AND ($3::uuid IS NULL OR t.id = $3) AND (t.not_before IS NULL OR t.not_before <= clock_timestamp()) AND NOT ${lockedDown}
  AND NOT EXISTS (SELECT 1 FROM unnest(t.owns) p JOIN file_ownership f ON f.machine_id = t.machine_id
    WHERE f.path = p OR starts_with(f.path, rtrim(p, '/') || '/') OR starts_with(p, rtrim(f.path, '/') || '/'))`

/** The next task for each of the agents $1, by priority and age: an index gives them in that order. */
const next = (lock: string): string => `
  SELECT n.* FROM unnest($1::uuid[]) x(id) CROSS JOIN LATERAL (
    SELECT t.id, t.priority, t.queued_at, t.position FROM task t JOIN run r ON r.id = t.run_id
    WHERE t.agent_id = x.id AND ${claimable} ORDER BY t.priority DESC, t.queued_at, t.position LIMIT 1 ${lock}
  ) n ORDER BY n.priority DESC, n.queued_at, n.position LIMIT 1`

const own = ({ agent }: Puller): string[] => [agent.id, ANY_AGENT]

/** The task an agent would be given now, without claiming it; null when there is none. An unknown agent has no tasks of its own. */
export async function peekTask(sql: Sql, wish: Omit<Wish, 'taskId'>): Promise<string | null> {
  const agent = (await findAgent(sql, wish.agent)) ?? { id: ANY_AGENT, name: wish.agent, facts: null }
  const puller = pullerOf(agent, wish.capabilities)
  const [row] = await sql.query<{ id: string }>(next(''), [own(puller), puller.capabilities, null])
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
  for (;;) {
    const tried = await deps.db.tx(async (tx): Promise<Pulled | null> => {
      const agent = await meetAgent(tx, wish.agent)
      if (!agent) return { kind: 'unknown_agent' }
      const puller = pullerOf(agent, wish.capabilities)
      const [row] = await tx.query<{ id: string }>(next('FOR UPDATE OF t SKIP LOCKED'), [
        own(puller),
        puller.capabilities,
        wish.taskId,
      ])
      if (!row) return wish.taskId === null ? { kind: 'none' } : whyNot(tx, wish.taskId)
      const [claim] = await claimCandidates(deps, tx, [await candidateOf(tx, row.id, agent)])
      return claim ? { kind: 'claimed', claim, leaseUntil: await leaseOf(tx, row.id) } : null
    })
    if (tried) return tried
  }
}

type CandidateRow = Omit<Candidate, 'facts' | 'agent_id'> & { cwd: string }

async function candidateOf(tx: Tx, taskId: string, agent: KnownAgent): Promise<Candidate> {
  const [row] = await tx.query<CandidateRow>(
    `SELECT t.id, t.run_id, t.machine_id, t.spec, t.spec_hash, t.verdict, t.effect, t.owns, t.attempts_made, t.plan_id, p.plan_hash, t.approved_at,
       coalesce(t.approved_at < clock_timestamp() - interval '24 hours', false) AS stale, t.cwd
     FROM task t JOIN plan p ON p.id = t.plan_id WHERE t.id = $1`,
    [taskId],
  )
  if (!row) throw new Error('a task went away while it was locked')
  const facts: AgentFacts | Candidate['facts'] = row.machine_id.startsWith('scope:')
    ? outsideFacts(row.cwd)
    : (agent.facts ?? outsideFacts(row.cwd))
  return { ...row, agent_id: agent.id, facts }
}

async function leaseOf(tx: Tx, taskId: string): Promise<Date> {
  const [row] = await tx.query<{ lease_until: Date }>('SELECT lease_until FROM task WHERE id = $1', [taskId])
  if (!row) throw new Error('a task went away while it was locked')
  return row.lease_until
}

async function whyNot(tx: Tx, taskId: string): Promise<Pulled> {
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
