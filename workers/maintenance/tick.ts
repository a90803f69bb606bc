import { expireApprovalsOnce } from '../../core/approvals/expireApprovals.ts'
import type { Deps } from '../../core/deps.ts'
import { forceCancelOnce } from '../../core/dispatch/cancelAttempts.ts'
import { probeGatewaysOnce } from '../../core/dispatch/probeGateways.ts'
import { disconnectSilentOnce } from '../../core/fleet/registerGateway.ts'
import { embedOnce } from '../../core/memory/embedOnce.ts'
import { pruneMemoriesOnce } from '../../core/memory/pruneMemories.ts'
import { rememberOnce } from '../../core/memory/rememberOnce.ts'
import { reapClaimsOnce, reapSilentOnce } from '../../core/scheduling/reap.ts'
import { reapPulledOnce } from '../../core/scheduling/reapPulled.ts'
import { lookForSkillsOnce } from '../../core/skills/lookForSkills.ts'
import { tellFault } from '../../core/storage/tellFault.ts'
import { archiveOnce } from './archive.ts'
import { sealAndNote } from './audit.ts'
import { pruneOnce } from './prune.ts'
import { pruneEventsOnce } from './pruneEvents.ts'
import { pruneLooksOnce } from './pruneLooks.ts'
import { wakeOnce, wakeUnsettledOnce } from './wake.ts'

export type Service = { name: string; everyMs: number; once(deps: Deps): Promise<unknown> }

/** The background services: each is one function that looks at the ledger and does what is due. */
export const services: readonly Service[] = [
  { name: 'wake', everyMs: 1000, once: wakeOnce },
  { name: 'wake-unsettled', everyMs: 5000, once: wakeUnsettledOnce },
  { name: 'force-cancel', everyMs: 500, once: forceCancelOnce },
  { name: 'reap-claims', everyMs: 1000, once: reapClaimsOnce },
  { name: 'reap-pulled', everyMs: 1000, once: reapPulledOnce },
  { name: 'reap-silent', everyMs: 5000, once: reapSilentOnce },
  { name: 'expire-approvals', everyMs: 2000, once: expireApprovalsOnce },
  { name: 'disconnect-silent', everyMs: 5000, once: disconnectSilentOnce },
  { name: 'probe-gateways', everyMs: 500, once: probeGatewaysOnce },
  { name: 'audit', everyMs: 1000, once: sealAndNote },
  { name: 'memory', everyMs: 1000, once: rememberOnce },
  { name: 'embed-memories', everyMs: 5000, once: embedOnce },
  { name: 'skills', everyMs: 30_000, once: (deps) => lookForSkillsOnce(deps) },
  { name: 'prune', everyMs: 600_000, once: pruneOnce },
  { name: 'prune-memories', everyMs: 60_000, once: pruneMemoriesOnce },
  { name: 'prune-events', everyMs: 600_000, once: pruneEventsOnce },
  { name: 'prune-looks', everyMs: 600_000, once: pruneLooksOnce },
  { name: 'archive', everyMs: 300_000, once: archiveOnce },
]

/** Runs every service on its timer, never twice at once in this process. Returns what stops them. */
export function startServices(deps: Deps): () => Promise<void> {
  const loops = services.map((service) => startService(deps, service))
  return async () => {
    await Promise.all(loops.map((stop) => stop()))
  }
}

function startService(deps: Deps, { name, everyMs, once }: Service): () => Promise<void> {
  let running: Promise<unknown> = Promise.resolve()
  let busy = false
  const timer = setInterval(() => {
    if (busy) return
    busy = true
    running = once(deps)
      .catch((error) => tellFault(deps.log, name, error))
      .finally(() => {
        busy = false
      })
  }, everyMs)
  return async () => {
    clearInterval(timer)
    await running
  }
}
