import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { announceOnce, startCursor } from '../../bot/cards/announce.ts'
import { type CardRow, renderCard } from '../../bot/cards/refreshCard.ts'
import { tellLaterOnce } from '../../bot/cards/tellProgress.ts'
import { plain } from '../../bot/render/html.ts'
import { OLDEST } from '../../core/events/readEvents.ts'
import { claimTasks } from '../../core/scheduling/claimTasks.ts'
import { openTestControl, type TestControl } from '../support/control.ts'
import { newDatabase, type TestDatabase } from '../support/database.ts'
import { allReadable } from '../support/events.ts'
import {
  accepted,
  addMachine,
  type Claimed,
  exited,
  report,
  result,
  started,
  startRun,
  type TestMachine,
} from '../support/fleet.ts'

/* What a chat is told of milestones without asking: from the ledger alone. */

const chat = 7_000_001
let database: TestDatabase
let control: TestControl
let machine: TestMachine
const db = () => control.deps.db
const deps = () => ({ ...control.deps, ownerIds: [], gatewayUrl: 'http://127.0.0.1:8766' })

beforeAll(async () => {
  database = await newDatabase()
  control = await openTestControl({ databaseUrl: database.url })
  machine = await addMachine(control.deps, { name: 'laptop' })
  await startCursor(deps())
})
afterAll(async () => {
  await control?.close()
  await database?.drop()
})

/** A run of three steps, one after the other, each a milestone of its own, in the chat. */
async function runOfThree(name: string) {
  const run = await startRun(control.deps, machine, [
    { key: '1', milestone: `${name}-one`, cwd: `/work/${name}` },
    { key: '2', milestone: `${name}-two`, after: ['1'], cwd: `/work/${name}` },
    { key: '3', milestone: `${name}-three`, after: ['2'], cwd: `/work/${name}` },
  ])
  await db().query('UPDATE run SET chat_id = $2 WHERE id = $1', [run.id, chat])
  return run
}

const claimed: Claimed[] = []
/** Starts the next step of a run. Returns what ends it. */
async function step(runId: string) {
  claimed.push(...(await claimTasks(deps(), 10)).claims)
  const own = await db().query<{ id: string }>(
    "SELECT a.id FROM attempt a JOIN task t ON t.id = a.task_id WHERE t.run_id = $1 AND a.status = 'claimed'",
    [runId],
  )
  const claim = claimed.find((one) => own.some(({ id }) => id === one.attemptId))
  if (!claim) throw new Error('nothing was claimed')
  await report(control.deps, claim, accepted(), started())
  return () => report(control.deps, claim, result('succeeded'), exited())
}

/** Nothing is told of what has just begun. */
const notYoung = () =>
  db().query(
    "UPDATE milestone SET started_at = started_at - interval '11 s' WHERE started_at > clock_timestamp() - interval '10 s'",
  )

/** Announces all there is, as one bot does; a transaction elsewhere on the server may hold the newest back for a moment. */
async function announced({ young = false } = {}): Promise<void> {
  if (!young) await notYoung()
  await allReadable(db())
  while ((await announceOnce(deps())) > 0);
}

const cards = () => db().query<CardRow>("SELECT * FROM card WHERE kind = 'milestone' ORDER BY created_at")
const texts = async (): Promise<string[]> =>
  Promise.all((await cards()).map(async (card) => plain((await renderCard(deps(), card))?.html ?? '')))
const aMinuteLater = () => db().query("UPDATE card SET created_at = created_at - interval '61 s'")

describe('progress that nobody asked for', () => {
  test('is not told of work that has just begun: by then it may be over', async () => {
    const run = await runOfThree('quick')
    const endOne = await step(run.id)
    await announced({ young: true })
    await endOne()
    const endTwo = await step(run.id)
    await announced({ young: true })
    await tellLaterOnce(deps())
    expect(await cards()).toEqual([])
    await notYoung()
    await tellLaterOnce(deps())
    expect(await texts()).toEqual([
      expect.stringMatching(/part 2 of 3 · a test\n✓ quick-one is done.*\n▶ quick-two/),
    ])
    await endTwo()
    await db().query("UPDATE run SET status = 'succeeded' WHERE id = $1", [run.id])
    await db().query('DELETE FROM card')
  })

  test('is one message a minute at most; what happens meanwhile is added to it; nothing is told twice', async () => {
    const run = await runOfThree('a')
    const endOne = await step(run.id)
    await announced()
    expect(await texts()).toEqual([expect.stringMatching(/part 1 of 3 · a test\n▶ a-one has begun/)])
    await endOne()
    const endTwo = await step(run.id)
    await announced()
    expect(await texts()).toEqual([
      expect.stringMatching(/part 2 of 3.*\n✓ a-one is done.*\n▶ a-two has begun/),
    ])

    await aMinuteLater()
    await endTwo()
    const endThree = await step(run.id)
    await announced()
    const [first, second, ...more] = await texts()
    expect(first).toMatch(/✓ a-one is done.*\n✓ a-two is done/)
    expect(first).not.toContain('three')
    expect(second).toMatch(/^🚩 #\d+ part 3 of 3 · a test\n▶ a-three has begun: [^\n]*$/)
    expect(more).toEqual([])

    await aMinuteLater()
    await db().query("UPDATE event_cursor SET cursor = $1 WHERE reader = 'bot'", [OLDEST])
    await announced()
    await tellLaterOnce(deps())
    expect(await cards()).toHaveLength(2)
    await endThree()
    await announced()
    expect(await cards()).toHaveLength(2)
    expect((await texts())[1]).toMatch(/^🏁 .*\n✓ a-three is done/)
  })

  test('of two runs in one chat: the second waits its minute, and is then told of', async () => {
    await aMinuteLater()
    const before = (await cards()).length
    const [one, two] = [await runOfThree('b'), await runOfThree('c')]
    const endOne = await step(one.id)
    await announced()
    const endTwo = await step(two.id)
    await announced()
    expect(await cards()).toHaveLength(before + 1)
    await db().query(
      "UPDATE milestone SET started_at = started_at - interval '30 s' WHERE started_at IS NOT NULL",
    )
    await tellLaterOnce(deps())
    expect(await cards()).toHaveLength(before + 1)
    await aMinuteLater()
    await tellLaterOnce(deps())
    await tellLaterOnce(deps())
    expect((await texts()).slice(before)).toEqual([
      expect.stringContaining('b-one has begun'),
      expect.stringContaining('c-one has begun'),
    ])
    await endOne()
    await endTwo()
  })
})
