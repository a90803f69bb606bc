import { randomUUID } from 'node:crypto'
import fc from 'fast-check'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { cancelAttempts, forceCancelOnce } from '../../core/dispatch/cancelAttempts.ts'
import { dispatchTasks } from '../../core/dispatch/dispatchTasks.ts'
import { disconnectSilentOnce } from '../../core/fleet/registerGateway.ts'
import { registerWorker } from '../../core/fleet/registerWorker.ts'
import { grantFault, readPublicKey } from '../../core/protocol/grants.ts'
import type { Wake } from '../../core/queue/jobs.ts'
import { cancelRun, pauseRun, resumeRun } from '../../core/runs/cancelRun.ts'
import { retryTask } from '../../core/runs/retryTask.ts'
import { reviewTask } from '../../core/runs/reviewTask.ts'
import { AGENT_SLOTS, type Claim, claimTasks } from '../../core/scheduling/claimTasks.ts'
import { reapClaimsOnce, reapSilentOnce } from '../../core/scheduling/reap.ts'
import { settleDependent } from '../../workers/handlers/settle.ts'
import { openTestControl, type TestControl } from '../support/control.ts'
import { newDatabase, type TestDatabase } from '../support/database.ts'
import {
  accepted,
  actual,
  addMachine,
  addPerson,
  approve,
  exited,
  FakeGateway,
  factsOf,
  finish,
  framesOf,
  log,
  lostFrame,
  refusedFrame,
  replayed,
  report,
  result,
  type Step,
  send,
  started,
  startRun,
  states,
  type TestMachine,
} from '../support/fleet.ts'

let database: TestDatabase
let control: TestControl
let gateway: FakeGateway
beforeAll(async () => {
  database = await newDatabase()
  control = await openTestControl({ databaseUrl: database.url, poolSize: 16 })
})
afterAll(async () => {
  await control?.close()
  await database?.drop()
})
let machine: TestMachine
beforeEach(async () => {
  gateway = await new FakeGateway().start()
  machine = await addMachine(control.deps, { gatewayUrl: gateway.url })
})
afterEach(async () => {
  await gateway.stop()
  await control.deps.db.query('UPDATE agent SET connected = false')
})

const claim = async (limit = 50): Promise<Claim[]> => (await claimTasks(control.deps, limit)).claims
async function claimOne(): Promise<Claim> {
  const [one, ...more] = await claim()
  if (!one || more.length > 0)
    throw new Error(`${more.length + (one ? 1 : 0)} tasks were claimed instead of one`)
  return one
}
const keysOf = async (claims: Claim[]): Promise<string[]> => {
  const rows = await control.deps.db.query<{ key: string }>(
    'SELECT key FROM task WHERE id = ANY($1::uuid[]) ORDER BY key',
    [claims.map((c) => c.taskId)],
  )
  return rows.map((r) => r.key)
}
const cancel = (runId: string) => control.deps.db.tx((tx) => cancelRun(control.deps, tx, runId, null))

