import type { Deps } from '../deps.ts'
import { memoryKinds, memoryName } from '../memory/memory.ts'
import { type Recalled, recall } from '../memory/recall.ts'
import { tellFault } from '../storage/tellFault.ts'
import type { PlaceFacts } from './placeFacts.ts'
import type { Untrusted } from './untrusted.ts'

/** Memories that a planner is handed. */
const TOP = 5
/** What a machine is, the planner knows of the machine itself. */
const kinds = memoryKinds.filter((kind) => kind !== 'snapshot')

/**
 * The memories that matter most for a request, as context for a model; none when memory is off or does not answer: a
 * plan never waits for it. What was seen in an output goes along only for a request that speaks of a failure
 * (`withSeen`): everything from elsewhere that stands before a model makes its plan ask (docs/adr/0017).
 */
export async function recallFor(
  deps: Pick<Deps, 'db' | 'clock' | 'memory' | 'log'>,
  run: { request: string; person_id: string | null },
  place: Pick<PlaceFacts, 'agentId' | 'cwd'>,
  withSeen: boolean,
  signal?: AbortSignal,
): Promise<Untrusted[]> {
  try {
    const asked = { text: run.request, agentId: place.agentId, cwd: place.cwd, personId: run.person_id }
    const memories = await recall(deps, { ...asked, kinds, limit: TOP, signal })
    return memories.flatMap((memory) => contextOf(memory, withSeen))
  } catch (error) {
    tellFault(deps.log, 'recall', error)
    return []
  }
}

/** One memory as context. Pure. */
function contextOf({ id, kind, text, seen, times, trusted }: Recalled, withSeen: boolean): Untrusted[] {
  const name = memoryName(id)
  const often = times > 1 ? `\nThis was so ${times} times.` : ''
  const own = {
    origin: `memory ${name}`,
    text: `${kind}: ${text}${often}`,
    memory: id,
    ...(trusted ? { trusted } : {}),
  }
  return seen && withSeen ? [own, { origin: `output in memory ${name}`, text: seen }] : [own]
}
