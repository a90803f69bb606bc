import type { Deps } from '../deps.ts'
import { memoryKinds, memoryName } from '../memory/memory.ts'
import { type Recalled, recall } from '../memory/recall.ts'
import { isGroup } from '../runs/shownIn.ts'
import { tellFault } from '../storage/tellFault.ts'
import type { PlaceFacts } from './placeFacts.ts'
import type { Untrusted } from './untrusted.ts'

/** Memories that a planner is handed. */
const TOP = 5
/** What a machine is, the planner knows of the machine itself. */
const kinds = memoryKinds.filter((kind) => kind !== 'snapshot')

/**
 * The memories that matter most for a request, as context for a model; none when memory is off or does not answer: a
 * plan never waits for it. In a group those of that group alone, as they would be shown there. What was seen in an output goes along only for a request that speaks of a failure
 * (`withSeen`): everything from elsewhere that stands before a model makes its plan ask (docs/adr/0017).
 */
export async function recallFor(
  deps: Pick<Deps, 'db' | 'clock' | 'memory' | 'log'>,
  run: { request: string; person_id: string | null; chat_id: number | null },
  place: Pick<PlaceFacts, 'agentId' | 'cwd'>,
  withSeen: boolean,
  signal?: AbortSignal,
): Promise<Untrusted[]> {
  try {
    const groupId = run.chat_id !== null && isGroup({ chatId: run.chat_id }) ? run.chat_id : null
    const where = { agentId: place.agentId, cwd: place.cwd, groupId }
    const asked = { text: run.request, ...where, personId: run.person_id }
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