describe('claiming', () => {
  test('goes by the graph: what can run at once does, the rest after what it needs', async () => {
    const run = await startRun(control.deps, machine, [
      { key: 'a' },
      { key: 'b' },
      { key: 'c', after: ['a', 'b'] },
      { key: 'd', after: ['a'] },
      { key: 'e', after: ['c', 'd'] },
    ])
    const first = await claim()
    expect(await keysOf(first)).toEqual(['a', 'b'])
    const a = first.find((c) => c.taskId === run.tasks.a)
    const b = first.find((c) => c.taskId === run.tasks.b)
    await finish(control.deps, a as Claim)
    const second = await claim()
    expect(await keysOf(second)).toEqual(['d'])
    await finish(control.deps, second[0] as Claim)
    expect(await claim()).toEqual([])
    await finish(control.deps, b as Claim)
    await finish(control.deps, await claimOne())
    await finish(control.deps, await claimOne())
    expect(await states(control.deps, run.id)).toEqual({
      run: 'succeeded',
      tasks: { a: 'succeeded', b: 'succeeded', c: 'succeeded', d: 'succeeded', e: 'succeeded' },
    })
  })

  test('a step that fails skips what follows from it; what does not goes on; then the run fails', async () => {
    const run = await startRun(control.deps, machine, [
      { key: 'a' },
      { key: 'b', after: ['a'] },
      { key: 'c', after: ['b'] },
      { key: 'd' },
    ])
    const first = await claim()
    await finish(control.deps, first.find((c) => c.taskId === run.tasks.a) as Claim, 'failed')
    expect(await states(control.deps, run.id)).toMatchObject({
      run: 'running',
      tasks: { b: 'skipped', c: 'skipped', d: 'claimed' },
    })
    await finish(control.deps, first.find((c) => c.taskId === run.tasks.d) as Claim)
    expect((await states(control.deps, run.id)).run).toBe('failed')
    const person = await addPerson(control.deps, 'owner')
    expect(await control.deps.db.tx((tx) => retryTask(control.deps, tx, run.id, null, person))).toEqual(['a'])
    expect(await states(control.deps, run.id)).toMatchObject({
      run: 'running',
      tasks: { a: 'queued', b: 'blocked', c: 'blocked' },
    })
    for (let i = 0; i < 3; i++) await finish(control.deps, await claimOne())
    expect((await states(control.deps, run.id)).run).toBe('succeeded')
  })

  test('by six schedulers at once never gives a task, a file or a slot to two', async () => {
    const steps: Step[] = Array.from({ length: 24 }, (_, i) => ({
      key: `t${i}`,
      command: 'touch x',
      files: [`/work/f${i % 4}`],
    }))
    const other = await addMachine(control.deps, { machineId: machine.machineId, gatewayUrl: gateway.url })
    const run = await startRun(
      control.deps,
      machine,
      steps.map((s, i) => ({ ...s, machine: i % 2 ? machine : other })),
    )
    await approve(control.deps, run.id)
    const ended = new Set<string>()
    for (let round = 0; round < 12 && ended.size < 24; round++) {
      const claims = (await Promise.all(Array.from({ length: 6 }, () => claim(10)))).flat()
      expect(new Set(claims.map((c) => c.taskId)).size).toBe(claims.length)
      const files = claims.flatMap((c) => c.spec.required_files)
      expect(new Set(files).size).toBe(files.length)
      expect(claims.length).toBeLessThanOrEqual(4)
      await Promise.all(claims.map((c) => finish(control.deps, c)))
      for (const c of claims) ended.add(c.taskId)
    }
    expect(ended.size).toBe(24)
    expect((await states(control.deps, run.id)).run).toBe('succeeded')
    expect(await control.deps.db.query('SELECT 1 FROM file_ownership')).toEqual([])
  })

  test('an agent holds a number of attempts at a time', async () => {
    const run = await startRun(
      control.deps,
      machine,
      Array.from({ length: AGENT_SLOTS + 4 }, (_, i) => ({ key: `t${i}` })),
    )
    const first = await claim()
    expect(first).toHaveLength(AGENT_SLOTS)
    expect(await claim()).toEqual([])
    await finish(control.deps, first[0] as Claim)
    expect(await claim()).toHaveLength(1)
    await cancel(run.id)
  })

  test('gives what failed while its run was paused, once it is tried again', async () => {
    const { deps } = control
    const run = await startRun(deps, machine, [{ key: 'a' }])
    const person = await addPerson(deps, 'owner')
    const one = await claimOne()
    await deps.db.tx((tx) => pauseRun(deps, tx, run.id, person))
    await finish(deps, one, 'failed')
    expect((await states(deps, run.id)).run).toBe('failed')
    await deps.db.tx((tx) => retryTask(deps, tx, run.id, null, person))
    expect((await claimOne()).taskId).toBe(run.tasks.a)
    await cancel(run.id)
  })

  test('gives nothing of a paused run, nor to an agent that is away or revoked, nor before its time', async () => {
    const { db } = control.deps
    const person = await addPerson(control.deps, 'owner')
    const run = await startRun(control.deps, machine, [{ key: 'a' }])
    await db.tx((tx) => pauseRun(control.deps, tx, run.id, person))
    expect(await claim()).toEqual([])
    await db.tx((tx) => resumeRun(control.deps, tx, run.id, person))
    await db.query('UPDATE agent SET connected = false WHERE id = $1', [machine.agentId])
    expect(await claim()).toEqual([])
    await db.query('UPDATE agent SET connected = true, revoked_at = now() WHERE id = $1', [machine.agentId])
    expect(await claim()).toEqual([])
    await db.query('UPDATE agent SET revoked_at = NULL WHERE id = $1', [machine.agentId])
    await db.query("UPDATE task SET not_before = clock_timestamp() + interval '1 h' WHERE run_id = $1", [
      run.id,
    ])
    expect(await claim()).toEqual([])
    await db.query('UPDATE task SET not_before = NULL WHERE run_id = $1', [run.id])
    await finish(control.deps, await claimOne())
  })

  test('mints a grant for exactly that attempt, which its agent verifies', async () => {
    await startRun(control.deps, machine, [{ key: 'a' }])
    const one = await claimOne()
    const key = readPublicKey(control.controlKey)
    const want = {
      spec: one.spec,
      executionId: one.attemptId,
      agentId: machine.agentId,
      machineId: machine.machineId,
      now: new Date(),
    }
    expect(grantFault(one.grant, want, key)).toBeNull()
    expect(grantFault(one.grant, { ...want, executionId: randomUUID() }, key)).toBe('other_attempt')
    expect(
      grantFault(one.grant, { ...want, spec: { ...one.spec, params: { command: 'rm -rf /' } } }, key),
    ).toBe('other_spec')
    await finish(control.deps, one)
  })

  test('asks policy again: what it denies now fails, what was approved a day ago is asked again', async () => {
    const { deps } = control
    const denied = await startRun(deps, machine, [{ key: 'a', command: 'touch x' }])
    await approve(deps, denied.id)
    const settling: string[] = []
    const wake: Wake = (name, payload) => {
      if (name === 'run.settle' && 'runId' in payload) settling.push(payload.runId)
    }
    await claimTasks({ ...deps, wake, settings: { ...deps.settings, denyPaths: ['/work'] } }, 10)
    expect(settling).toEqual([denied.id])
    await settleDependent(deps, { runId: denied.id })
    expect(await states(deps, denied.id)).toEqual({ run: 'failed', tasks: { a: 'failed' } })
    const stale = await startRun(deps, machine, [{ key: 'a', command: 'touch y' }])
    await approve(deps, stale.id)
    await deps.db.query("UPDATE task SET approved_at = approved_at - interval '25 h' WHERE run_id = $1", [
      stale.id,
    ])
    expect(await claim()).toEqual([])
    expect(await states(deps, stale.id)).toEqual({ run: 'running', tasks: { a: 'held' } })
    await approve(deps, stale.id)
    await finish(deps, await claimOne())
    expect((await states(deps, stale.id)).run).toBe('succeeded')
  })
})

