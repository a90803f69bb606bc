import type { Deps } from '../deps.ts'
import { AGENT_SLOTS, claimTasks } from '../scheduling/claimTasks.ts'
import { dispatchClaim } from './dispatchClaim.ts'

const BATCH = AGENT_SLOTS * 4

type DispatchDeps = Pick<
  Deps,
  'db' | 'bus' | 'wake' | 'log' | 'policy' | 'settings' | 'signingKey' | 'keyChain' | 'clock' | 'gatewayToken'
>

/**
 * Drains what can run: claims in batches and hands each claim to its gateway, until nothing is claimable. What
 * becomes claimable meanwhile brings a wake-up of its own. Returns how many were delivered.
 */
export async function dispatchTasks(deps: DispatchDeps): Promise<number> {
  let delivered = 0
  for (;;) {
    const { claims, more } = await claimTasks(deps, BATCH)
    for (const runId of new Set(claims.map((c) => c.runId))) deps.bus.publish('run.changed', { runId })
    const outcomes = await Promise.all(claims.map((claim) => dispatchClaim(deps, claim)))
    delivered += outcomes.filter((outcome) => outcome === 'delivered').length
    if (!more) return delivered
  }
}
