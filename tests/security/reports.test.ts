import { randomBytes, randomUUID } from 'node:crypto'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { registerWorker } from '../../core/fleet/registerWorker.ts'
import type { AttemptFrame } from '../../core/protocol/frames.ts'
import { recordFrames } from '../../core/runs/recordFrames.ts'
import { type Claim, claimTasks } from '../../core/scheduling/claimTasks.ts'
import { openTestControl, type TestControl } from '../support/control.ts'
import { newDatabase, type TestDatabase } from '../support/database.ts'
import {
  accepted,
  addMachine,
  exited,
  factsOf,
  framesOf,
  log,
  lostFrame,
  refusedFrame,
  report,
  result,
  started,
  startRun,
  type TestMachine,
} from '../support/fleet.ts'

/*
 * Reports that lie: frames of attempts that are another agent's, replayed, out of order, of attempts that are over; and
 * hellos with a credential that is not the agent's. The ledger moves for none of them.
 */

const FRAMES = 1000
const HELLOS = 500

let database: TestDatabase
let control: TestControl
let mine: TestMachine
let theirs: TestMachine
const claims: Claim[] = []
beforeAll(async () => {
  database = await newDatabase()
  control = await openTestControl({ databaseUrl: database.url })
  mine = await addMachine(control.deps)
  theirs = await addMachine(control.deps)
  for (let i = 0; i < 8; i++) await startRun(control.deps, theirs, [{ key: 'a', command: 'sleep 1' }])
  claims.push(...(await claimTasks(control.deps, 50)).claims)
  for (const claim of claims.slice(0, 4)) await report(control.deps, claim, accepted(), started())
  for (const claim of claims.slice(0, 2))
    await report(control.deps, claim, log('x'), result('succeeded'), exited())
})
afterAll(async () => {
  await control?.close()
  await database?.drop()
})

const world = () =>
  control.deps.db.query(
    `SELECT (SELECT json_agg(json_build_array(id, status, last_seq, exited_at) ORDER BY id) FROM attempt) AS attempts,
     (SELECT json_agg(json_build_array(id, status, result) ORDER BY id) FROM task) AS tasks, (SELECT count(*) FROM log_chunk) AS logs,
     (SELECT json_agg(json_build_array(id, connected, session) ORDER BY id) FROM agent) AS agents`,
  )

const bodies = fc.constantFrom(
  accepted(),
  started(),
  log('mine now'),
  result('succeeded'),
  result('failed'),
  exited(),
  lostFrame(),
  refusedFrame('busy'),
)

test(`${FRAMES} frames of another agent's attempts, in any number and order: none counts`, async () => {
  expect(claims).toHaveLength(8)
  const before = await world()
  const forged = fc.sample(
    fc.tuple(fc.nat({ max: 7 }), bodies, fc.integer({ min: 1, max: 6 }), fc.boolean()),
    FRAMES,
  )
  const frames = forged.map(([n, body, seq, known]): AttemptFrame => {
    const [frame] = framesOf(known ? (claims[n]?.attemptId ?? '') : randomUUID(), [body], seq)
    return frame as AttemptFrame
  })
  for (let from = 0; from < FRAMES; from += 50) {
    const done = await recordFrames(control.deps, {
      gateway_id: mine.gatewayId,
      agent_id: mine.agentId,
      frames: frames.slice(from, from + 50),
    })
    expect(done.acks).toEqual([])
  }
  expect(await world()).toEqual(before)
})

test('replays of what was said: nothing moves', async () => {
  const before = await world()
  for (const claim of claims.slice(0, 2))
    for (let i = 0; i < 20; i++)
      await recordFrames(control.deps, {
        gateway_id: theirs.gatewayId,
        agent_id: theirs.agentId,
        frames: framesOf(claim.attemptId, [accepted(), started(), log('y'), result('failed'), exited()]),
      })
  expect(await world()).toEqual(before)
})

test(`${HELLOS} hellos with another credential: each refused`, async () => {
  const before = await world()
  const { credential } = theirs
  const wrong = fc.sample(
    fc.oneof(
      fc.constant(mine.credential),
      fc.nat().map((n) => {
        const at = n % credential.length
        return `${credential.slice(0, at)}${credential[at] === 'x' ? 'y' : 'x'}${credential.slice(at + 1)}`
      }),
      fc.nat({ max: 15 }).map((n) => credential.slice(0, 16 + n)),
      fc.constant(`${credential} `),
      fc.constant(credential.toUpperCase()),
      fc.constant(randomBytes(32).toString('base64url')),
    ),
    HELLOS,
  )
  const kinds = new Set<string>()
  for (const one of wrong) {
    const hello = {
      gateway_id: mine.gatewayId,
      agent_id: theirs.agentId,
      hello: true,
      facts: factsOf(theirs),
      attempts: [],
    }
    kinds.add((await registerWorker(control.deps, { ...hello, session: 'a-new-one', credential: one })).kind)
  }
  expect([...kinds]).toEqual(['refused'])
  expect(await world()).toEqual(before)
})
