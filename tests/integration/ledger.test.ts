import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { CursorError, newestCursor, OLDEST, readEvents } from '../../core/events/readEvents.ts'
import { type Machine, machines, type Status } from '../../core/events/states.ts'
import { tellEvent } from '../../core/events/tellEvent.ts'
import { transition } from '../../core/events/transition.ts'
import { cancelRun } from '../../core/runs/cancelRun.ts'
import { claimTasks } from '../../core/scheduling/claimTasks.ts'
import { openTestControl, type TestControl } from '../support/control.ts'
import { newDatabase, type TestDatabase } from '../support/database.ts'
import {
  actual,
  addMachine,
  approve,
  finish,
  replayed,
  report,
  started,
  startRun,
  type TestMachine,
} from '../support/fleet.ts'

let database: TestDatabase
let control: TestControl
let machine: TestMachine
beforeAll(async () => {
  database = await newDatabase()
  control = await openTestControl({ databaseUrl: database.url })
  machine = await addMachine(control.deps)
})
afterAll(async () => {
  await control?.close()
  await database?.drop()
})

describe('transition', () => {
  const pairs = Object.entries(machines).flatMap(([name, table]) =>
    Object.keys(table).flatMap((from) =>
      Object.keys(table).map((to) => [name, from, to] as [Machine, string, string]),
    ),
  )

  test.each(pairs)('%s: %s -> %s is as the table says', async (name, from, to) => {
    const table: Record<string, readonly string[]> = machines[name]
    const move = transition(control.deps.db, name, {
      ids: [],
      from: [from as Status<typeof name>],
      to: to as Status<typeof name>,
    } as never)
    if (table[from]?.includes(to)) expect(await move).toEqual([])
    else await expect(move).rejects.toThrow(`${name}: ${from} -> ${to} is not a transition`)
  })

  test('of 20 that move the same row at once exactly one does, and tells it once', async () => {
    const { db } = control.deps
    const run = await startRun(control.deps, machine, [{ key: 'a' }])
    const moved = await Promise.all(
      Array.from({ length: 20 }, () =>
        transition(db, 'run', { ids: [run.id], from: ['running'], to: 'paused' }),
      ),
    )
    expect(moved.flat()).toEqual([{ id: run.id, was: 'running' }])
    expect(
      await db.query("SELECT data FROM event WHERE run_id = $1 AND type = 'run.paused'", [run.id]),
    ).toEqual([{ data: { from: 'running', to: 'paused' } }])
    await db.tx((tx) => cancelRun(control.deps, tx, run.id, null))
  })

  test('a change that is rolled back tells nothing', async () => {
    const { db } = control.deps
    const run = await startRun(control.deps, machine, [{ key: 'a' }])
    const count = async () => (await db.query('SELECT 1 FROM event')).length
    const before = await count()
    const broken = db.tx(async (tx) => {
      await transition(tx, 'run', { ids: [run.id], from: ['running'], to: 'paused' })
      throw new Error('broken')
    })
    await expect(broken).rejects.toThrow('broken')
    expect(await count()).toBe(before)
    expect(await db.query('SELECT status FROM run WHERE id = $1', [run.id])).toEqual([{ status: 'running' }])
    await db.tx((tx) => cancelRun(control.deps, tx, run.id, null))
  })

  test('a condition fences: rows that do not meet it stay', async () => {
    const { db } = control.deps
    const run = await startRun(control.deps, machine, [{ key: 'a' }])
    const where = { sql: 'claim_token = $1', values: ['another'] }
    expect(
      await transition(db, 'task', { ids: [run.tasks.a ?? ''], from: ['queued'], to: 'claimed', where }),
    ).toEqual([])
    await db.tx((tx) => cancelRun(control.deps, tx, run.id, null))
  })

  test('odd texts are stored: NUL, lone surrogates, what looks like escapes', async () => {
    const { db } = control.deps
    const run = await startRun(control.deps, machine, [{ key: 'a' }])
    const odd = 'a\0b \ud800 c \\u0000 \udc00 😀 "\\'
    await transition(db, 'run', {
      ids: [run.id],
      from: ['running'],
      to: 'failed',
      set: { error: { odd } },
      data: { odd },
    })
    const kept = 'a\ufffdb \ufffd c \\u0000 \ufffd 😀 "\\'
    expect(await db.query('SELECT error FROM run WHERE id = $1', [run.id])).toEqual([
      { error: { odd: kept } },
    ])
    const [event] = await db.query<{ data: object }>(
      "SELECT data FROM event WHERE run_id = $1 AND type = 'run.failed'",
      [run.id],
    )
    expect(event?.data).toEqual({ from: 'running', to: 'failed', odd: kept })
  })
})

describe('readEvents', () => {
  test('misses none and repeats none while ten write, some slowly, some rolling back', async () => {
    const { db } = control.deps
    let cursor = await newestCursor(db)
    const written = new Set<number>()
    let writing = true
    const writer = async (w: number): Promise<void> => {
      for (let i = 0; i < 30; i++) {
        const ok = await db
          .tx(async (tx) => {
            await tellEvent(tx, 'agent.connected', {}, { n: w * 1000 + i })
            if ((w + i) % 5 === 0) await tx.query('SELECT pg_sleep(0.01)')
            if ((w + i) % 7 === 0) throw new Error('rolled back')
            return true
          })
          .catch(() => false)
        if (ok) written.add(w * 1000 + i)
      }
    }
    const read: number[] = []
    /** Reads on until all is there; a transaction of any database of this server may hold it back for a while. */
    const reader = async (): Promise<void> => {
      const deadline = Date.now() + 15_000
      while (writing || (read.length < written.size && Date.now() < deadline)) {
        const events = await readEvents(db, cursor, 50)
        read.push(...events.filter((e) => e.type === 'agent.connected').map((e) => Number(e.data.n)))
        cursor = events.at(-1)?.cursor ?? cursor
      }
    }
    const reading = reader()
    await Promise.all(Array.from({ length: 10 }, (_, w) => writer(w)))
    writing = false
    await reading
    expect(read).toHaveLength(written.size)
    expect(new Set(read)).toEqual(written)
  })

  test('takes its own cursors and the oldest, and refuses others', async () => {
    const { db } = control.deps
    const [first, second] = await readEvents(db, OLDEST, 2)
    expect((await readEvents(db, first?.cursor ?? '', 1))[0]?.seq).toBe(second?.seq)
    for (const bad of ['', 'x', '1', '1.2.3', '-1.2', "1.1' OR 1=1 --"])
      await expect(readEvents(db, bad, 1)).rejects.toThrow(CursorError)
  })
})

test('replaying the events gives the states, after everything else here', async () => {
  const { deps } = control
  const run = await startRun(deps, machine, [
    { key: 'a' },
    { key: 'b', after: ['a'], command: 'touch b' },
    { key: 'c', after: ['a'], command: 'touch c', files: ['/work/c'] },
    { key: 'd', after: ['b', 'c'] },
  ])
  await approve(deps, run.id)
  for (let round = 0; round < 4; round++) {
    const { claims } = await claimTasks(deps, 10)
    for (const claim of claims)
      await finish(deps, claim, round === 1 && claim.taskId === run.tasks.b ? 'failed' : 'succeeded')
  }
  const stopped = await startRun(deps, machine, [{ key: 'a' }, { key: 'b', after: ['a'] }])
  const {
    claims: [claim],
  } = await claimTasks(deps, 10)
  if (claim) await report(deps, claim, started())
  await deps.db.tx((tx) => cancelRun(deps, tx, stopped.id, null))
  expect(await replayed(deps)).toEqual(await actual(deps))
})
