import { randomUUID } from 'node:crypto'
import pg from 'pg'
import { transition } from '../../core/events/transition.ts'
import { enqueueTasks } from '../../core/tasks/enqueueTasks.ts'
import { TaskRequest } from '../../core/tasks/taskRequest.ts'
import type { TestControl } from '../../tests/support/control.ts'
import { atLeast, type Contestant, compare, exactly, lines, rateOf, scaled } from '../compare.ts'
import type { Stand } from '../stand.ts'

/** Transitions under way at a time, each of a task of its own. */
const WIDTH = 20
const MOVES = scaled(4000)

type Flip = { id: string; runId: string; from: 'queued' | 'claimed'; to: 'queued' | 'claimed' }
type Move = (flip: Flip) => Promise<unknown>

/** The statement that one would write by hand for exactly this. */
const CTE = `
  WITH moved AS (UPDATE task SET status = $3 WHERE id = $1 AND status = $2 RETURNING id, run_id, agent_id)
  INSERT INTO event (type, run_id, task_id, agent_id, data)
  SELECT 'task.' || $3, run_id, id, agent_id, jsonb_build_object('from', $2::text, 'to', $3::text) FROM moved`

/** A round: every task goes to and fro between two states; each move has to leave its event. */
async function contestant(
  stand: Stand,
  name: string,
  moverOf: (control: TestControl & { databaseUrl: string }) => Move,
): Promise<Contestant> {
  const control = await stand.control(`transition_${name}`, { poolSize: WIDTH })
  const { db } = control.deps
  const done = await enqueueTasks(control.deps, {
    runId: null,
    personId: null,
    tasks: Array.from({ length: WIDTH }, () => TaskRequest.parse({ action: 'noop', dispatch: 'pull' })),
  })
  if (done.kind !== 'enqueued') throw new Error(JSON.stringify(done))
  const flips = done.taskIds.map((id): Flip => ({ id, runId: done.runId, from: 'queued', to: 'claimed' }))
  const move = moverOf(control)
  return {
    name,
    round: async () => {
      const [before] = await db.query<{ n: number }>('SELECT count(*)::int AS n FROM event')
      const rate = await rateOf(MOVES, WIDTH, async (_, lane) => {
        const flip = flips[lane]
        if (!flip) throw new Error('more lanes than tasks')
        await move(flip)
        Object.assign(flip, { from: flip.to, to: flip.from })
      })
      const [after] = await db.query<{ n: number }>('SELECT count(*)::int AS n FROM event')
      exactly(`${name}: events`, (after?.n ?? 0) - (before?.n ?? 0), MOVES)
      return rate
    },
  }
}

const product =
  ({ deps }: TestControl): Move =>
  ({ id, from, to }) =>
    transition(deps.db, 'task', { ids: [id], from: [from], to })

const prisma =
  ({ deps: { db } }: TestControl): Move =>
  (flip) =>
    db.prisma.$transaction(async (tx) => {
      const { id, runId, from, to } = flip
      const { count } = await tx.task.updateMany({ where: { id, status: from }, data: { status: to } })
      if (count !== 1) throw new Error('it was in another state')
      await tx.event.create({ data: { type: `task.${to}`, taskId: id, runId, data: { from, to } } })
    })

function byHand(stand: Stand, url: string): Move {
  const pool = new pg.Pool({ connectionString: url, max: WIDTH })
  stand.atEnd(() => pool.end())
  const name = randomUUID().slice(0, 8)
  return ({ id, from, to }) => pool.query({ name, text: CTE, values: [id, from, to] })
}

/** Row 4: one compare-and-set with its event, 20 at a time. */
export async function transitionRow(stand: Stand): Promise<string[]> {
  const figures = await compare([
    await contestant(stand, 'SKYNET', product),
    await contestant(stand, 'Prisma interactive transaction', prisma),
    await contestant(stand, 'one prepared CTE (limit)', ({ databaseUrl }) => byHand(stand, databaseUrl)),
  ])
  return [
    ...lines(figures, '/s'),
    atLeast(figures, 'SKYNET', 'one prepared CTE (limit)', 0.8),
    atLeast(figures, 'SKYNET', 'Prisma interactive transaction', 1),
  ]
}
