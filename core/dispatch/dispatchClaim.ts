import { failpoint } from '../config/failpoint.ts'
import type { Deps } from '../deps.ts'
import { inMs, minusOne, now, transition } from '../events/transition.ts'
import type { ActionRequest } from '../protocol/http.ts'
import { settleRun } from '../runs/settleRun.ts'
import { type Claim, freeFiles } from '../scheduling/claimTasks.ts'
import { reachAgent } from './reachAgent.ts'

/** How long a task whose agent or gateway turned it down waits before it is claimable again. */
const RETRY_MS = 1000

/**
 * Hands one claim to its agent, through the best of the gateways that reach it, else the next. Turned down by all for
 * certain: the task is queued again. No answer: it stays claimed, and the same claim is sent again when its lease
 * lapses, since the agent starts a token once only.
 * A claim that was sent before may not be released (`mayRelease: false`): its first copy may still arrive. Nor may one
 * that the reaper has sent again while this call was under way, however long this process stood still meanwhile.
 */
export async function dispatchClaim(
  deps: Pick<Deps, 'db' | 'bus' | 'wake' | 'log' | 'gatewayToken' | 'settings'>,
  claim: Claim,
  { mayRelease } = { mayRelease: true },
): Promise<'delivered' | 'released' | 'unknown'> {
  const body: ActionRequest = {
    task_id: claim.taskId,
    claim_token: claim.claimToken,
    execution_id: claim.attemptId,
    spec: claim.spec,
    grant: claim.grant,
  }
  failpoint('dispatch:before')
  const outcome = await reachAgent(deps, claim.agentId, claim.gateways, '/action', body)
  failpoint('dispatch:after')
  if (outcome.kind === 'ok') {
    if (outcome.gatewayId !== claim.gateways[0]?.id)
      await wentThrough(deps.db, claim.attemptId, outcome.gatewayId)
    return 'delivered'
  }
  deps.log.warn(`dispatch of ${claim.taskId}: ${outcome.reason}`)
  if (outcome.kind === 'unknown' || !mayRelease) return 'unknown'
  return (await releaseClaim(deps, claim, outcome.reason, { leaseUntil: claim.leaseUntil }))
    ? 'released'
    : 'unknown'
}

const wentThrough = (db: Deps['db'], attemptId: string, gatewayId: string): Promise<object[]> =>
  db.query('UPDATE attempt SET gateway_id = $2 WHERE id = $1', [attemptId, gatewayId])

/** Where a claim that is given back was left: turned down for certain, or not heard of until its grant ran out. */
type Fate = 'turned down' | 'unheard of'

/**
 * Gives an undelivered claim back: attempt released, files free, task queued, or cancelled when its run is being
 * cancelled. One that was turned down does not count as one of the task's attempts; one that nobody was heard of for as
 * long as its grant lived does, and after the last of them the task has failed. Fenced by the claim token and, where
 * `leaseUntil` is given, by the lease: whoever sends a claim again renews it first. False when nothing was given back.
 */
export async function releaseClaim(
  deps: Pick<Deps, 'db' | 'bus' | 'wake' | 'settings'>,
  claim: Pick<Claim, 'attemptId' | 'taskId' | 'runId' | 'claimToken'>,
  reason: string,
  { leaseUntil, fate = 'turned down' }: { leaseUntil?: Date | undefined; fate?: Fate } = {},
): Promise<boolean> {
  const isReleased = await deps.db.tx(async (tx) => {
    const [run] = await tx.query<{ status: string }>('SELECT status FROM run WHERE id = $1 FOR UPDATE', [
      claim.runId,
    ])
    const [task] = await tx.query<{ again: boolean | null; spent: boolean }>(
      'SELECT lease_until > $2 AS again, attempts_made >= max_attempts AS spent FROM task WHERE id = $1 FOR UPDATE',
      [claim.taskId, leaseUntil ?? null],
    )
    if (task?.again) return false
    const released = await transition(tx, 'attempt', {
      ids: [claim.attemptId],
      from: ['claimed'],
      to: 'released',
      set: { exited_at: now },
      data: { reason },
    })
    if (released.length === 0) return false
    await freeFiles(tx, [claim.taskId])
    const goesOn = run?.status === 'running' || run?.status === 'paused'
    const to = !goesOn ? 'cancelled' : fate === 'unheard of' && task?.spent ? 'failed_timeout' : 'queued'
    const again = {
      claim_token: null,
      lease_until: null,
      not_before: inMs(RETRY_MS),
      ...(fate === 'turned down' ? { attempts_made: minusOne('attempts_made') } : {}),
    }
    const ended = { lease_until: null, ended_at: now }
    const sets = {
      queued: again,
      cancelled: ended,
      failed_timeout: { ...ended, error: { code: 'unheard', message: reason } },
    }
    await transition(tx, 'task', {
      ids: [claim.taskId],
      from: ['claimed'],
      to,
      where: { sql: 'claim_token = $1', values: [claim.claimToken] },
      set: sets[to],
      data: { reason },
    })
    if (to !== 'queued') await settleRun(deps, tx, claim.runId)
    return true
  })
  deps.bus.publish('run.changed', { runId: claim.runId })
  return isReleased
}
