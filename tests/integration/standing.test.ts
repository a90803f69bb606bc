import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { approveStanding } from '../../core/approvals/approveStanding.ts'
import { askAgain } from '../../core/approvals/askAgain.ts'
import { decideApproval } from '../../core/approvals/decideApproval.ts'
import { expireApprovalsOnce } from '../../core/approvals/expireApprovals.ts'
import { listStanding, revokeStanding } from '../../core/approvals/listStanding.ts'
import type { StandingKind } from '../../core/approvals/standing.ts'
import { revokeAgent } from '../../core/fleet/revokeAgent.ts'
import { setRole } from '../../core/people/people.ts'
import { cancelRun } from '../../core/runs/cancelRun.ts'
import { retryTask } from '../../core/runs/retryTask.ts'
import { claimTasks } from '../../core/scheduling/claimTasks.ts'
import { enqueueTasks } from '../../core/tasks/enqueueTasks.ts'
import { TaskRequest } from '../../core/tasks/taskRequest.ts'
import { openTestControl, type TestControl } from '../support/control.ts'
import { newDatabase, type TestDatabase } from '../support/database.ts'
import {
  accepted,
  addMachine,
  addPerson,
  approve,
  finish,
  report,
  result,
  type Step,
  started,
  startRun,
  states,
  type TestMachine,
} from '../support/fleet.ts'

let database: TestDatabase
let control: TestControl
let machine: TestMachine
let [asker, approver] = ['', '']
beforeAll(async () => {
  database = await newDatabase()
  control = await openTestControl({ databaseUrl: database.url })
  machine = await addMachine(control.deps, { name: 'laptop' })
  asker = await addPerson(control.deps, 'operator')
  approver = await addPerson(control.deps, 'approver')
})
afterAll(async () => {
  await control?.close()
  await database?.drop()
})

const touch = (name: string): Step => ({ key: 'a', command: `touch ${name}` })
const ask = (step: Step, person = asker, on = machine) => startRun(control.deps, on, [step], person)
const status = async (runId: string) => (await states(control.deps, runId)).run

async function pendingOf(runId: string) {
  const [row] = await control.deps.db.query<{ id: string; plan_hash: string }>(
    "SELECT id, plan_hash FROM approval WHERE run_id = $1 AND status = 'pending'",
    [runId],
  )
  if (!row) throw new Error('nothing is asked')
  return { approvalId: row.id, planHash: row.plan_hash }
}

const stand = async (runId: string, kind: StandingKind = 'command', personId = approver) => {
  const bound = await pendingOf(runId)
  return control.deps.db.tx((tx) => approveStanding(control.deps, tx, { ...bound, personId, kind }))
}