describe('files', () => {
  test('a directory owns what is below it, on its machine only; what only reads owns nothing', async () => {
    const elsewhere = await addMachine(control.deps, { gatewayUrl: gateway.url })
    const run = await startRun(control.deps, machine, [
      { key: 'a', command: 'touch x', files: ['/work/api'] },
      { key: 'b', command: 'touch x', files: ['/work/api/src/x.ts'] },
      { key: 'c', command: 'touch x', files: ['/work/api2'] },
      { key: 'd', command: 'touch x', cwd: '/work' },
      { key: 'e' },
      { key: 'f', command: 'touch x', files: ['/work/api'], machine: elsewhere },
    ])
    await approve(control.deps, run.id)
    const first = await claim()
    expect(await keysOf(first)).toEqual(['a', 'c', 'e', 'f'])
    await finish(control.deps, first.find((c) => c.taskId === run.tasks.a) as Claim)
    const second = await claim()
    expect(await keysOf(second)).toEqual(['b'])
    for (const c of [...first.filter((x) => x.taskId !== run.tasks.a), ...second])
      await finish(control.deps, c)
    expect(await keysOf(await claim())).toEqual(['d'])
    await cancel(run.id)
  })

  test('whatever the paths, two tasks whose files touch are never claimed together', async () => {
    const segment = fc.constantFrom('a', 'b', 'ab', 'a b', '%', '_')
    const path = fc.array(segment, { minLength: 1, maxLength: 3 }).map((s) => `/work/${s.join('/')}`)
    const touches = (x: string, y: string) => x === y || x.startsWith(`${y}/`) || y.startsWith(`${x}/`)
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(path, { minLength: 1, maxLength: 3 }), { minLength: 2, maxLength: 6 }),
        async (lists) => {
          const run = await startRun(
            control.deps,
            machine,
            lists.map((files, i) => ({ key: `t${i}`, command: 'touch x', files: [...new Set(files)] })),
          )
          await approve(control.deps, run.id)
          const claims = (await Promise.all([claim(), claim()])).flat()
          const owned = claims.map((c) => c.spec.required_files)
          for (const [i, mine] of owned.entries())
            for (const theirs of owned.slice(i + 1))
              expect(mine.some((x) => theirs.some((y) => touches(x, y)))).toBe(false)
          expect(claims.length).toBeGreaterThan(0)
          for (const c of claims) await finish(control.deps, c)
          await cancel(run.id)
        },
      ),
      { numRuns: 15 },
    )
  })
})

