import type { Deps } from '../../core/deps.ts'
import { completePulled } from '../../core/scheduling/pulledAttempts.ts'
import { claimPulled } from '../../core/scheduling/pullTasks.ts'
import { enqueueTasks } from '../../core/tasks/enqueueTasks.ts'
import { TaskRequest } from '../../core/tasks/taskRequest.ts'
import { type Contestant, compare, exactly, lines, of, scaled } from '../compare.ts'
import { median } from '../figures.ts'
import type { Stand } from '../stand.ts'
import { multiplyRun } from './manyTasks.ts'

const SIZES = [1000, 10_000, 100_000].map(scaled)
const CLAIMS = 40
const IN_RUN = 50

const nameOf = (size: number): string => `${size} queued`

/** One claim at a time, each ended before the next; the queue is as long before each. */
function contestant(name: string, deps: Deps, claim: () => Promise<() => Promise<unknown>>): Contestant {
  const done = async (): Promise<number> => {
    const [row] = await deps.db.query<{ n: number }>(
      "SELECT count(*)::int AS n FROM task WHERE status = 'succeeded'",
    )
    return row?.n ?? 0
  }
  return {
    name,
    round: async () => {
      const before = await done()
      const times: number[] = []
      for (let i = 0; i < CLAIMS; i++) {
        const began = performance.now()
        const end = await claim()
        times.push(performance.now() - began)
        await end()
      }
      exactly(`${name}: ended`, (await done()) - before, CLAIMS)
      return median(times)
    },
  }
}

async function fill(deps: Deps, request: object, size: number): Promise<void> {
  const tasks = Array.from({ length: IN_RUN }, () => TaskRequest.parse({ action: 'noop', ...request }))
  const done = await enqueueTasks(deps, { runId: null, personId: null, tasks })
  if (done.kind !== 'enqueued') throw new Error(JSON.stringify(done))
  await multiplyRun(deps.db, done.runId, Math.ceil(size / IN_RUN) - 1)
}

async function pulled(stand: Stand, size: number): Promise<Contestant> {
  const { deps } = await stand.control(`claims_pull_${size}`)
  const agent = 'outside'
  await fill(deps, { dispatch: 'pull', agent_id: agent }, size)
  return contestant(nameOf(size), deps, async () => {
    const got = await claimPulled(deps, { agent, capabilities: [], taskId: null })
    if (got.kind !== 'claimed') throw new Error(`nothing to claim: ${got.kind}`)
    const { taskId, claimToken } = got.claim
    const completion = { status: 'succeeded' as const, result: null, error: null }
    return () => completePulled(deps, { taskId, agent, claimToken }, completion)
  })
}

/** How long it takes an outside agent to fetch one task, however long the queue is. */
export async function fetchesRow(stand: Stand): Promise<string[]> {
  const sides: Contestant[] = []
  for (const size of SIZES) sides.push(await pulled(stand, size))
  const figures = await compare(sides)
  const times = SIZES.map((size) => of(figures, nameOf(size)))
  const ratio = Math.max(...times) / Math.min(...times)
  return [
    ...lines(figures, ' ms', 2),
    `slowest / fastest: ${ratio.toFixed(2)}  aim 2 or less  ${ratio <= 2 ? 'met' : 'MISSED'}`,
  ]
}
