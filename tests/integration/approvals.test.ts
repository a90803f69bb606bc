import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type Decision, decideApproval } from '../../core/approvals/decideApproval.ts'
import { expireApprovalsOnce } from '../../core/approvals/expireApprovals.ts'
import { revisePlan } from '../../core/planning/revisePlan.ts'
import { cancelRun } from '../../core/runs/cancelRun.ts'
import { claimTasks } from '../../core/scheduling/claimTasks.ts'
import { openTestControl, type TestControl } from '../support/control.ts'
import { newDatabase, type TestDatabase } from '../support/database.ts'
import { addMachine, addPerson, startRun, states, type TestMachine } from '../support/fleet.ts'

let database: TestDatabase
let control: TestControl
let machine: TestMachine
let people: string[]
beforeAll(async () => {
  database = await newDatabase()
  control = await openTestControl({ databaseUrl: database.url, poolSize: 16 })
  people = await Promise.all(Array.from({ length: 50 }, () => addPerson(control.deps, 'owner')))
})
afterAll(async () => {
  await control?.close()
  await database?.drop()
})

type Approval = { id: string; plan_hash: string; status: string }
let run: Awaited<ReturnType<typeof startRun>>
let approval: Approval
const approvalsOf = (runId: string) =>
  control.deps.db.query<Approval>(
    'SELECT id, plan_hash, status FROM approval WHERE run_id = $1 ORDER BY created_at',
    [runId],
  )
beforeEach(async () => {
  machine = await addMachine(control.deps)
  run = await startRun(control.deps, machine, [
    { key: 'a', command: 'touch a' },
    { key: 'b', after: ['a'], command: 'touch b' },
  ])
  approval = (await approvalsOf(run.id))[0] as Approval
})

const decide = (decision: Decision, person = people[0] ?? '', hash = approval.plan_hash, id = approval.id) =>
  control.deps.db.tx((tx) =>
    decideApproval(control.deps, tx, { approvalId: id, personId: person, decision, planHash: hash }),
  )

describe('deciding', () => {
  test('nothing can be claimed before', async () => {
    expect(await states(control.deps, run.id)).toEqual({
      run: 'awaiting_approval',
      tasks: { a: 'held', b: 'held' },
    })
    expect((await claimTasks(control.deps, 50)).claims).toEqual([])
  })

  test('50 answers at once, half of them no: exactly one decides, and the rest are told which', async () => {
    const answers = await Promise.all(
      people.map((person, i) => decide(i % 2 ? 'denied' : 'approved', person)),
    )
    const deciding = answers.filter((a) => a.kind === 'decided')
    expect(deciding).toHaveLength(1)
    expect(answers.filter((a) => a.kind === 'already')).toHaveLength(49)
    const status = deciding[0]?.kind === 'decided' ? deciding[0].status : ''
    for (const answer of answers) if (answer.kind === 'already') expect(answer.status).toBe(status)
    expect(
      await control.deps.db.query('SELECT 1 FROM approval_decision WHERE approval_id = $1', [approval.id]),
    ).toHaveLength(1)
    expect((await states(control.deps, run.id)).run).toBe(status === 'approved' ? 'running' : 'denied')
    const told = await control.deps.db.query(
      "SELECT 1 FROM event WHERE approval_id = $1 AND type IN ('approval.approved', 'approval.denied')",
      [approval.id],
    )
    expect(told).toHaveLength(1)
  })

  test('approved: what needs nothing is queued, the rest blocked; who and when are kept', async () => {
    expect(await decide('approved')).toEqual({ kind: 'decided', status: 'approved', runId: run.id })
    expect(await states(control.deps, run.id)).toEqual({
      run: 'running',
      tasks: { a: 'queued', b: 'blocked' },
    })
    expect(await decide('denied')).toMatchObject({
      kind: 'already',
      status: 'approved',
      by: expect.stringContaining('Person'),
      at: expect.any(Date),
    })
  })

  test('denied: everything ends, nothing ran', async () => {
    await decide('denied')
    expect(await states(control.deps, run.id)).toEqual({
      run: 'denied',
      tasks: { a: 'cancelled', b: 'cancelled' },
    })
  })

  test('an answer to another plan, a late one, and one to nothing change nothing', async () => {
    expect(await decide('approved', people[0], 'f'.repeat(64))).toEqual({ kind: 'other_plan' })
    expect(await decide('approved', people[0], approval.plan_hash, crypto.randomUUID())).toEqual({
      kind: 'unknown',
    })
    await control.deps.db.query('UPDATE approval SET expires_at = to_timestamp(0) WHERE id = $1', [
      approval.id,
    ])
    expect(await decide('approved')).toEqual({ kind: 'expired' })
    expect((await states(control.deps, run.id)).run).toBe('awaiting_approval')
    expect(
      await control.deps.db.query('SELECT 1 FROM approval_decision WHERE approval_id = $1', [approval.id]),
    ).toEqual([])
  })

  test('a quorum counts people, not taps', async () => {
    await control.deps.db.query('UPDATE approval SET quorum = 2 WHERE id = $1', [approval.id])
    expect(await decide('approved', people[0])).toEqual({ kind: 'counted', have: 1, need: 2 })
    expect(await decide('approved', people[0])).toEqual({ kind: 'counted', have: 1, need: 2 })
    expect((await decide('approved', people[1])).kind).toBe('decided')
  })

  test('against a cancel at the same moment: one of both, never half of each', async () => {
    for (let i = 0; i < 10; i++) {
      const each = await startRun(control.deps, machine, [{ key: 'a', command: 'touch a' }])
      const [own] = await approvalsOf(each.id)
      const [answer] = await Promise.all([
        decide('approved', people[i], own?.plan_hash, own?.id),
        control.deps.db.tx((tx) => cancelRun(control.deps, tx, each.id, null)),
      ])
      expect(['decided', 'already']).toContain(answer.kind)
      expect(await states(control.deps, each.id)).toEqual({ run: 'cancelled', tasks: { a: 'cancelled' } })
    }
  })
})

