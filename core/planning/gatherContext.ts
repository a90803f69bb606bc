import { messageOf } from '../config/logger.ts'
import type { Deps } from '../deps.ts'
import type { Machine } from '../fleet/machineFacts.ts'
import type { CommitDeps } from './commitRevision.ts'
import { lookAround } from './lookAround.ts'
import type { PlaceFacts } from './placeFacts.ts'
import type { LookFor } from './startLook.ts'
import type { Untrusted } from './untrusted.ts'

/** What is known beside the request when a model is asked. `lookId`: the run that looked at the place. */
export type Gathered = { context: readonly Untrusted[]; lookId?: string }

export type Gathering = { place: PlaceFacts; machine: Machine; forRun: LookFor; signal: AbortSignal }

/**
 * Collects what a question to a model is to have in view: a look at the place. Bounded in time; what cannot be had is
 * done without. All of it is untrusted. Throws only the reason of `signal`.
 */
export async function gatherContext(
  deps: CommitDeps & Pick<Deps, 'db' | 'log'>,
  gathering: Gathering,
): Promise<Gathered> {
  try {
    const looked = await lookAround(deps, gathering)
    return looked ? { context: looked.found, lookId: looked.lookId } : { context: [] }
  } catch (error) {
    gathering.signal.throwIfAborted()
    deps.log.warn(`planning goes on without a look: ${messageOf(error)}`)
    return { context: [] }
  }
}