describe('fencing', () => {
  test('a late holder changes nothing: neither start, nor result, nor the files of the one that follows', async () => {
    const { deps } = control
    const run = await startRun(deps, machine, [{ key: 'a', command: 'touch x', files: ['/work/x'] }])
    await approve(deps, run.id)
    const old = await claimOne()
    await report(deps, old, accepted(), started())
    await report(deps, old, lostFrame())
    expect((await states(deps, run.id)).tasks.a).toBe('needs_review')
    const person = await addPerson(deps, 'owner')
    await deps.db.tx((tx) =>
      reviewTask(deps, tx, { runId: run.id, taskId: run.tasks.a ?? '' }, 'again', person),
    )
    const next = await claimOne()
    expect(next.claimToken).not.toBe(old.claimToken)
    await report(deps, next, accepted(), started())
    for (const late of [
      result('succeeded'),
      result('failed'),
      lostFrame(),
      exited(),
      started(),
      refusedFrame('busy'),
    ])
      await report(deps, old, late)
    expect((await states(deps, run.id)).tasks.a).toBe('running')
    expect(await deps.db.query('SELECT path FROM file_ownership WHERE task_id = $1', [next.taskId])).toEqual([
      { path: '/work/x' },
    ])
    await report(deps, next, result('succeeded'), exited())
    expect((await states(deps, run.id)).run).toBe('succeeded')
  })

  test('another agent cannot report on an attempt that is not its own', async () => {
    const other = await addMachine(control.deps)
    const run = await startRun(control.deps, machine, [{ key: 'a' }])
    const one = await claimOne()
    const answer = await send(
      control.deps,
      { ...one, agentId: other.agentId },
      framesOf(one.attemptId, [accepted(), started(), result('succeeded')]),
    )
    expect(answer).toEqual({ acks: [], unknown: [one.attemptId] })
    expect((await states(control.deps, run.id)).tasks.a).toBe('claimed')
    await finish(control.deps, one)
  })

  test('a claim that starts after it was given up is told to die', async () => {
    const run = await startRun(control.deps, machine, [{ key: 'a' }])
    const one = await claimOne()
    await control.deps.db.query("UPDATE task SET claim_token = 'x' WHERE id = $1", [one.taskId])
    await report(control.deps, one, accepted(), started())
    const [row] = await control.deps.db.query<{ cancel_at: Date | null }>(
      'SELECT cancel_at FROM attempt WHERE id = $1',
      [one.attemptId],
    )
    expect(row?.cancel_at).not.toBeNull()
    await control.deps.db.query('UPDATE task SET claim_token = $2 WHERE id = $1', [
      one.taskId,
      one.claimToken,
    ])
    await cancel(run.id)
    await report(control.deps, one, result('cancelled'), exited())
  })
})

