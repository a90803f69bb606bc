import { randomUUID } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { taskEnds } from '../../../core/events/states.ts'
import { actual, replayed } from '../../support/fleet.ts'
import { randomFrom } from '../random.ts'
import type { Title } from './holder.ts'
import { ended, openPulled } from './pulled.ts'
import type { Row } from './row.ts'

const HOLDERS = 6
const PER_RESTART = 50
const SETTLE_MS = 60_000

/** PostgreSQL is restarted, fast or by a crash, while tasks are asked for, claimed, begun and completed all the time. */
export async function restartsRow({ count = 100, seed, tell }: Row): Promise<string[]> {
  const random = randomFrom(seed)
  const { stand, holders, enqueue, close } = await openPulled(HOLDERS, seed)
  const all: string[] = []
  const titles = Array.from({ length: PER_RESTART }, (): Title => 'fine')
  try {
    for (let restart = 1; restart <= count; restart++) {
      const ids = titles.map(() => randomUUID())
      const asking = enqueue(titles, ids)
      await delay(random.between(0, 800))
      const how = random.pick(['fast', 'immediate'] as const)
      await stand.postgres.restart(how, random.between(0, 1500))
      const back = performance.now()
      const before = all.splice(0, all.length)
      const open = await ended(stand, before, SETTLE_MS)
      all.push(...before, ...(await asking))
      tell(
        `PostgreSQL restarted (${how}): ${restart}; what was asked before ended ${Math.round(performance.now() - back)} ms later`,
      )
      if (open.length > 0) break
    }
    const open = await ended(stand, all, SETTLE_MS)
    const done = new Map<string, Set<string>>()
    for (const { task, execution, what } of holders.notes())
      if (what === 'completed') done.set(task, (done.get(task) ?? new Set()).add(execution))
    const rows = await stand.db.query<{ id: string; status: string }>(
      'SELECT id, status FROM task WHERE id = ANY($1::uuid[])',
      [all],
    )
    const statuses = new Map(rows.map(({ id, status }) => [id, status]))
    const ends = new Set<string | undefined>([...taskEnds, undefined])
    const lost = all.filter((id) => {
      const status = statuses.get(id)
      return status === 'succeeded' ? !done.has(id) : ends.has(status)
    })
    const twice = [...done].filter(([, executions]) => executions.size > 1)
    const [says, is] = [await replayed(stand), await actual(stand)]
    const differs = Object.keys(is).filter((name) => is[name] !== says[name])
    if (lost.length + twice.length + open.length + differs.length > 0) process.exitCode = 1
    return [
      `restarts of PostgreSQL ${count}, tasks ${all.length}`,
      `lost ${lost.length}, twice ${twice.length}, stuck ${open.length}, replay differs ${differs.length}`,
      ...lost.slice(0, 20).map((id) => `LOST: task ${id}`),
      ...twice.slice(0, 20).map(([id]) => `TWICE: task ${id}`),
      ...open,
    ]
  } finally {
    await close()
  }
}