describe('this command here, for an hour', () => {
  test('goes on without asking when the same person asks for the same, and for nothing else', async () => {
    const first = await ask(touch('s1'))
    expect(await stand(first.id)).toEqual({ kind: 'stands', until: expect.any(Date) })
    expect(await status(first.id)).toBe('running')
    const again = await ask(touch('s1'))
    expect(await states(control.deps, again.id)).toEqual({ run: 'running', tasks: { a: 'queued' } })
    const [task] = await control.deps.db.query(
      'SELECT standing_id, approved_at FROM task WHERE run_id = $1',
      [again.id],
    )
    expect(task).toEqual({ standing_id: expect.any(String), approved_at: expect.any(Date) })
    const used = await control.deps.db.query(
      "SELECT 1 FROM event WHERE type = 'standing.used' AND run_id = $1",
      [again.id],
    )
    expect(used).toHaveLength(1)
    const other = await addMachine(control.deps, { name: 'other', machineId: machine.machineId })
    const others = await Promise.all([
      ask({ ...touch('s1'), command: 'touch s1 ' }),
      ask({ ...touch('s1'), command: 'touch s1 s2' }),
      ask({ ...touch('s1'), command: 'touch  s1' }),
      ask({ ...touch('s1'), command: 'touch s1; touch s2' }),
      ask({ ...touch('s1'), cwd: '/work/sub' }),
      ask({ ...touch('s1'), files: ['/work/s1'] }),
      ask(touch('s1'), approver),
      ask(touch('s1'), await addPerson(control.deps, 'owner')),
      ask(touch('s1'), asker, other),
      startRun(control.deps, machine, [touch('s1')], null),
      startRun(control.deps, machine, [touch('s1'), { key: 'b', command: 'touch s2' }], asker),
    ])
    expect(await Promise.all(others.map(({ id }) => status(id)))).toEqual(
      others.map(() => 'awaiting_approval'),
    )
  })

  test('is over after its hour, when revoked, and when who gave it may not decide any more', async () => {
    const { db } = control.deps
    const giver = await addPerson(control.deps, 'approver')
    const standing = async () => {
      await stand((await ask(touch('s2'))).id, 'command', giver)
      return (await listStanding(db, giver))[0]?.id ?? ''
    }
    const first = await standing()
    expect(await status((await ask(touch('s2'))).id)).toBe('running')
    await db.query(
      "UPDATE standing_approval SET expires_at = clock_timestamp() - interval '1 ms' WHERE id = $1",
      [first],
    )
    expect(await status((await ask(touch('s2'))).id)).toBe('awaiting_approval')
    const second = await standing()
    expect(await db.tx((tx) => revokeStanding(tx, second, approver, approver))).toBe(false)
    expect(await db.tx((tx) => revokeStanding(tx, second, asker, asker))).toBe(true)
    expect(await db.tx((tx) => revokeStanding(tx, second, asker, asker))).toBe(false)
    expect(await status((await ask(touch('s2'))).id)).toBe('awaiting_approval')
    await standing()
    expect(await status((await ask(touch('s2'))).id)).toBe('running')
    await setRole(db, giver, 'operator', null)
    expect(await status((await ask(touch('s2'))).id)).toBe('awaiting_approval')
    await setRole(db, giver, 'approver', null)
    await setRole(db, giver, null, null)
    expect(await status((await ask(touch('s2'))).id)).toBe('awaiting_approval')
  })

  test('revoked between approval and start: asked about instead', async () => {
    await stand((await ask(touch('s3'))).id)
    const run = await ask(touch('s3'))
    const [own] = (await listStanding(control.deps.db, approver)).filter(({ label }) => label === 'touch s3')
    await control.deps.db.tx((tx) => revokeStanding(tx, own?.id ?? '', approver, null))
    await claimTasks(control.deps, 50)
    expect((await states(control.deps, run.id)).tasks).toEqual({ a: 'held' })
    await control.deps.db.query("UPDATE attempt SET status = 'released' WHERE status = 'claimed'")
  })

  test('is never given for a critical risk, and lifts no denial', async () => {
    const { db } = control.deps
    const run = await ask(touch('s4'))
    await db.query(`UPDATE task SET verdict = jsonb_set(verdict, '{risk}', '"critical"') WHERE run_id = $1`, [
      run.id,
    ])
    expect(await stand(run.id)).toEqual({ kind: 'cannot_stand' })
    expect(await status(run.id)).toBe('awaiting_approval')
    await stand((await ask(touch('s5'))).id)
    await db.query("UPDATE standing_approval SET rule = 'another' WHERE label = 'touch s5'")
    expect(await status((await ask(touch('s5'))).id)).toBe('awaiting_approval')
    expect(await status((await ask({ key: 'a', command: 'rm -rf /' })).id)).toBe('refused')
  })

  test('with four eyes nobody lets their own requests through', async () => {
    const both = await addPerson(control.deps, 'owner')
    const run = await ask(touch('s6'), both)
    await stand(run.id, 'command', both)
    expect(await status((await ask(touch('s6'), both)).id)).toBe('running')
    const strict = { ...control.deps, settings: { ...control.deps.settings, fourEyes: true } }
    expect(await status((await startRun(strict, machine, [touch('s6')], both)).id)).toBe('awaiting_approval')
    const own = await startRun(strict, machine, [touch('s7')], both)
    const bound = await pendingOf(own.id)
    const tried = await strict.db.tx((tx) =>
      approveStanding(strict, tx, { ...bound, personId: both, kind: 'command' }),
    )
    expect(tried).toEqual({ kind: 'own_request' })
  })

  test('a plan of no playbook is not approved as one', async () => {
    const run = await ask(touch('s8'))
    expect(await stand(run.id, 'playbook')).toEqual({ kind: 'cannot_stand' })
  })
})

