import { messageOf } from '../config/logger.ts'
import type { Deps } from '../deps.ts'
import type { Machine } from '../fleet/machineFacts.ts'
import type { CommitDeps } from './commitRevision.ts'
import type { PastUse } from './estimate.ts'
import { lookAround } from './lookAround.ts'
import type { PlaceFacts } from './placeFacts.ts'
import { readUses } from './readUses.ts'
import type { LookFor } from './startLook.ts'
import type { Untrusted } from './untrusted.ts'

/** What is known beside the request when a model is asked. `lookId`: the run that looked at the place. */
export type Gathered = {
  context: readonly Untrusted[]
  lookId?: string | undefined
  /** What plans of the past took, the newest first: estimates rest on it. */
  uses?: readonly PastUse[]
}

export type Gathering = { place: PlaceFacts; machine: Machine; forRun: LookFor; signal: AbortSignal }
type GatherDeps = CommitDeps & Pick<Deps, 'db' | 'log'>

/**
 * Collects what a question to a model is to have in view: a look at the place, and what such questions took before. All
 * at once, and bounded in time; what cannot be had is done without. The context is untrusted. Throws only the reason of
 * `signal`.
 */
export async function gatherContext(deps: GatherDeps, gathering: Gathering): Promise<Gathered> {
  const [looked, uses] = await Promise.all([
    orElse(deps, 'a look', lookAround(deps, gathering), null),
    orElse(deps, 'a history', readUses(deps.db), []),
  ])
  gathering.signal.throwIfAborted()
  return { context: looked?.found ?? [], lookId: looked?.lookId, uses }
}

/** What is there, or without it: a fault here is no reason not to plan. */
const orElse = <T>(deps: Pick<Deps, 'log'>, what: string, found: Promise<T>, without: T): Promise<T> =>
  found.catch((error) => {
    deps.log.warn(`planning goes on without ${what}: ${messageOf(error)}`)
    return without
  })
