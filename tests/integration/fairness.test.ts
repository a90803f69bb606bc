import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { pauseRun, resumeRun } from '../../core/runs/cancelRun.ts'
import { AGENT_SLOTS, type Claim, claimTasks } from '../../core/scheduling/claimTasks.ts'
import { setLanes } from '../../core/scheduling/lanes.ts'
import { openTestControl, type TestControl } from '../support/control.ts'
import { newDatabase, type TestDatabase } from '../support/database.ts'
import { addMachine, addPerson, finish, startRun, type TestMachine } from '../support/fleet.ts'

let database: TestDatabase
let control: TestControl
let machine: TestMachine
beforeAll(async () => {
  database = await newDatabase()
  control = await openTestControl({ databaseUrl: database.url })
})
afterAll(async () => {
  await control?.close()
  await database?.drop()
})
beforeEach(async () => {
  machine = await addMachine(control.deps)
})
afterEach(() => control.deps.db.query('UPDATE agent SET connected = false'))

const STEPS = 40

/** A run of a chat with that many tasks, all claimable. */
async function asked(chatId: number | null, steps: number): Promise<string> {
  const keys = Array.from({ length: steps }, (_, i) => ({ key: `k${i}` }))
  const run = await startRun(control.deps, machine, keys)
  await control.deps.db.query('UPDATE run SET chat_id = $2 WHERE id = $1', [run.id, chatId])
  await setLanes(control.deps.db, run.id)
  return run.id
}
const claim = async (): Promise<Claim[]> => (await claimTasks(control.deps, 100)).claims
const countBy = (claims: Claim[], runId: string): number => claims.filter((c) => c.runId === runId).length

test('chats with work share the slots of an agent, however much one of them has queued', async () => {
  const busy = await asked(1, STEPS)
  const other = await asked(2, 5)
  const program = await asked(null, STEPS)
  const claims = await claim()
  expect(claims).toHaveLength(AGENT_SLOTS)
  expect(countBy(claims, other)).toBe(5)
  expect(Math.abs(countBy(claims, busy) - countBy(claims, program))).toBeLessThanOrEqual(1)
})

test('who holds the slots waits: the next one that is free is for the chat that has none', async () => {
  const busy = await asked(1, STEPS)
  const first = await claim()
  expect(countBy(first, busy)).toBe(AGENT_SLOTS)
  const late = await asked(2, 2)
  for (const [i, held] of first.slice(0, 3).entries()) {
    await finish(control.deps, held)
    const [next] = await claim()
    expect(next?.runId).toBe(i < 2 ? late : busy)
  }
})

test('a higher priority goes before any turn, and within a chat the older work goes first', async () => {
  const old = await asked(1, 3)
  const busy = await asked(1, STEPS)
  const urgent = await asked(2, 30)
  await control.deps.db.query('UPDATE task SET priority = 5 WHERE run_id = $1', [urgent])
  const first = await claim()
  expect(countBy(first, urgent)).toBe(AGENT_SLOTS)
  for (const held of first) await finish(control.deps, held)
  const second = await claim()
  expect([countBy(second, urgent), countBy(second, old), countBy(second, busy)]).toEqual([14, 2, 0])
})

test("a paused run has no turn and stands in nobody's way; resumed, it has its own again", async () => {
  const person = await addPerson(control.deps, 'owner')
  const paused = await Promise.all(Array.from({ length: 11 }, () => asked(1, 50)))
  for (const run of paused) await control.deps.db.tx((tx) => pauseRun(control.deps, tx, run, person))
  const after = await asked(1, 4)
  const claims = await claim()
  expect([claims.length, countBy(claims, after)]).toEqual([4, 4])
  const [first = ''] = paused
  await control.deps.db.tx((tx) => resumeRun(control.deps, tx, first, person))
  expect(countBy(await claim(), first)).toBe(AGENT_SLOTS - 4)
})

test('every one of many chats gets its turn', async () => {
  const runs = new Set<string>()
  for (let chat = 1; chat <= 150; chat++) runs.add(await asked(chat, 1))
  for (let round = 0; round < 60 && runs.size > 0; round++) {
    for (const held of await claim()) {
      runs.delete(held.runId)
      await finish(control.deps, held)
    }
  }
  expect(runs.size).toBe(0)
})
