import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { approveStanding } from '../../core/approvals/approveStanding.ts'
import { type Decision, decideApproval } from '../../core/approvals/decideApproval.ts'
import { expireApprovalsOnce } from '../../core/approvals/expireApprovals.ts'
import { setEntitlement } from '../../core/people/entitlements.ts'
import { revisePlan } from '../../core/planning/revisePlan.ts'
import { cancelRun } from '../../core/runs/cancelRun.ts'
import { claimTasks } from '../../core/scheduling/claimTasks.ts'
import { openTestControl, type TestControl } from '../support/control.ts'
import { newDatabase, type TestDatabase } from '../support/database.ts'
import { addMachine, addPerson, startRun, type TestMachine } from '../support/fleet.ts'

/*
 * 500 answers that must not count, in any order, on real PostgreSQL: swapped (the hash of another plan, or of an earlier
 * version), replayed (of what was decided), foreign (of a person whose chat or machine it is not, or who asked), late
 * (expired, cancelled, superseded). Each is followed by a look at everything that could have moved.
 */

const ATTACKS = 500
/** They come side by side. */
const AT_ONCE = 10

let database: TestDatabase
let control: TestControl
let machine: TestMachine
let people: Record<'asker' | 'approver' | 'elsewhere' | 'otherChat', string>
type Held = { runId: string; approvalId: string; hash: string }
const held: Held[] = []
const decided: Held[] = []
const late: Held[] = []
const old: Held[] = []

const strict = () => ({ ...control.deps, settings: { ...control.deps.settings, fourEyes: true } })
const newest = async (runId: string): Promise<Held> => {
  const [row] = await control.deps.db.query<{ id: string; plan_hash: string }>(
    'SELECT id, plan_hash FROM approval WHERE run_id = $1 ORDER BY created_at DESC LIMIT 1',
    [runId],
  )
  return { runId, approvalId: row?.id ?? '', hash: row?.plan_hash ?? '' }
}
const ask = async (n: number): Promise<Held> => {
  const steps = [
    { key: 'a', command: `touch a${n}` },
    { key: 'b', command: `touch b${n}` },
  ]
  return newest((await startRun(strict(), machine, steps, people.asker)).id)
}
const answer = (to: Held, personId: string, decision: Decision, hash = to.hash) =>
  control.deps.db.tx((tx) =>
    decideApproval(strict(), tx, { approvalId: to.approvalId, personId, decision, planHash: hash }),
  )

beforeAll(async () => {
  database = await newDatabase()
  control = await openTestControl({ databaseUrl: database.url })
  const { deps } = control
  machine = await addMachine(deps)
  const [asker, approver, elsewhere, otherChat] = await Promise.all(
    (['owner', 'approver', 'owner', 'owner'] as const).map((role) => addPerson(deps, role)),
  )
  people = { asker, approver, elsewhere, otherChat } as typeof people
  await setEntitlement(
    deps.db,
    people.elsewhere,
    { kind: 'machine', target: (await addMachine(deps)).agentId, on: true },
    null,
  )
  await setEntitlement(deps.db, people.otherChat, { kind: 'chat', target: '-77', on: true }, null)
  for (let n = 0; n < 12; n++) held.push(await ask(n))
  for (let n = 0; n < 6; n++) {
    const one = await ask(100 + n)
    await answer(one, people.approver, n % 2 ? 'approved' : 'denied')
    decided.push(one)
  }
  for (let n = 0; n < 6; n++) {
    const one = await ask(200 + n)
    if (n % 3 === 0) await deps.db.tx((tx) => cancelRun(deps, tx, one.runId, people.asker))
    else
      await deps.db.query('UPDATE approval SET expires_at = to_timestamp(0) WHERE id = $1', [one.approvalId])
    if (n % 3 === 1) await expireApprovalsOnce(deps)
    late.push(one)
  }
  for (let n = 0; n < 6; n++) {
    const one = await ask(300 + n)
    await deps.db.tx((tx) => revisePlan(deps, tx, one.runId, { kind: 'drop', key: 'b' }, people.asker))
    old.push(one)
    held.push(await newest(one.runId))
  }
}, 60_000)
afterAll(async () => {
  await control?.close()
  await database?.drop()
})