describe('frames', () => {
  test('whatever the order, the repetitions and the gaps, the ledger ends with each once', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(fc.integer({ min: 1, max: 8 }), { minLength: 1, maxLength: 8 }), { maxLength: 12 }),
        async (batches) => {
          const run = await startRun(control.deps, machine, [{ key: 'a' }])
          const one = await claimOne()
          const all = framesOf(one.attemptId, [
            accepted(),
            started(),
            log('1'),
            log('2'),
            log('3'),
            log('4'),
            result('succeeded'),
            exited(),
          ])
          let known = 0
          for (const batch of [...batches, ...all.map((f) => [f.seq])]) {
            const frames = batch.map((seq) => all[seq - 1] as (typeof all)[number])
            const { acks } = await send(control.deps, one, frames)
            expect(acks[0]?.seq).toBeGreaterThanOrEqual(known)
            known = acks[0]?.seq ?? 0
          }
          expect(known).toBe(8)
          const [logs] = await control.deps.db.query<{ text: string }>(
            "SELECT string_agg(text, '' ORDER BY seq) AS text FROM log_chunk WHERE attempt_id = $1",
            [one.attemptId],
          )
          expect(logs?.text).toBe('1234')
          expect((await states(control.deps, run.id)).run).toBe('succeeded')
          const told = await control.deps.db.query(
            "SELECT 1 FROM event WHERE attempt_id = $1 AND type = 'attempt.exited'",
            [one.attemptId],
          )
          expect(told).toHaveLength(1)
        },
      ),
      { numRuns: 25 },
    )
  })

  test('the same report ten times at once counts once', async () => {
    const run = await startRun(control.deps, machine, [{ key: 'a' }, { key: 'b', after: ['a'] }])
    const one = await claimOne()
    const frames = framesOf(one.attemptId, [accepted(), started(), log('x'), result('succeeded'), exited()])
    await Promise.all(Array.from({ length: 10 }, () => send(control.deps, one, frames)))
    expect(await states(control.deps, run.id)).toEqual({
      run: 'running',
      tasks: { a: 'succeeded', b: 'queued' },
    })
    expect(
      await control.deps.db.query('SELECT 1 FROM log_chunk WHERE attempt_id = $1', [one.attemptId]),
    ).toHaveLength(1)
    await finish(control.deps, await claimOne())
  })

  test('odd output is kept: NUL, lone surrogates', async () => {
    const run = await startRun(control.deps, machine, [{ key: 'a' }])
    const one = await claimOne()
    await report(
      control.deps,
      one,
      accepted(),
      started(),
      log('a\0b\ud800'),
      result('succeeded', 'a\0b\udfff'),
      exited(),
    )
    expect((await states(control.deps, run.id)).run).toBe('succeeded')
  })
})

describe('delivery of claims', () => {
  test('a claim that surely did not arrive is given back at once, and claimable a second later', async () => {
    gateway.answer = () => 503
    const run = await startRun(control.deps, machine, [{ key: 'a', command: 'touch x', files: ['/work/x'] }])
    await approve(control.deps, run.id)
    await dispatchTasks(control.deps)
    expect(await states(control.deps, run.id)).toEqual({ run: 'running', tasks: { a: 'queued' } })
    expect(
      await control.deps.db.query('SELECT 1 FROM file_ownership WHERE task_id = $1', [run.tasks.a]),
    ).toEqual([])
    expect(await claim()).toEqual([])
    await control.deps.db.query('UPDATE task SET not_before = to_timestamp(0) WHERE run_id = $1', [run.id])
    gateway.answer = () => 202
    await dispatchTasks(control.deps)
    expect((await states(control.deps, run.id)).tasks.a).toBe('claimed')
    await cancel(run.id)
  })

  test('a claim whose answer was lost is sent again as it is once its lease lapses, never under a new token', async () => {
    await control.deps.db.query("UPDATE task SET lease_until = 'infinity' WHERE status = 'claimed'")
    gateway.answer = () => 0
    const run = await startRun(control.deps, machine, [{ key: 'a' }])
    await dispatchTasks(control.deps)
    expect((await states(control.deps, run.id)).tasks.a).toBe('claimed')
    expect(await reapClaimsOnce(control.deps)).toBe(0)
    for (const status of [503, 0, 202]) {
      gateway.answer = () => status
      await control.deps.db.query('UPDATE task SET lease_until = to_timestamp(0) WHERE run_id = $1', [run.id])
      expect(
        (await Promise.all([reapClaimsOnce(control.deps), reapClaimsOnce(control.deps)])).reduce(
          (a, b) => a + b,
        ),
      ).toBe(1)
    }
    expect((await states(control.deps, run.id)).tasks.a).toBe('claimed')
    expect(gateway.actions.length).toBeGreaterThanOrEqual(4)
    expect(new Set(gateway.actions.map((a) => a.claim_token)).size).toBe(1)
    const [attempt] = await control.deps.db.query<{ id: string }>(
      'SELECT id FROM attempt WHERE task_id = $1',
      [run.tasks.a],
    )
    await finish(control.deps, { attemptId: attempt?.id ?? '', agentId: machine.agentId })
    expect((await states(control.deps, run.id)).run).toBe('succeeded')
  })

  test('once its grant has run out the claim is given up, and the task claimed anew, a few times', async () => {
    gateway.answer = () => 0
    const run = await startRun(control.deps, machine, [{ key: 'a' }])
    for (const state of ['queued', 'queued', 'failed_timeout']) {
      await dispatchTasks(control.deps)
      await control.deps.db.query(
        "UPDATE attempt SET claimed_at = claimed_at - interval '32 min' WHERE task_id = $1",
        [run.tasks.a],
      )
      await control.deps.db.query(
        'UPDATE task SET lease_until = to_timestamp(0) WHERE run_id = $1 AND lease_until IS NOT NULL',
        [run.id],
      )
      await reapClaimsOnce(control.deps)
      expect((await states(control.deps, run.id)).tasks.a).toBe(state)
      await control.deps.db.query('UPDATE task SET not_before = NULL WHERE run_id = $1', [run.id])
      await control.deps.db.query('UPDATE gateway SET failures = 0, success_rate = 1, open_until = NULL')
    }
    expect((await states(control.deps, run.id)).run).toBe('failed')
  })

  test('once accepted, a lapse means nothing', async () => {
    const run = await startRun(control.deps, machine, [{ key: 'a' }])
    await dispatchTasks(control.deps)
    const [row] = await control.deps.db.query<{ id: string }>('SELECT id FROM attempt WHERE task_id = $1', [
      run.tasks.a,
    ])
    await report(control.deps, { attemptId: row?.id ?? '', agentId: machine.agentId }, accepted())
    const [task] = await control.deps.db.query<{ lease_until: Date | null }>(
      'SELECT lease_until FROM task WHERE id = $1',
      [run.tasks.a],
    )
    expect(task?.lease_until).toBeNull()
    expect(await reapClaimsOnce(control.deps)).toBe(0)
    await finish(control.deps, { attemptId: row?.id ?? '', agentId: machine.agentId })
  })

  test.each([
    ['busy', 'queued'],
    ['bad_grant', 'failed'],
  ])('refused by the agent as %s: %s', async (code, state) => {
    const run = await startRun(control.deps, machine, [{ key: 'a', command: 'touch x' }])
    await approve(control.deps, run.id)
    const one = await claimOne()
    await report(control.deps, one, refusedFrame(code), exited())
    expect((await states(control.deps, run.id)).tasks.a).toBe(state)
    expect(
      await control.deps.db.query('SELECT 1 FROM file_ownership WHERE task_id = $1', [one.taskId]),
    ).toEqual([])
    await cancel(run.id)
  })
})

