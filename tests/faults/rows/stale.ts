import { setTimeout as delay } from 'node:timers/promises'
import { randomFrom } from '../random.ts'
import type { Title } from './holder.ts'
import { ended, openPulled } from './pulled.ts'
import type { Row } from './row.ts'

const HOLDERS = 16
/** Longer than a lease of 10 s and the reaper's second. */
const STOPPED_MS = [11_500, 14_000] as const
const SETTLE_MS = 60_000

/**
 * Holders of claims are stopped past their leases, before or after they began, and wake while others have their tasks:
 * nothing that they say then is taken.
 */
export async function staleRow({ count = 200, seed, tell }: Row): Promise<string[]> {
  const random = randomFrom(seed)
  const { stand, holders, enqueue, close } = await openPulled(HOLDERS, seed)
  try {
    const ids: string[] = []
    while (ids.length < count) {
      const titles = Array.from(
        { length: Math.min(20, count - ids.length) },
        (): Title => (random.chance(0.5) ? 'stops claimed' : 'stops started'),
      )
      ids.push(...(await enqueue(titles)))
    }
    const woken = new Set<string>()
    const over = ended(stand, ids, count * 2000 + SETTLE_MS)
    let isOver = false
    void over.finally(() => {
      isOver = true
    })
    while (!isOver || woken.size < holders.notes().filter(({ what }) => what === 'stopped').length) {
      for (const { execution, pid, what } of holders.notes())
        if (what === 'stopped' && !woken.has(execution)) {
          woken.add(execution)
          setTimeout(() => process.kill(pid, 'SIGCONT'), random.between(...STOPPED_MS))
          if (woken.size % 20 === 0) tell(`stopped past the lease: ${woken.size}`)
        }
      await delay(100)
    }
    await delay(STOPPED_MS[1] + 2000) // the last ones wake, and say what they have to say
    const notes = holders.notes()
    const claimed = new Map<string, string>()
    const stale: string[] = []
    const done = new Map<string, number>()
    for (const { task, execution, what } of notes) {
      if (what === 'claimed') claimed.set(task, execution)
      const isTaken = what === 'started' || what === 'completed'
      if (isTaken && claimed.get(task) !== execution) stale.push(`STALE: ${task} ${execution} ${what}`)
      if (what === 'completed') done.set(task, (done.get(task) ?? 0) + 1)
    }
    const twice = [...done].filter(([, times]) => times > 1)
    const lost = ids.filter((id) => !done.has(id))
    const open = await over
    const refused = notes.filter(({ what }) => what.startsWith('refused')).length
    const isBroken = stale.length + twice.length + lost.length + open.length > 0
    if (isBroken) process.exitCode = 1
    return [
      `stopped past the lease ${woken.size}, tasks ${ids.length}, refused afterwards ${refused}`,
      `stale writes accepted ${stale.length}, completed twice ${twice.length}, lost ${lost.length}, stuck ${open.length}`,
      ...stale.slice(0, 20),
      ...open,
    ]
  } finally {
    await close()
  }
}