describe('a program that asks for the same', () => {
  let place: TestMachine
  beforeAll(async () => {
    place = await addMachine(control.deps, { name: 'for-programs' })
  })
  const enqueue = (command: string, personId: string) =>
    enqueueTasks(control.deps, {
      runId: null,
      personId,
      tasks: [
        TaskRequest.parse({
          action: 'shell',
          params: { command },
          agent_id: place.agentId,
          cwd: place.root,
          timeout_s: 60,
        }),
      ],
    })
  const run = async (command: string, personId = asker) => {
    const taken = await enqueue(command, personId)
    return taken.kind === 'enqueued' ? taken : Promise.reject(new Error(taken.kind))
  }

  test('goes on without asking, by what was approved ahead for whom it asks; nobody else, nothing else', async () => {
    const first = await run('touch p1')
    expect(first.approvalId).not.toBeNull()
    expect(await stand(first.runId)).toMatchObject({ kind: 'stands' })
    const again = await run('touch p1')
    expect(again.approvalId).toBeNull()
    expect(await states(control.deps, again.runId)).toEqual({ run: 'running', tasks: { 1: 'queued' } })
    const used = await control.deps.db.query(
      "SELECT 1 FROM event e JOIN task t ON t.id = e.task_id WHERE e.type = 'standing.used' AND e.run_id = $1 AND t.standing_id IS NOT NULL AND t.approved_at IS NOT NULL",
      [again.runId],
    )
    expect(used).toHaveLength(1)
    expect((await run('touch p1', approver)).approvalId).not.toBeNull()
    expect((await run('touch p1 p2')).approvalId).not.toBeNull()
    expect(await enqueue('rm -rf /', asker)).toMatchObject({ kind: 'denied' })
    await control.deps.db.tx((tx) => cancelRun(control.deps, tx, again.runId, null))
  })

  test('it covers what a chat asks for too, ends with its time, and is looked at again before the start', async () => {
    await stand((await run('touch p3')).runId)
    const other = await ask(touch('p3'), asker, place)
    expect(await status(other.id)).toBe('running')
    await control.deps.db.tx((tx) => cancelRun(control.deps, tx, other.id, null))
    const waiting = await run('touch p3')
    await control.deps.db.query(
      "UPDATE standing_approval SET expires_at = clock_timestamp() - interval '1 ms' WHERE label = 'touch p3'",
    )
    await claimTasks(control.deps, 50)
    expect((await states(control.deps, waiting.runId)).tasks).toEqual({ 1: 'held' })
    expect((await run('touch p3')).approvalId).not.toBeNull()
    await control.deps.db.query("UPDATE attempt SET status = 'released' WHERE status = 'claimed'")
  })
})

describe('asking again', () => {
  test('the same run and plan, a new approval; only once, and only while nothing else became of it', async () => {
    const { db } = control.deps
    const run = await ask(touch('e1'))
    const { approvalId, planHash } = await pendingOf(run.id)
    const again = () => db.tx((tx) => askAgain(control.deps, tx, approvalId, asker))
    expect(await again()).toEqual({ kind: 'not_expired' })
    await db.query('UPDATE approval SET expires_at = to_timestamp(0) WHERE id = $1', [approvalId])
    await expireApprovalsOnce(control.deps)
    expect(await status(run.id)).toBe('expired')
    const answers = await Promise.all([again(), again(), again()])
    expect(answers.map(({ kind }) => kind).sort()).toEqual(['asked', 'not_expired', 'not_expired'])
    const fresh = await pendingOf(run.id)
    expect(fresh.approvalId).not.toBe(approvalId)
    expect(fresh.planHash).toBe(planHash)
    const late = await db.tx((tx) =>
      decideApproval(control.deps, tx, { approvalId, personId: approver, decision: 'approved', planHash }),
    )
    expect(late).toMatchObject({ kind: 'already', status: 'expired' })
    await approve(control.deps, run.id)
    expect(await states(control.deps, run.id)).toEqual({ run: 'running', tasks: { a: 'queued' } })
    expect(await again()).toEqual({ kind: 'not_expired' })
  })

  test('not under another policy', async () => {
    const run = await ask(touch('e2'))
    const { approvalId } = await pendingOf(run.id)
    await control.deps.db.query('UPDATE approval SET expires_at = to_timestamp(0) WHERE id = $1', [
      approvalId,
    ])
    await expireApprovalsOnce(control.deps)
    const other = { ...control.deps, policy: { ...control.deps.policy, version: 'another' } }
    expect(await other.db.tx((tx) => askAgain(other, tx, approvalId, asker))).toMatchObject({
      kind: 'outdated',
    })
    expect(await status(run.id)).toBe('expired')
  })
})