describe('loss', () => {
  const hello = (attempts: { execution_id: string; state: 'alive' | 'unacknowledged' }[]) =>
    registerWorker(control.deps, {
      gateway_id: machine.gatewayId,
      agent_id: machine.agentId,
      credential: machine.credential,
      hello: true,
      facts: factsOf(machine),
      attempts,
    })

  test.each([
    ['sleep 1', 'queued'],
    ['touch x', 'needs_review'],
  ])('an attempt that the hello does not list: %s is %s', async (command, state) => {
    const run = await startRun(control.deps, machine, [{ key: 'a', command }])
    await approve(control.deps, run.id)
    const one = await claimOne()
    await report(control.deps, one, accepted(), started())
    await hello([{ execution_id: one.attemptId, state: 'alive' }])
    expect((await states(control.deps, run.id)).tasks.a).toBe('running')
    await hello([])
    expect((await states(control.deps, run.id)).tasks.a).toBe(state)
    await cancel(run.id)
    expect((await states(control.deps, run.id)).run).toBe('cancelled')
  })

  test('what only reads is repeated a few times, not for ever', async () => {
    const run = await startRun(control.deps, machine, [{ key: 'a' }])
    for (let i = 0; i < 3; i++)
      await report(control.deps, await claimOne(), accepted(), started(), lostFrame(), exited())
    expect(await states(control.deps, run.id)).toEqual({ run: 'failed', tasks: { a: 'failed_timeout' } })
  })

  test('a silent agent: its work is left alone for a while, then reviewed; heard of again it goes on; a late result settles it', async () => {
    const { deps } = control
    const run = await startRun(deps, machine, [{ key: 'a', command: 'touch x' }])
    await approve(deps, run.id)
    const one = await claimOne()
    await report(deps, one, accepted(), started())
    const silence = async (minutes: number) => {
      await deps.db.query(
        "UPDATE agent SET last_seen_at = clock_timestamp() - $2 * interval '1 min', disconnected_at = NULL WHERE id = $1",
        [machine.agentId, minutes],
      )
      await disconnectSilentOnce(deps)
      await reapSilentOnce(deps)
    }
    await silence(1)
    expect((await states(deps, run.id)).tasks.a).toBe('running')
    await deps.db.query('UPDATE agent SET connected = true WHERE id = $1', [machine.agentId])
    await silence(11)
    expect((await states(deps, run.id)).tasks.a).toBe('needs_review')
    const back = await hello([{ execution_id: one.attemptId, state: 'alive' }])
    expect(back).toMatchObject({ kind: 'registered', cancel: [] })
    expect((await states(deps, run.id)).tasks.a).toBe('running')
    await silence(11)
    expect((await states(deps, run.id)).tasks.a).toBe('needs_review')
    await report(deps, one, result('succeeded'), exited())
    expect(await states(deps, run.id)).toEqual({ run: 'succeeded', tasks: { a: 'succeeded' } })
  })

  test('what only reads is not repeated for ever on a machine that falls silent each time', async () => {
    const { deps } = control
    const run = await startRun(deps, machine, [{ key: 'a' }])
    for (const state of ['queued', 'queued', 'failed_timeout']) {
      const one = await claimOne()
      await report(deps, one, accepted(), started())
      await deps.db.query(
        "UPDATE agent SET connected = false, disconnected_at = clock_timestamp() - interval '11 min' WHERE id = $1",
        [machine.agentId],
      )
      await reapSilentOnce(deps)
      expect((await states(deps, run.id)).tasks.a).toBe(state)
      await deps.db.query('UPDATE agent SET connected = true WHERE id = $1', [machine.agentId])
    }
    expect((await states(deps, run.id)).run).toBe('failed')
  })

  test('a silent agent whose work was given to a new attempt is told to end the old one', async () => {
    const { deps } = control
    const run = await startRun(deps, machine, [{ key: 'a' }])
    const one = await claimOne()
    await report(deps, one, accepted(), started())
    await deps.db.query(
      "UPDATE agent SET connected = false, disconnected_at = clock_timestamp() - interval '11 min' WHERE id = $1",
      [machine.agentId],
    )
    await reapSilentOnce(deps)
    expect((await states(deps, run.id)).tasks.a).toBe('queued')
    expect(await hello([{ execution_id: one.attemptId, state: 'alive' }])).toMatchObject({
      cancel: [one.attemptId],
    })
    await cancel(run.id)
  })

  test('cancelled while silent and unknown: not said to have stopped before that is confirmed', async () => {
    const { deps } = control
    const run = await startRun(deps, machine, [{ key: 'a', command: 'touch x' }])
    await approve(deps, run.id)
    const one = await claimOne()
    await report(deps, one, accepted(), started())
    await deps.db.query(
      "UPDATE agent SET connected = false, disconnected_at = clock_timestamp() - interval '11 min' WHERE id = $1",
      [machine.agentId],
    )
    await reapSilentOnce(deps)
    expect(await cancel(run.id)).toEqual({ kind: 'cancelling' })
    await deps.db.query("UPDATE attempt SET cancel_at = cancel_at - interval '6 s' WHERE id = $1", [
      one.attemptId,
    ])
    await forceCancelOnce(deps)
    expect(await states(deps, run.id)).toEqual({ run: 'force_cancelled', tasks: { a: 'force_cancelled' } })
    expect(await hello([{ execution_id: one.attemptId, state: 'alive' }])).toMatchObject({
      cancel: [one.attemptId],
    })
    await report(deps, one, result('cancelled'), exited())
    expect((await states(deps, run.id)).run).toBe('cancelled')
  })
})