type World = { runs: string; tasks: string; approvals: string; standing: number }
const worldOf = async (): Promise<World | undefined> =>
  (
    await control.deps.db.query<World>(
      `SELECT (SELECT string_agg(id || status, ',' ORDER BY id) FROM run) AS runs, (SELECT string_agg(id || status || coalesce(approved_at::text, '-'), ',' ORDER BY id) FROM task) AS tasks,
       (SELECT string_agg(id || status, ',' ORDER BY id) FROM approval) AS approvals, (SELECT count(*)::int FROM standing_approval) AS standing`,
    )
  )[0]

const of = (list: Held[]) => fc.nat().map((n) => list[n % list.length] as Held)
const both = fc.constantFrom<Decision>('approved', 'denied')

/** One answer that must not count, as a function that gives it. */
const attacks = () =>
  fc.oneof(
    fc.record({
      kind: fc.constant('swapped'),
      to: of(held),
      from: of([...held, ...decided, ...late, ...old]),
      decision: both,
    }),
    fc.record({
      kind: fc.constant('swapped'),
      to: of(held),
      hash: fc.stringMatching(/^[0-9a-f]{64}$/),
      decision: both,
    }),
    fc.record({ kind: fc.constant('swapped'), to: of(old), from: of(held), decision: both }),
    fc.record({ kind: fc.constant('replayed'), to: of(decided), decision: both }),
    fc.record({
      kind: fc.constant('foreign'),
      to: of(held),
      person: fc.constantFrom('elsewhere' as const, 'otherChat' as const),
      decision: both,
    }),
    fc.record({
      kind: fc.constant('foreign'),
      to: of(held),
      person: fc.constant('asker' as const),
      decision: fc.constant<Decision>('approved'),
    }),
    fc.record({ kind: fc.constant('late'), to: of([...late, ...old]), decision: both }),
  )

type Attack = ReturnType<typeof attacks> extends fc.Arbitrary<infer A> ? A : never

/** The hash it comes with. What would be swapped for itself is changed in its last place. */
function hashOf(attack: Attack): string {
  const { to } = attack
  if ('hash' in attack) return attack.hash
  if (!('from' in attack)) return to.hash
  const { hash } = attack.from
  return hash === to.hash ? `${hash.slice(0, 63)}${hash.endsWith('0') ? '1' : '0'}` : hash
}

test(`${ATTACKS} answers, swapped, replayed, foreign and late: none counts`, async () => {
  const before = await worldOf()
  const counts: Record<string, number> = {}
  const accepted: unknown[] = []
  const tryOne = async (attack: Attack, n: number): Promise<void> => {
    const { kind, to, decision } = attack
    const person = people['person' in attack ? attack.person : 'approver']
    counts[kind] = (counts[kind] ?? 0) + 1
    const planHash = hashOf(attack)
    const stands = decision === 'approved' && n % 4 === 0
    const done = stands
      ? await control.deps.db.tx((tx) =>
          approveStanding(strict(), tx, {
            approvalId: to.approvalId,
            personId: person,
            planHash,
            kind: 'command',
          }),
        )
      : await answer(to, person, decision, planHash)
    if (['decided', 'counted', 'stands'].includes(done.kind)) accepted.push({ kind, done })
  }
  const all = fc.sample(attacks(), ATTACKS)
  for (let from = 0; from < ATTACKS; from += AT_ONCE)
    await Promise.all(all.slice(from, from + AT_ONCE).map((attack, n) => tryOne(attack, n)))
  expect(accepted).toEqual([])
  expect(await worldOf()).toEqual(before)
  for (const kind of ['swapped', 'replayed', 'foreign', 'late']) expect(counts[kind]).toBeGreaterThan(50)
  expect(
    (await claimTasks(strict(), 50)).claims.every(({ runId }) => decided.some((one) => one.runId === runId)),
  ).toBe(true)
}, 60_000)

test('and the right answer still does', async () => {
  const [one] = held
  if (!one) throw new Error('nothing is held')
  expect((await answer(one, people.approver, 'approved')).kind).toBe('decided')
})