describe('quorum and four eyes', () => {
  const strict = () => ({
    ...control.deps,
    settings: { ...control.deps.settings, fourEyes: true, approvalQuorum: 2 },
  })
  const decide = async (runId: string, personId: string) => {
    const bound = await pendingOf(runId)
    return control.deps.db.tx((tx) =>
      decideApproval(strict(), tx, { ...bound, personId, decision: 'approved' }),
    )
  }

  test('who asked does not approve, whoever else may; denying is free', async () => {
    const both = await addPerson(control.deps, 'owner')
    const run = await startRun(strict(), machine, [touch('q1')], both)
    expect(await decide(run.id, both)).toEqual({ kind: 'own_request' })
    expect((await decide(run.id, approver)).kind).toBe('decided')
    const other = await startRun(strict(), machine, [touch('q2')], both)
    const bound = await pendingOf(other.id)
    const denied = await control.deps.db.tx((tx) =>
      decideApproval(strict(), tx, { ...bound, personId: both, decision: 'denied' }),
    )
    expect(denied.kind).toBe('decided')
  })

  test('an answer goes with the role of who gave it', async () => {
    const [first, second, third] = await Promise.all([1, 2, 3].map(() => addPerson(control.deps, 'approver')))
    const run = await ask(touch('q3'))
    await control.deps.db.query('UPDATE approval SET quorum = 2 WHERE run_id = $1', [run.id])
    expect(await decide(run.id, first ?? '')).toEqual({ kind: 'counted', have: 1, need: 2 })
    await setRole(control.deps.db, first ?? '', null, null)
    expect(await decide(run.id, second ?? '')).toEqual({ kind: 'counted', have: 1, need: 2 })
    expect((await decide(run.id, third ?? '')).kind).toBe('decided')
  })

  test('a retry is no way around them: what asked is asked about anew', async () => {
    const both = await addPerson(control.deps, 'owner')
    const own = await addMachine(control.deps)
    const run = await startRun(strict(), own, [touch('q4')], both)
    await decide(run.id, approver)
    const { claims } = await claimTasks(strict(), 10)
    const claim = claims.find((one) => one.runId === run.id)
    if (!claim) throw new Error('not claimed')
    await finish(control.deps, claim, 'failed')
    await control.deps.db.tx((tx) => retryTask(strict(), tx, run.id, null, both))
    await claimTasks(strict(), 10)
    expect((await states(control.deps, run.id)).tasks).toEqual({ a: 'held' })
  })
})

describe('a machine that is revoked', () => {
  test('its work ends by the rules, what it reports is refused, and what was approved ahead there is over', async () => {
    const { db } = control.deps
    const lost = await addMachine(control.deps)
    const other = await addMachine(control.deps)
    await stand((await ask({ ...touch('r0'), cwd: '/work/r0' }, asker, lost)).id)
    const waits = await ask(touch('r1'), asker, lost)
    const mixed = await startRun(
      control.deps,
      lost,
      [
        { key: 'w', command: 'touch r2', cwd: '/work/w' },
        { key: 'r', command: 'sleep 1' },
        { key: 'c', command: 'touch r3', cwd: '/work/c' },
        { key: 'after', after: ['w'], command: 'sleep 1' },
        { key: 'there', command: 'sleep 2', machine: other },
      ],
      asker,
    )
    await approve(control.deps, mixed.id)
    const { claims } = await claimTasks(control.deps, 50)
    const of = (key: string) => {
      const claim = claims.find((one) => one.taskId === mixed.tasks[key])
      if (!claim) throw new Error(`${key} is not claimed`)
      return claim
    }
    await report(control.deps, of('w'), accepted(), started())
    await report(control.deps, of('r'), accepted(), started())
    const done = await db.tx((tx) => revokeAgent(control.deps, tx, lost.agentId, approver))
    expect(done).toMatchObject({ kind: 'revoked', runs: expect.any(Number), working: expect.any(Number) })
    expect(await status(waits.id)).toBe('cancelled')
    expect(await states(control.deps, mixed.id)).toEqual({
      run: 'running',
      tasks: { w: 'needs_review', r: 'failed', c: 'needs_review', after: 'skipped', there: 'claimed' },
    })
    const late = await report(control.deps, of('w'), result('succeeded'))
    expect(late).toMatchObject({ acks: [], unknown: [of('w').attemptId] })
    expect((await states(control.deps, mixed.id)).tasks.w).toBe('needs_review')
    expect((await listStanding(db, asker)).filter(({ agentId }) => agentId === lost.agentId)).toEqual([])
    expect(await db.tx((tx) => revokeAgent(control.deps, tx, lost.agentId, approver))).toEqual({
      kind: 'already',
    })
    expect(
      (await claimTasks(control.deps, 50)).claims.filter(({ agentId }) => agentId === lost.agentId),
    ).toEqual([])
  })
})