describe('cancelling', () => {
  const until: Record<string, (runId: string) => Promise<Claim | null>> = {
    held: async () => null,
    queued: async (id) => {
      await approve(control.deps, id)
      return null
    },
    claimed: async (id) => {
      await approve(control.deps, id)
      return claimOne()
    },
    running: async (id) => {
      await approve(control.deps, id)
      const one = await claimOne()
      await report(control.deps, one, accepted(), started())
      return one
    },
    needs_review: async (id) => {
      await approve(control.deps, id)
      const one = await claimOne()
      await report(control.deps, one, accepted(), started(), lostFrame(), exited())
      return null
    },
  }
  test.each(Object.keys(until))('in %s ends it, and twice is once', async (state) => {
    const run = await startRun(control.deps, machine, [
      { key: 'a', command: 'touch x' },
      { key: 'b', after: ['a'] },
    ])
    const one = await until[state]?.(run.id)
    expect((await states(control.deps, run.id)).tasks.a).toBe(state)
    const first = await cancel(run.id)
    expect(first.kind).toBe(one ? 'cancelling' : 'cancelled')
    expect((await cancel(run.id)).kind).toBe('already')
    expect((await states(control.deps, run.id)).tasks.b).toBe('cancelled')
    if (one) {
      await cancelAttempts(control.deps)
      expect(gateway.cancels).toContain(one.attemptId)
      await report(control.deps, one, result('cancelled'), exited())
    }
    expect((await states(control.deps, run.id)).run).toBe('cancelled')
    expect(
      await control.deps.db.query(
        'SELECT 1 FROM file_ownership f JOIN task t ON t.id = f.task_id WHERE t.run_id = $1',
        [run.id],
      ),
    ).toEqual([])
  })

  test('paused runs are cancelled too; ended ones are not', async () => {
    const person = await addPerson(control.deps, 'owner')
    const run = await startRun(control.deps, machine, [{ key: 'a' }])
    await control.deps.db.tx((tx) => pauseRun(control.deps, tx, run.id, person))
    expect(await cancel(run.id)).toEqual({ kind: 'cancelled' })
    expect(await cancel(run.id)).toEqual({ kind: 'already', status: 'cancelled' })
    expect(await control.deps.db.tx((tx) => cancelRun(control.deps, tx, randomUUID(), null))).toEqual({
      kind: 'unknown',
    })
  })

  test('not confirmed within 5 s: force-cancelled, files kept; confirmed later: cancelled, files free', async () => {
    const { db } = control.deps
    const run = await startRun(control.deps, machine, [{ key: 'a', command: 'touch x', files: ['/work/x'] }])
    await approve(control.deps, run.id)
    const one = await claimOne()
    await report(control.deps, one, accepted(), started())
    await cancel(run.id)
    await forceCancelOnce(control.deps)
    expect((await states(control.deps, run.id)).run).toBe('cancelling')
    await db.query("UPDATE attempt SET cancel_at = cancel_at - interval '5.1 s' WHERE id = $1", [
      one.attemptId,
    ])
    await Promise.all([forceCancelOnce(control.deps), forceCancelOnce(control.deps)])
    expect(await states(control.deps, run.id)).toEqual({
      run: 'force_cancelled',
      tasks: { a: 'force_cancelled' },
    })
    expect(await db.query('SELECT 1 FROM file_ownership WHERE task_id = $1', [one.taskId])).toHaveLength(1)
    await report(control.deps, one, result('cancelled'))
    await report(control.deps, one, exited())
    expect(await states(control.deps, run.id)).toEqual({ run: 'cancelled', tasks: { a: 'cancelled' } })
    expect(await db.query('SELECT 1 FROM file_ownership WHERE task_id = $1', [one.taskId])).toEqual([])
  })

  test('a result that was on its way wins over the cancel', async () => {
    const run = await startRun(control.deps, machine, [{ key: 'a' }])
    const one = await claimOne()
    await report(control.deps, one, accepted(), started())
    await cancel(run.id)
    await report(control.deps, one, result('succeeded'), exited())
    expect(await states(control.deps, run.id)).toEqual({ run: 'succeeded', tasks: { a: 'succeeded' } })
  })

  test('while it is being claimed and reported on, in any order, nothing is left over', async () => {
    for (let i = 0; i < 15; i++) {
      const run = await startRun(control.deps, machine, [
        { key: 'a' },
        { key: 'b' },
        { key: 'c', after: ['a'] },
      ])
      const [claims] = await Promise.all([claim(), cancel(run.id)])
      await Promise.all(
        claims.map((c) =>
          report(control.deps, c, accepted(), started(), result(i % 2 ? 'cancelled' : 'succeeded'), exited()),
        ),
      )
      expect(['cancelled', 'succeeded', 'failed']).toContain((await states(control.deps, run.id)).run)
    }
    expect(await claim()).toEqual([])
  })
})

test('the events tell the same states as the tables, after all of this', async () => {
  expect(await replayed(control.deps)).toEqual(await actual(control.deps))
})
