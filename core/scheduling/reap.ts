import type { Deps } from '../deps.ts'
import { dispatchClaim, releaseClaim } from '../dispatch/dispatchClaim.ts'
import { readGateways } from '../dispatch/reachAgent.ts'
import { now, transition } from '../events/transition.ts'
import { GRANT_TTL_MINUTES, type Grant } from '../protocol/grants.ts'
import type { TaskInput, TaskSpec } from '../protocol/specs.ts'
import { settleRun } from '../runs/settleRun.ts'
import { readInputs } from '../tasks/readInputs.ts'
import { LEASE_MS } from './claimTasks.ts'
import type { RankedGateway } from './rankGateways.ts'

type ReapDeps = Pick<Deps, 'db' | 'bus' | 'wake' | 'log' | 'gatewayToken' | 'settings'>
type Lapsed = {
  attempt_id: string
  task_id: string
  run_id: string
  agent_id: string
  gateway_id: string | null
  owns: string[]
  tells_links: boolean
  claim_token: string
  spec: TaskSpec
  grant: Grant
  stale: boolean
}

/**
 * Claims whose lease lapsed before the agent accepted them: the same claim is sent again (the agent starts a token
 * once only, so this can never start twice). Once its grant cannot start anything any more, the task is queued again
 * under a new token, as often as it may be tried. Returns how many lapsed claims were looked at.
 */
export async function reapClaimsOnce(deps: ReapDeps): Promise<number> {
  const lapsed = await deps.db.query<Lapsed>(
    `UPDATE task t SET lease_until = clock_timestamp() + $1 * interval '1 ms'
     FROM attempt a WHERE a.task_id = t.id AND a.claim_token = t.claim_token AND t.status = 'claimed' AND t.dispatch = 'push' AND t.lease_until < clock_timestamp()
     RETURNING a.id AS attempt_id, t.id AS task_id, t.run_id, a.agent_id, a.claim_token, t.spec, a."grant", a.gateway_id,
       t.owns, EXISTS (SELECT 1 FROM agent g WHERE g.id = a.agent_id AND g.facts->'links' IS NOT NULL) AS tells_links,
       a.claimed_at < clock_timestamp() - interval '${GRANT_TTL_MINUTES + 1} min' AS stale`,
    [LEASE_MS],
  )
  const inputs = await readInputs(
    deps.db,
    lapsed.map((row) => row.task_id),
  )
  const gateways = await readGateways(
    deps.db,
    lapsed.map((row) => row.agent_id),
  )
  for (const row of lapsed)
    await sendAgain(deps, row, inputs.get(row.task_id), gateways.get(row.agent_id) ?? [])
  return lapsed.length
}

/** Another way than the one that led nowhere is tried first. */
async function sendAgain(
  deps: ReapDeps,
  row: Lapsed,
  inputs: TaskInput[] | undefined,
  gateways: RankedGateway[],
): Promise<void> {
  const claim = {
    attemptId: row.attempt_id,
    taskId: row.task_id,
    runId: row.run_id,
    agentId: row.agent_id,
    claimToken: row.claim_token,
    grant: row.grant,
  }
  if (row.stale) {
    await releaseClaim(deps, claim, 'its grant ran out before the agent had it', { fate: 'unheard of' })
    return
  }
  if (gateways.length === 0) return
  const others = gateways.filter((gateway) => gateway.id !== row.gateway_id)
  const again = gateways.filter((gateway) => gateway.id === row.gateway_id)
  const own = { run_id: row.run_id, task_id: row.task_id, claim_token: row.claim_token }
  const owns = row.tells_links ? { owns: row.owns } : {}
  const spec = { ...row.spec, ...own, ...owns, ...(inputs ? { inputs } : {}) }
  await dispatchClaim(deps, { ...claim, spec, gateways: [...others, ...again] }, { mayRelease: false })
}

type Silent = {
  task_id: string
  run_id: string
  attempt_id: string
  claim_token: string
  effect: string
  attempts_made: number
  max_attempts: number
}

/**
 * Work on an agent that has been silent for SKYNET_UNREACHABLE_AFTER: reads are queued again, as often as they may be
 * tried, the rest needs a person. What is being cancelled is left to that.
 */
export async function reapSilentOnce(deps: ReapDeps): Promise<number> {
  const rows = await deps.db.query<Silent>(
    `SELECT t.id AS task_id, t.run_id, a.id AS attempt_id, a.claim_token, t.effect, t.attempts_made, t.max_attempts FROM task t JOIN run r ON r.id = t.run_id
     JOIN attempt a ON a.task_id = t.id AND a.claim_token = t.claim_token JOIN agent ag ON ag.id = a.agent_id
     WHERE (t.status = 'running' OR (t.status = 'claimed' AND a.status = 'accepted')) AND t.dispatch = 'push' AND r.status IN ('running', 'paused') AND a.cancel_at IS NULL
     AND NOT ag.connected AND coalesce(ag.disconnected_at, ag.last_seen_at) < clock_timestamp() - $1 * interval '1 ms' LIMIT 200`,
    [deps.settings.unreachableAfterMs],
  )
  for (const row of rows) await reapSilent(deps, row)
  return rows.length
}

async function reapSilent(deps: ReapDeps, row: Silent): Promise<void> {
  await deps.db.tx(async (tx) => {
    const [run] = await tx.query<{ status: string }>('SELECT status FROM run WHERE id = $1 FOR UPDATE', [
      row.run_id,
    ])
    if (run?.status !== 'running' && run?.status !== 'paused') return
    const where = { sql: 'claim_token = $1', values: [row.claim_token] }
    const error = {
      code: 'unreachable',
      message: 'The machine has been silent too long; what it did is not known.',
    }
    const to = afterSilence(row)
    const set = {
      queued: { claim_token: null, lease_until: null },
      failed_timeout: { error, ended_at: now },
      needs_review: { error },
    }[to]
    await transition(tx, 'task', {
      ids: [row.task_id],
      from: ['claimed'],
      to: 'running',
      set: { started_at: now, lease_until: null },
      where,
    })
    const moved = await transition(tx, 'task', {
      ids: [row.task_id],
      from: ['running'],
      to,
      set,
      where,
      data: error,
    })
    if (moved.length > 0 && to !== 'needs_review')
      await transition(tx, 'attempt', {
        ids: [row.attempt_id],
        from: ['accepted', 'started'],
        to: 'lost',
        set: { ended_at: now },
      })
    await settleRun(deps, tx, row.run_id)
  })
}

/** What only reads is tried again, unless it was often enough: it may be what silences its machine. */
const afterSilence = (row: Silent): 'queued' | 'failed_timeout' | 'needs_review' =>
  row.effect !== 'read' ? 'needs_review' : row.attempts_made < row.max_attempts ? 'queued' : 'failed_timeout'
