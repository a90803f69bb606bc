import { setTimeout as delay } from 'node:timers/promises'
import { type Random, randomFrom } from '../random.ts'
import type { Title } from './holder.ts'
import type { Holders, Note } from './holders.ts'
import { ended, openPulled } from './pulled.ts'
import type { Row } from './row.ts'

const HOLDERS = 16
const BATCH = 20
/** Longer than a lease of 10 s and the reaper's second. */
const STOPPED_MS = [11_500, 14_000] as const
/** Then whoever woke has said what it had to say. */
const SPEAK_MS = 5000
/** For each task, when one holder after the other would work, and then some. */
const PER_TASK_MS = 2000
const SETTLE_MS = 120_000

/** Wakes holders that have stopped, each after longer than its lease. */
class Waker {
  readonly woken = new Set<string>()
  readonly #timer: NodeJS.Timeout

  constructor(holders: Holders, random: Random) {
    this.#timer = setInterval(() => {
      for (const { execution, pid, what } of holders.notes()) {
        if (what !== 'stopped' || this.woken.has(execution)) continue
        this.woken.add(execution)
        setTimeout(() => process.kill(pid, 'SIGCONT'), random.between(...STOPPED_MS))
      }
    }, 200)
  }

  stop(): void {
    clearInterval(this.#timer)
  }
}

/** What was taken of holders that others had followed, and which tasks were completed by whom. */
function judge(notes: readonly Note[]): { stale: string[]; done: Map<string, Set<string>> } {
  const claimed = new Map<string, string>()
  const done = new Map<string, Set<string>>()
  const stale: string[] = []
  for (const { task, execution, what } of notes) {
    if (what === 'claimed') claimed.set(task, execution)
    if ((what === 'started' || what === 'completed') && claimed.get(task) !== execution)
      stale.push(`STALE: task ${task}, attempt ${execution}: ${what}`)
    if (what === 'completed') done.set(task, (done.get(task) ?? new Set()).add(execution))
  }
  return { stale, done }
}

/**
 * Holders of claims are stopped past their leases, before or after they began, and wake while others have their tasks:
 * nothing that they say then is taken.
 */
export async function staleRow({ count = 200, seed, tell }: Row): Promise<string[]> {
  const random = randomFrom(seed)
  const { stand, holders, enqueue, close } = await openPulled(HOLDERS, seed)
  const waker = new Waker(holders, random)
  try {
    const ids: string[] = []
    const open: string[] = []
    for (let left = count; left > 0 && open.length === 0; left = count - waker.woken.size) {
      const titles = Array.from(
        { length: Math.min(BATCH, left) },
        (): Title => (random.chance(0.5) ? 'stops claimed' : 'stops started'),
      )
      const asked = await enqueue(titles)
      ids.push(...asked)
      open.push(...(await ended(stand, asked, BATCH * PER_TASK_MS + SETTLE_MS)))
      tell(`stopped past the lease: ${waker.woken.size}`)
    }
    await delay(STOPPED_MS[1] + SPEAK_MS)
    const notes = holders.notes()
    const { stale, done } = judge(notes)
    const refused = notes.filter(({ what }) => what.startsWith('refused')).length
    const twice = [...done.values()].filter((executions) => executions.size > 1).length
    const lost = ids.filter((id) => !done.has(id)).length
    if (stale.length + twice + lost + open.length > 0) process.exitCode = 1
    return [
      `stopped past the lease ${waker.woken.size}, tasks ${ids.length}, refused afterwards ${refused}`,
      `stale writes accepted ${stale.length}, completed twice ${twice}, lost ${lost}, stuck ${open.length}`,
      ...stale.slice(0, 20),
      ...open,
    ]
  } finally {
    waker.stop()
    await close()
  }
}