describe('time', () => {
  test('half of it: one reminder; all of it: expired, by however many ticks at once', async () => {
    const { db } = control.deps
    await db.query(
      "UPDATE approval SET created_at = created_at - interval '13 h', expires_at = expires_at - interval '13 h' WHERE id = $1",
      [approval.id],
    )
    await Promise.all([expireApprovalsOnce(control.deps), expireApprovalsOnce(control.deps)])
    expect(
      await db.query("SELECT 1 FROM event WHERE approval_id = $1 AND type = 'approval.reminder'", [
        approval.id,
      ]),
    ).toHaveLength(1)
    expect((await states(control.deps, run.id)).run).toBe('awaiting_approval')
    await db.query("UPDATE approval SET expires_at = expires_at - interval '12 h' WHERE id = $1", [
      approval.id,
    ])
    await Promise.all([
      expireApprovalsOnce(control.deps),
      expireApprovalsOnce(control.deps),
      decide('approved'),
    ])
    expect((await states(control.deps, run.id)).run).toBe('expired')
    expect((await decide('approved')).kind).toBe('already')
  })

  test('a question asked while the run goes on: without an answer its step is left out and the run ends', async () => {
    const { db } = control.deps
    await decide('approved')
    await db.query("UPDATE task SET approved_at = approved_at - interval '25 h' WHERE run_id = $1", [run.id])
    await claimTasks(control.deps, 50)
    const [, second] = await approvalsOf(run.id)
    expect(second?.status).toBe('pending')
    await db.query(
      "UPDATE approval SET created_at = created_at - interval '2 d', expires_at = to_timestamp(0) WHERE id = $1",
      [second?.id],
    )
    await expireApprovalsOnce(control.deps)
    expect(await states(control.deps, run.id)).toEqual({
      run: 'failed',
      tasks: { a: 'cancelled', b: 'skipped' },
    })
  })
})

test('revised: the old question is superseded, its answer changes nothing, the new one is bound to the new hash', async () => {
  const { db } = control.deps
  expect(
    await db.tx((tx) => revisePlan(control.deps, tx, run.id, { kind: 'drop', key: 'b' }, people[0] ?? '')),
  ).toBe('revised')
  const [old, next] = await approvalsOf(run.id)
  expect([old?.status, next?.status]).toEqual(['superseded', 'pending'])
  expect(next?.plan_hash).not.toBe(old?.plan_hash)
  expect((await decide('approved')).kind).toBe('already')
  expect(await decide('approved', people[0], approval.plan_hash, next?.id)).toEqual({ kind: 'other_plan' })
  expect((await decide('approved', people[0], next?.plan_hash, next?.id)).kind).toBe('decided')
  expect(
    await db.query("SELECT key, status FROM task WHERE run_id = $1 AND status <> 'cancelled'", [run.id]),
  ).toEqual([{ key: 'a', status: 'queued' }])
  expect(
    await db.tx((tx) => revisePlan(control.deps, tx, run.id, { kind: 'drop', key: 'a' }, people[0] ?? '')),
  ).toBe('too_late')
})

test('it survives a restart of everything that holds no ledger', async () => {
  await control.close()
  control = await openTestControl({ databaseUrl: database.url, secrets: control.secrets, poolSize: 16 })
  expect((await decide('approved')).kind).toBe('decided')
})
