import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { decideApproval } from '../../core/approvals/decideApproval.ts'
import { expireApprovalsOnce } from '../../core/approvals/expireApprovals.ts'
import type { Deps } from '../../core/deps.ts'
import { ModelError } from '../../core/llm/model.ts'
import { setLockdown } from '../../core/people/lockdown.ts'
import { planHash } from '../../core/protocol/hash.ts'
import { PlanSpec } from '../../core/protocol/specs.ts'
import { stopJobs } from '../../core/queue/stopReason.ts'
import { recoverRun } from '../../core/recovery/recoverRun.ts'
import { setRecoveryMode } from '../../core/recovery/recoveryMode.ts'
import { cancelRun, pauseRun, resumeRun } from '../../core/runs/cancelRun.ts'
import { lockDown } from '../../core/runs/lockDown.ts'
import { retryTask } from '../../core/runs/retryTask.ts'
import { skipTask } from '../../core/runs/skipTask.ts'
import { type Claim, claimTasks } from '../../core/scheduling/claimTasks.ts'
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
  log,
  lostFrame,
  refusedFrame,
  replayed,
  report,
  result,
  type Step,
  started,
  startRun,
  type TestMachine,
} from '../support/fleet.ts'
import { draft, draftStep, scriptedModel } from '../support/scriptedModel.ts'

/* What follows a failed task: again, less, longer, otherwise, a person; on a ledger, with machines that exist in it only. */

let database: TestDatabase
let control: TestControl
let machine: TestMachine
const model = scriptedModel()
beforeAll(async () => {
  database = await newDatabase()
  control = await openTestControl({ databaseUrl: database.url, model })
})
afterAll(async () => {
  await control?.close()
  await database?.drop()
})
beforeEach(async () => {
  machine = await addMachine(control.deps)
  model.asked.length = 0
})
/** Whatever a test did, its events tell the same as its rows. */
afterEach(async () => {
  expect(await replayed(control.deps)).toEqual(await actual(control.deps))
})

const NETWORK = 'curl: (6) Could not resolve host: example.org'
const withoutModel = (): Deps => ({
  ...control.deps,
  model: null,
  settings: { ...control.deps.settings, recovery: { ...control.deps.settings.recovery, hasModel: false } },
})
const rulesOnly = withoutModel

type Row = {
  rung: string
  by: string
  status: string
  failure: string
  came_of: string | null
  note: string | null
  tokens: number
}
const steps = (runId: string): Promise<Row[]> =>
  control.deps.db.query<Row>(
    'SELECT rung, by, status, failure, came_of, note, tokens FROM recovery WHERE run_id = $1 ORDER BY created_at, id',
    [runId],
  )
const brief = async (runId: string): Promise<string[]> =>
  (await steps(runId)).map((s) => `${s.rung} by ${s.by}: ${s.status}${s.came_of ? ` (${s.came_of})` : ''}`)

/** Status of the run and of the tasks of its newest plan. */
async function now(runId: string): Promise<{ run: string; tasks: Record<string, string> }> {
  const rows = await control.deps.db.query<{ run: string; key: string; status: string }>(
    `SELECT r.status AS run, t.key, t.status FROM run r JOIN plan p ON p.run_id = r.id AND p.version = r.plan_version JOIN task t ON t.plan_id = p.id
     WHERE r.id = $1 ORDER BY t.position`,
    [runId],
  )
  return { run: rows[0]?.run ?? 'none', tasks: Object.fromEntries(rows.map((r) => [r.key, r.status])) }
}

const waitedFor = (runId: string) =>
  control.deps.db.query("UPDATE task SET not_before = NULL WHERE run_id = $1 AND status = 'queued'", [runId])

/** Claims what can run of this test's machine, and says by key how each ends. */
async function work(deps: Deps, ends: Record<string, string | null>): Promise<void> {
  const { claims } = await claimTasks(deps, 20)
  for (const claim of claims) {
    const key = await keyOf(claim)
    const said = ends[key]
    if (said === undefined) throw new Error(`nothing was said of ${key}`)
    if (said === null) await report(deps, claim, accepted(), started(), result('succeeded'), exited())
    else await report(deps, claim, accepted(), started(), log(`${said}\n`), result('failed', said), exited())
  }
}
const keyOf = async ({ taskId }: Claim): Promise<string> =>
  (await control.deps.db.query<{ key: string }>('SELECT key FROM task WHERE id = $1', [taskId]))[0]?.key ?? ''

const signal = new AbortController().signal
const recover = (runId: string, deps: Deps = control.deps) => recoverRun(deps, runId, signal)

/** A run that only reads: 1, then 2, then 3. */
const chain = (...commands: string[]): Step[] =>
  commands.map((command, i) => ({ key: `${i + 1}`, command, ...(i > 0 ? { after: [`${i}`] } : {}) }))

async function failAt2(deps: Deps, said: string, commands = ['sleep 1', 'sleep 2', 'sleep 3']) {
  const run = await startRun(deps, machine, chain(...commands))
  if ((await now(run.id)).run === 'awaiting_approval') await approve(deps, run.id)
  await work(deps, { 1: null })
  await work(deps, { 2: said })
  return run
}

describe('tried again', () => {
  test('what only reads and met a bad network: after a while, and then the run goes on', async () => {
    const deps = rulesOnly()
    const run = await failAt2(deps, NETWORK)
    expect(await now(run.id)).toEqual({
      run: 'running',
      tasks: { 1: 'succeeded', 2: 'queued', 3: 'blocked' },
    })
    expect((await claimTasks(deps, 20)).claims).toEqual([])
    await waitedFor(run.id)
    await work(deps, { 2: null })
    await work(deps, { 3: null })
    expect((await now(run.id)).run).toBe('succeeded')
    expect(await brief(run.id)).toEqual(['retry by rule: helped'])
  })

  test('twice and no more; then a person is asked, and their retry is a step as well', async () => {
    const deps = rulesOnly()
    const run = await failAt2(deps, NETWORK)
    for (let n = 0; n < 2; n++) {
      await waitedFor(run.id)
      await work(deps, { 2: NETWORK })
    }
    expect(await now(run.id)).toEqual({ run: 'failed', tasks: { 1: 'succeeded', 2: 'failed', 3: 'skipped' } })
    expect(await brief(run.id)).toEqual([
      'retry by rule: not_helped (failed_again)',
      'retry by rule: not_helped (failed_again)',
      'ask by rule: asked (tried)',
    ])
    const person = await addPerson(deps, 'owner')
    expect(await deps.db.tx((tx) => retryTask(deps, tx, run.id, null, person))).toEqual(['2'])
    await work(deps, { 2: null })
    await work(deps, { 3: null })
    expect((await now(run.id)).run).toBe('succeeded')
    expect((await brief(run.id)).at(-1)).toBe('ask by person: helped')
  })

  test('not what writes, whatever it says', async () => {
    const deps = rulesOnly()
    for (const said of [NETWORK, 'ECONNRESET', 'index.lock: File exists']) {
      const run = await failAt2(deps, said, ['sleep 1', 'touch two', 'sleep 3'])
      expect((await now(run.id)).run).toBe('failed')
      expect(await brief(run.id)).toEqual(['ask by rule: asked (final)'])
    }
  })

  test('not what reaches the network by approval: what asks may write, so a person has it tried again', async () => {
    const deps = rulesOnly()
    const run = await failAt2(deps, NETWORK, [
      'sleep 1',
      'git ls-remote https://example.org/x.git',
      'sleep 3',
    ])
    expect(await now(run.id)).toEqual({ run: 'failed', tasks: { 1: 'succeeded', 2: 'failed', 3: 'skipped' } })
    expect(await brief(run.id)).toEqual(['ask by rule: asked (final)'])
    const person = await addPerson(deps, 'owner')
    expect(await deps.db.tx((tx) => retryTask(deps, tx, run.id, null, person))).toEqual(['2'])
    await work(deps, { 2: null })
    await work(deps, { 3: null })
    expect((await now(run.id)).run).toBe('succeeded')
    expect(await brief(run.id)).toEqual(['ask by person: helped'])
  })

  test('what its agent refused for a passing reason: nothing of it has begun, so a write as well', async () => {
    const deps = rulesOnly()
    const run = await startRun(deps, machine, [{ key: '1', command: 'touch one' }])
    await approve(deps, run.id)
    for (let n = 0; n < 3; n++) {
      await waitedFor(run.id)
      const { claims } = await claimTasks(deps, 20)
      for (const claim of claims) await report(deps, claim, refusedFrame('busy'))
    }
    expect(await now(run.id)).toEqual({ run: 'running', tasks: { 1: 'queued' } })
    await waitedFor(run.id)
    await work(deps, { 1: null })
    expect((await now(run.id)).run).toBe('succeeded')
    expect(await brief(run.id)).toEqual(['retry by rule: helped'])
  })

  test('a write that was interrupted is left to a person, as ever', async () => {
    const deps = control.deps
    const run = await startRun(deps, machine, [{ key: '1', command: 'touch one' }])
    await approve(deps, run.id)
    const { claims } = await claimTasks(deps, 20)
    for (const claim of claims) await report(deps, claim, accepted(), started(), lostFrame())
    expect(await now(run.id)).toEqual({ run: 'running', tasks: { 1: 'needs_review' } })
    expect(await steps(run.id)).toEqual([])
    expect(await recover(run.id)).toBe('none')
  })

  test('not what policy denies now, and not what is switched off', async () => {
    const off = {
      ...control.deps,
      settings: {
        ...control.deps.settings,
        recovery: { ...control.deps.settings.recovery, mode: 'off' as const },
      },
    }
    const run = await failAt2(off, NETWORK)
    expect((await now(run.id)).run).toBe('failed')
    expect(await steps(run.id)).toEqual([])
    const owner = await addPerson(control.deps, 'owner')
    await control.deps.db.tx((tx) => setRecoveryMode(tx, 'off', owner))
    const second = await failAt2(control.deps, NETWORK)
    expect(await steps(second.id)).toEqual([])
    await control.deps.db.tx((tx) => setRecoveryMode(tx, 'auto', owner))
    expect(await failAt2(off, NETWORK).then((r) => steps(r.id))).toEqual([])
  })
})

describe('more time', () => {
  test('what only reads and ran out of time gets three times as much, as a version of the plan', async () => {
    const deps = rulesOnly()
    const run = await startRun(deps, machine, chain('sleep 1', 'sleep 2'))
    const [claim] = (await claimTasks(deps, 20)).claims
    if (!claim) throw new Error('nothing to claim')
    await report(deps, claim, accepted(), started(), result('timeout'), exited())
    expect(await now(run.id)).toEqual({ run: 'running', tasks: { 1: 'failed_timeout', 2: 'blocked' } })
    expect(await recover(run.id, deps)).toBe('done')
    expect(await now(run.id)).toEqual({ run: 'running', tasks: { '1a': 'queued', 2: 'blocked' } })
    const [task] = await deps.db.query<{ spec: { timeout_s: number } }>(
      "SELECT spec FROM task WHERE run_id = $1 AND key = '1a'",
      [run.id],
    )
    expect(task?.spec.timeout_s).toBe(180)
    await work(deps, { '1a': null })
    await work(deps, { 2: null })
    expect((await now(run.id)).run).toBe('succeeded')
    expect(await brief(run.id)).toEqual(['budget by rule: helped'])
  })
})

describe('another way by a model', () => {
  const REASON = 'error: it is broken'

  test('reads go on by themselves; the rest of the plan comes after, and the model saw the log as data', async () => {
    const run = await failAt2(control.deps, REASON)
    expect(await now(run.id)).toEqual({
      run: 'running',
      tasks: { 1: 'succeeded', 2: 'failed', 3: 'blocked' },
    })
    model.push(draft('Look at less', [draftStep('x', 'ls'), draftStep('y', 'sleep 2', ['x'])]))
    expect(await recover(run.id)).toBe('done')
    expect(await now(run.id)).toEqual({
      run: 'running',
      tasks: { 1: 'succeeded', '2a': 'queued', '2b': 'blocked', 3: 'blocked' },
    })
    const [question] = model.asked
    expect(question?.purpose).toBe('recover')
    expect(question?.runId).toBe(run.id)
    expect(question?.user).toMatch(/<data-[0-9a-f]{24} name="log of #\d+">\nerror: it is broken\n<\/data-/)
    expect(question?.system).not.toContain('it is broken')
    await work(control.deps, { '2a': null })
    expect((await now(run.id)).tasks[3]).toBe('blocked')
    await work(control.deps, { '2b': null })
    await work(control.deps, { 3: null })
    expect((await now(run.id)).run).toBe('succeeded')
    expect(await steps(run.id)).toMatchObject([
      { rung: 'reduce', by: 'model', status: 'helped', note: 'Look at less', tokens: 1000 },
    ])
  })

  test('the plan that is stored is the plan that runs, under its hash', async () => {
    const run = await failAt2(control.deps, REASON)
    model.push(draft('Look', [draftStep('x', 'ls')]))
    await recover(run.id)
    const { db, policy } = control.deps
    const [row] = await db.query<{ spec: unknown; plan_hash: string; version: number }>(
      'SELECT p.spec, p.plan_hash, p.version FROM plan p WHERE p.run_id = $1 ORDER BY version DESC LIMIT 1',
      [run.id],
    )
    const plan = PlanSpec.parse(row?.spec)
    expect(row?.plan_hash).toBe(planHash(plan, policy.version))
    const edges = await db.query<{ key: string; before: string }>(
      `SELECT t.key, b.key AS before FROM task t JOIN plan p ON p.id = t.plan_id AND p.version = 2 JOIN task_dependency d ON d.task_id = t.id JOIN task b ON b.id = d.depends_on_id
       WHERE t.run_id = $1 ORDER BY 1, 2`,
      [run.id],
    )
    const meant = plan.tasks.flatMap(({ key, depends_on }) => depends_on.map((before) => ({ key, before })))
    expect(edges).toEqual(meant.sort((a, b) => a.key.localeCompare(b.key)))
    const specs = await db.query<{ key: string; spec: unknown }>(
      'SELECT t.key, t.spec FROM task t JOIN plan p ON p.id = t.plan_id AND p.version = 2 WHERE t.run_id = $1 ORDER BY t.position',
      [run.id],
    )
    expect(specs).toEqual(plan.tasks.map(({ key, spec }) => ({ key, spec })))
    await db.tx((tx) => cancelRun(control.deps, tx, run.id, null))
  })

  test('anything that does more than look waits for a person, though policy alone would let it go on', async () => {
    const run = await failAt2(control.deps, REASON)
    model.push(draft('Test it', [draftStep('x', 'ls'), draftStep('y', 'git fetch', ['x'])]))
    await recover(run.id)
    expect((await now(run.id)).tasks).toMatchObject({ '2a': 'held', '2b': 'held', 3: 'blocked' })
    expect((await claimTasks(control.deps, 20)).claims).toEqual([])
    const [approval] = await control.deps.db.query<{ plan_hash: string; status: string }>(
      'SELECT a.plan_hash, a.status FROM approval a WHERE run_id = $1 ORDER BY created_at DESC LIMIT 1',
      [run.id],
    )
    const [plan] = await control.deps.db.query<{ plan_hash: string }>(
      'SELECT plan_hash FROM plan WHERE run_id = $1 AND version = 2',
      [run.id],
    )
    expect(approval).toEqual({ plan_hash: plan?.plan_hash, status: 'pending' })
    await approve(control.deps, run.id)
    await work(control.deps, { '2a': null })
    await work(control.deps, { '2b': null })
    await work(control.deps, { 3: null })
    expect((await now(run.id)).run).toBe('succeeded')
    expect(await brief(run.id)).toEqual(['reduce by model: helped'])
  })

  test('what was approved stays approved: only the new steps are held', async () => {
    const run = await failAt2(control.deps, REASON, ['sleep 1', 'sleep 2', 'touch three'])
    const before = await control.deps.db.query<{ key: string; approved_at: Date }>(
      'SELECT key, approved_at FROM task WHERE run_id = $1 ORDER BY key',
      [run.id],
    )
    model.push(draft('Make it first', [draftStep('x', 'touch new')]))
    await recover(run.id)
    expect((await now(run.id)).tasks).toEqual({ 1: 'succeeded', '2a': 'held', 3: 'blocked' })
    await approve(control.deps, run.id)
    await work(control.deps, { '2a': null })
    expect((await now(run.id)).tasks[3]).toBe('queued')
    const [third] = await control.deps.db.query<{ approved_at: Date }>(
      "SELECT approved_at FROM task WHERE run_id = $1 AND key = '3'",
      [run.id],
    )
    expect(third?.approved_at).toEqual(before.find(({ key }) => key === '3')?.approved_at)
    await work(control.deps, { 3: null })
    expect((await now(run.id)).run).toBe('succeeded')
  })

  test('a person denies it: what failed comes back into the plan, and can be retried', async () => {
    const run = await failAt2(control.deps, REASON)
    model.push(draft('Change it', [draftStep('x', 'touch new'), draftStep('y', 'ls', ['x'])]))
    await recover(run.id)
    const person = await addPerson(control.deps, 'owner')
    const [a] = await control.deps.db.query<{ id: string; plan_hash: string }>(
      "SELECT id, plan_hash FROM approval WHERE run_id = $1 AND status = 'pending'",
      [run.id],
    )
    await control.deps.db.tx((tx) =>
      decideApproval(control.deps, tx, {
        approvalId: a?.id ?? '',
        personId: person,
        decision: 'denied',
        planHash: a?.plan_hash ?? '',
      }),
    )
    expect(await now(run.id)).toEqual({ run: 'failed', tasks: { 1: 'succeeded', 2: 'failed', 3: 'skipped' } })
    expect(await brief(run.id)).toEqual([
      'reduce by model: not_helped (denied)',
      'ask by rule: asked (person)',
    ])
    expect(await control.deps.db.tx((tx) => retryTask(control.deps, tx, run.id, null, person))).toEqual(['2'])
    await work(control.deps, { 2: null })
    await work(control.deps, { 3: null })
    expect((await now(run.id)).run).toBe('succeeded')
  })

  test('nobody answers: the same', async () => {
    const run = await failAt2(control.deps, REASON)
    model.push(draft('Change it', [draftStep('x', 'touch new')]))
    await recover(run.id)
    await control.deps.db.query(
      "UPDATE approval SET expires_at = clock_timestamp() - interval '1 s' WHERE run_id = $1",
      [run.id],
    )
    await expireApprovalsOnce(control.deps)
    expect(await now(run.id)).toEqual({ run: 'failed', tasks: { 1: 'succeeded', 2: 'failed', 3: 'skipped' } })
    expect((await brief(run.id)).at(-1)).toBe('ask by rule: asked (person)')
  })

  test('a person leaves the new step out: the same', async () => {
    const run = await failAt2(control.deps, REASON)
    model.push(draft('Change it', [draftStep('x', 'touch new'), draftStep('y', 'ls', ['x'])]))
    await recover(run.id)
    const person = await addPerson(control.deps, 'owner')
    const tasks = await control.deps.db.query<{ id: string }>(
      "SELECT id FROM task WHERE run_id = $1 AND key = '2a'",
      [run.id],
    )
    await control.deps.db.tx((tx) =>
      skipTask(control.deps, tx, { runId: run.id, taskId: tasks[0]?.id ?? '' }, person),
    )
    expect(await now(run.id)).toEqual({ run: 'failed', tasks: { 1: 'succeeded', 2: 'failed', 3: 'skipped' } })
  })

  test('one way after the other, each told what was tried; then a person is asked', async () => {
    const run = await failAt2(control.deps, REASON)
    model.push(draft('Less', [draftStep('x', 'sleep 4')]))
    await recover(run.id)
    await work(control.deps, { '2a': 'error: still' })
    model.push(draft('Look first', [draftStep('x', 'ls'), draftStep('y', 'sleep 5', ['x'])]))
    await recover(run.id)
    expect((await now(run.id)).tasks).toEqual({
      1: 'succeeded',
      '2b': 'queued',
      '2c': 'blocked',
      3: 'blocked',
    })
    await work(control.deps, { '2b': 'error: again' })
    model.push(draft('', [], 'Only a person can decide this.'))
    await recover(run.id)
    expect(await now(run.id)).toEqual({
      run: 'failed',
      tasks: { 1: 'succeeded', '2b': 'failed', '2c': 'skipped', 3: 'skipped' },
    })
    expect(await brief(run.id)).toEqual([
      'reduce by model: not_helped (failed_again)',
      'budget by model: not_helped (failed_again)',
      'decompose by model: not_helped (no_way)',
      'ask by rule: asked (tried)',
    ])
    expect(model.asked[1]?.need).toBe('heavy')
    expect(model.asked[1]?.user).toMatch(/name="tried before">\nreduce by model \(Less\): it failed again/)
    expect(model.asked[2]?.user).toContain('error: again')
    const person = await addPerson(control.deps, 'owner')
    await control.deps.db.tx((tx) => retryTask(control.deps, tx, run.id, null, person))
    expect((await now(run.id)).tasks).toEqual({
      1: 'succeeded',
      '2b': 'queued',
      '2c': 'blocked',
      3: 'blocked',
    })
    for (const key of ['2b', '2c', '3']) await work(control.deps, { [key]: null })
    expect((await now(run.id)).run).toBe('succeeded')
  })

  test('a write that failed is never begun again without a person, even where policy would let it', async () => {
    const run = await failAt2(control.deps, REASON, ['sleep 1', 'touch two', 'sleep 3'])
    model.push(draft('Again', [draftStep('x', 'touch two')]))
    await recover(run.id)
    expect((await now(run.id)).tasks['2a']).toBe('held')
    await control.deps.db.tx((tx) => cancelRun(control.deps, tx, run.id, null))
  })

  test('what policy denies is no way: the next one is looked for', async () => {
    const run = await failAt2(control.deps, REASON)
    model.push(draft('Delete all', [draftStep('x', 'rm -rf /')]), draft('Look', [draftStep('x', 'ls')]))
    await recover(run.id)
    expect(await brief(run.id)).toEqual(['reduce by model: not_helped (policy)', 'budget by model: open'])
    await recover(run.id)
    expect((await now(run.id)).tasks).toMatchObject({ '2a': 'queued' })
    await control.deps.db.tx((tx) => cancelRun(control.deps, tx, run.id, null))
  })

  test('a model that answers nothing usable, or not at all', async () => {
    const run = await failAt2(control.deps, REASON)
    model.push({ nonsense: true }, { nonsense: 'still' })
    await recover(run.id)
    expect(model.asked.map(({ purpose }) => purpose)).toEqual(['recover', 'repair'])
    expect((await brief(run.id))[0]).toBe('reduce by model: not_helped (no_way)')
    model.push(() => {
      throw new ModelError('unreachable', 'The provider is not reachable.', 'Try later.')
    })
    await recover(run.id)
    expect((await now(run.id)).run).toBe('failed')
    expect((await brief(run.id)).slice(1)).toEqual([
      'budget by model: not_helped (no_answer)',
      'ask by rule: asked (model_away)',
    ])
  })

  test('two failures of one run, side by side: each gets its own way', async () => {
    const run = await startRun(control.deps, machine, [
      { key: '1' },
      { key: '2', command: 'sleep 2' },
      { key: '3', after: ['1', '2'], command: 'sleep 3' },
    ])
    await work(control.deps, { 1: REASON, 2: REASON })
    model.push(draft('One', [draftStep('x', 'touch one')]), draft('Two', [draftStep('x', 'touch two')]))
    await recover(run.id)
    await recover(run.id)
    expect((await now(run.id)).tasks).toEqual({ '1a': 'held', '2a': 'held', 3: 'blocked' })
    const approvals = await control.deps.db.query<{ status: string }>(
      'SELECT status FROM approval WHERE run_id = $1 ORDER BY created_at',
      [run.id],
    )
    expect(approvals.map(({ status }) => status)).toEqual(['superseded', 'pending'])
    await approve(control.deps, run.id)
    await work(control.deps, { '1a': null, '2a': null }).catch(() => {})
    await work(control.deps, { '1a': null, '2a': null, 3: null })
    await work(control.deps, { 3: null })
    expect((await now(run.id)).run).toBe('succeeded')
  })
})

describe('two ways held under one question, of which one is left out', () => {
  const pending = (runId: string) =>
    control.deps.db.query<{ id: string; plan_hash: string; version: number }>(
      "SELECT a.id, a.plan_hash, p.version FROM approval a JOIN plan p ON p.id = a.plan_id WHERE a.run_id = $1 AND a.status = 'pending'",
      [runId],
    )
  const leftOut = async () => {
    const run = await startRun(control.deps, machine, [{ key: '1' }, { key: '2', command: 'sleep 2' }])
    await work(control.deps, { 1: 'error: x', 2: 'error: x' })
    model.push(draft('One', [draftStep('x', 'touch one')]), draft('Two', [draftStep('x', 'touch two')]))
    await recover(run.id)
    await recover(run.id)
    const person = await addPerson(control.deps, 'owner')
    const [before] = await pending(run.id)
    const [task] = await control.deps.db.query<{ id: string }>(
      "SELECT id FROM task WHERE run_id = $1 AND key = '1a'",
      [run.id],
    )
    await control.deps.db.tx((tx) =>
      skipTask(control.deps, tx, { runId: run.id, taskId: task?.id ?? '' }, person),
    )
    expect((await now(run.id)).tasks).toMatchObject({ '2a': 'held' })
    const decide = (decision: 'approved' | 'denied', of?: { id: string; plan_hash: string }) =>
      control.deps.db.tx((tx) =>
        decideApproval(control.deps, tx, {
          ...{ approvalId: of?.id ?? '', personId: person, decision, planHash: of?.plan_hash ?? '' },
        }),
      )
    return { runId: run.id, before, decide }
  }

  test('the question is asked anew of the version there is now; the old one reaches nothing', async () => {
    const { runId, before, decide } = await leftOut()
    expect(await decide('approved', before)).toMatchObject({ kind: 'already', status: 'superseded' })
    const [anew, ...others] = await pending(runId)
    expect(others).toEqual([])
    expect(anew?.version).toBe((before?.version ?? 0) + 1)
    expect(await decide('approved', anew)).toMatchObject({ kind: 'decided' })
    expect((await now(runId)).tasks).toMatchObject({ '2a': 'queued' })
    await work(control.deps, { '2a': null })
    expect(await now(runId)).toEqual({ run: 'failed', tasks: { 1: 'failed', '2a': 'succeeded' } })
  })

  test('denied then, both failures come back into the plan, and the run ends', async () => {
    const { runId, decide } = await leftOut()
    const [anew] = await pending(runId)
    expect(await decide('denied', anew)).toMatchObject({ kind: 'decided' })
    expect(await now(runId)).toEqual({ run: 'failed', tasks: { 1: 'failed', 2: 'failed' } })
    expect(await pending(runId)).toEqual([])
  })
})

describe('milestones', () => {
  test('stay open while something is tried for a step of theirs, and end once', async () => {
    const run = await startRun(control.deps, machine, [
      { key: '1', milestone: 'check' },
      { key: '2', command: 'sleep 2', after: ['1'], milestone: 'report' },
    ])
    const told = () =>
      control.deps.db.query<{ type: string; key: string; outcome: string | null }>(
        "SELECT type, data->>'key' AS key, data->>'outcome' AS outcome FROM event WHERE run_id = $1 AND type LIKE 'milestone.%' ORDER BY seq",
        [run.id],
      )
    await work(control.deps, { 1: 'error: x' })
    expect(await told()).toEqual([{ type: 'milestone.started', key: 'check', outcome: null }])
    model.push(draft('Look', [draftStep('x', 'ls')]))
    await recover(run.id)
    await work(control.deps, { '1a': null })
    await work(control.deps, { 2: null })
    expect((await told()).filter(({ type }) => type === 'milestone.done')).toEqual([
      { type: 'milestone.done', key: 'check', outcome: 'succeeded' },
      { type: 'milestone.done', key: 'report', outcome: 'succeeded' },
    ])
    expect((await now(run.id)).run).toBe('succeeded')
  })
})

describe('limits', () => {
  test('of tries and of tokens', async () => {
    const limited = (of: object): Deps => ({
      ...control.deps,
      settings: { ...control.deps.settings, recovery: { ...control.deps.settings.recovery, ...of } },
    })
    const one = limited({ tries: 1 })
    const run = await failAt2(one, 'error: x')
    model.push(draft('Less', [draftStep('x', 'sleep 4')]))
    await recover(run.id, one)
    await work(one, { '2a': 'error: y' })
    expect((await now(run.id)).run).toBe('failed')
    expect((await brief(run.id)).at(-1)).toBe('ask by rule: asked (limit)')

    const few = limited({ tokens: 8000 })
    const second = await failAt2(few, 'error: x')
    model.push(draft('Less', [draftStep('x', 'sleep 4')]))
    await recover(second.id, few)
    await control.deps.db.query('UPDATE recovery SET tokens = 8000 WHERE run_id = $1', [second.id])
    await work(few, { '2a': 'error: y' })
    expect((await now(second.id)).run).toBe('failed')
    expect((await brief(second.id)).at(-1)).toBe('ask by rule: asked (tried)')
  })

  test('a question that would go beyond the tokens that are left is not asked; failed requests count', async () => {
    const { db, settings } = control.deps
    const few = {
      ...control.deps,
      settings: { ...settings, recovery: { ...settings.recovery, tokens: 1000 } },
    }
    const run = await failAt2(few, 'error: x')
    await recover(run.id, few)
    expect(model.asked).toEqual([])
    expect(await now(run.id)).toMatchObject({ run: 'failed' })
    expect(await brief(run.id)).toEqual(['reduce by model: not_helped (limit)', 'ask by rule: asked (limit)'])

    const second = await failAt2(control.deps, 'error: x')
    await db.query(
      `INSERT INTO model_call (id, question_id, provider, model, purpose, need, run_id, outcome, reserved_tokens, tokens_in, tokens_out)
       SELECT gen_random_uuid(), gen_random_uuid(), 'x', 'x', 'recover', 'heavy', $1, 'server', 0, $2, 0`,
      [second.id, settings.recovery.tokens],
    )
    await recover(second.id)
    expect(model.asked).toEqual([])
    expect((await brief(second.id)).at(-1)).toBe('ask by rule: asked (limit)')
  })

  test('an answer is asked for with what is left after its question; what it cost is what who answered says', async () => {
    const { settings } = control.deps
    const tokens = 8000
    const few = {
      ...control.deps,
      model: { ...model, provider: 'ollama' },
      settings: { ...settings, recovery: { ...settings.recovery, tokens } },
    }
    const run = await failAt2(few, 'error: x')
    model.push(draft('Look', [draftStep('x', 'ls')]))
    await recover(run.id, few)
    const [asked] = model.asked
    const prompt = Math.floor(((asked?.system.length ?? 0) + (asked?.user.length ?? 0)) / 4)
    expect(asked?.maxTokens).toBeLessThan(tokens - prompt)
    const [plan] = await control.deps.db.query<{ source: { cost_usd: number } }>(
      'SELECT source FROM plan WHERE run_id = $1 ORDER BY version DESC LIMIT 1',
      [run.id],
    )
    expect(plan?.source.cost_usd).toBe(0.001)
    await control.deps.db.tx((tx) => cancelRun(control.deps, tx, run.id, null))
  })
})

describe('in every moment', () => {
  test('cancelled while an agent is asked what files hold: the cancel does not wait for its answer', async () => {
    const gateway = await new FakeGateway().start()
    const there = await addMachine(control.deps, { gatewayUrl: gateway.url })
    await control.deps.db.query(`UPDATE agent SET facts = facts || '{"inspects": true}' WHERE id = $1`, [
      there.agentId,
    ])
    const run = await startRun(control.deps, there, [{ key: '1' }])
    await work(control.deps, { 1: 'error: x' })
    let asked = 0
    gateway.onInspect = async () => {
      asked++
      await control.deps.db.tx((tx) => cancelRun(control.deps, tx, run.id, null))
      return { files: [] }
    }
    model.push(draft('By a script', [draftStep('x', 'bash mend.sh')]))
    await recover(run.id)
    await gateway.stop()
    expect(asked).toBe(1)
    expect(await now(run.id)).toEqual({ run: 'cancelled', tasks: { 1: 'failed' } })
  })

  test('another version of the plan since the files were looked at: they are looked at again, for that one', async () => {
    const gateway = await new FakeGateway().start()
    const there = await addMachine(control.deps, { gatewayUrl: gateway.url })
    await control.deps.db.query(`UPDATE agent SET facts = facts || '{"inspects": true}' WHERE id = $1`, [
      there.agentId,
    ])
    const run = await startRun(control.deps, there, [{ key: '1' }, { key: '2', command: 'sleep 2' }])
    await work(control.deps, { 1: 'error: x', 2: 'error: x' })
    const hashes = ['a'.repeat(64), 'b'.repeat(64)]
    let asked = 0
    gateway.onInspect = async () => {
      if (asked++ === 0) {
        model.push(draft('Look', [draftStep('x', 'ls')]))
        await recover(run.id)
      }
      return { files: [{ path: '/work/mend.sh', sha256: hashes[asked - 1], size: 3 }] }
    }
    model.push(draft('By a script', [draftStep('x', 'bash mend.sh')]))
    await recover(run.id)
    await gateway.stop()
    expect(asked).toBe(2)
    const [plan] = await control.deps.db.query<{ files: { sha256: string }[]; version: number }>(
      'SELECT p.files, p.version FROM plan p JOIN run r ON r.id = p.run_id AND r.plan_version = p.version WHERE r.id = $1',
      [run.id],
    )
    expect(plan).toMatchObject({ version: 3, files: [{ sha256: hashes[1] }] })
    await control.deps.db.tx((tx) => cancelRun(control.deps, tx, run.id, null))
  })

  test.each([
    ['off', []],
    ['retry', ['ask by rule: asked (tried)']],
  ] as const)(
    'switched to "%s" while a way is open, or is being looked for: it comes to nothing',
    async (mode, then) => {
      const owner = await addPerson(control.deps, 'owner')
      const set = (to: 'auto' | typeof mode) => control.deps.db.tx((tx) => setRecoveryMode(tx, to, owner))
      const before = await failAt2(control.deps, 'error: x')
      const asking = await failAt2(control.deps, 'error: x')
      await set(mode)
      try {
        await recover(before.id)
        expect(model.asked).toEqual([])
        await set('auto')
        model.push(async () => {
          await set(mode)
          return draft('Look', [draftStep('x', 'ls')])
        })
        await recover(asking.id)
      } finally {
        await set('auto')
      }
      for (const run of [before, asking]) {
        expect(await now(run.id)).toMatchObject({ run: 'failed', tasks: { 2: 'failed' } })
        expect(await brief(run.id)).toEqual(['reduce by model: not_helped (no_way)', ...then])
      }
    },
  )

  test('its worker stops: the question is broken off, and the next worker has the step at once', async () => {
    const run = await failAt2(control.deps, 'error: x')
    const stopping = new AbortController()
    model.push(
      (asked) =>
        new Promise((_, reject) => {
          asked.signal?.addEventListener('abort', () => reject(asked.signal?.reason))
          stopJobs(stopping)
        }),
    )
    expect(await recoverRun(control.deps, run.id, stopping.signal)).toBe('none')
    const [step] = await control.deps.db.query('SELECT status, tries FROM recovery WHERE run_id = $1', [
      run.id,
    ])
    expect(step).toEqual({ status: 'open', tries: 0 })
    model.push(draft('Look', [draftStep('x', 'ls')]))
    expect(await recover(run.id)).toBe('done')
    await control.deps.db.tx((tx) => cancelRun(control.deps, tx, run.id, null))
  })

  test('cancelled while a way is looked for: the question is aborted and nothing of it is used', async () => {
    const run = await failAt2(control.deps, 'error: x')
    let aborted = false
    model.push(
      (asked) =>
        new Promise((_, reject) => {
          asked.signal?.addEventListener('abort', () => {
            aborted = true
            reject(asked.signal?.reason)
          })
          void control.deps.db.tx((tx) => cancelRun(control.deps, tx, run.id, null))
        }),
    )
    expect(await recover(run.id)).toBe('none')
    expect(aborted).toBe(true)
    expect(await now(run.id)).toEqual({
      run: 'cancelled',
      tasks: { 1: 'succeeded', 2: 'failed', 3: 'cancelled' },
    })
    expect(await brief(run.id)).toEqual(['reduce by model: cancelled'])
  })

  test('cancelled just before the answer comes: the answer changes nothing', async () => {
    const run = await startRun(control.deps, machine, [{ key: '1' }])
    await work(control.deps, { 1: 'error: x' })
    model.push(async () => {
      await control.deps.db.tx((tx) => cancelRun({ ...control.deps, bus: quiet }, tx, run.id, null))
      return draft('Late', [draftStep('x', 'ls')])
    })
    await recover(run.id)
    expect(await now(run.id)).toEqual({ run: 'cancelled', tasks: { 1: 'failed' } })
  })

  test('cancelled while a new way waits for approval, or runs', async () => {
    const waiting = await failAt2(control.deps, 'error: x')
    model.push(draft('Change', [draftStep('x', 'touch new')]))
    await recover(waiting.id)
    await control.deps.db.tx((tx) => cancelRun(control.deps, tx, waiting.id, null))
    expect((await now(waiting.id)).run).toBe('cancelled')
    expect(await brief(waiting.id)).toEqual(['reduce by model: cancelled'])

    const running = await failAt2(control.deps, 'error: x')
    model.push(draft('Look', [draftStep('x', 'ls')]))
    await recover(running.id)
    const { claims } = await claimTasks(control.deps, 20)
    for (const claim of claims) await report(control.deps, claim, accepted(), started())
    await control.deps.db.tx((tx) => cancelRun(control.deps, tx, running.id, null))
    expect((await now(running.id)).run).toBe('cancelling')
    for (const claim of claims) await report(control.deps, claim, result('cancelled'), exited())
    expect((await now(running.id)).run).toBe('cancelled')
  })

  test('paused: nothing is looked for until it goes on; what was found meanwhile does not start', async () => {
    const run = await failAt2(control.deps, 'error: x')
    const person = await addPerson(control.deps, 'owner')
    await control.deps.db.tx((tx) => pauseRun(control.deps, tx, run.id, person))
    expect(await recover(run.id)).toBe('none')
    await control.deps.db.tx((tx) => resumeRun(control.deps, tx, run.id, person))
    model.push(async () => {
      await control.deps.db.tx((tx) => pauseRun(control.deps, tx, run.id, person))
      return draft('Look', [draftStep('x', 'ls')])
    })
    await recover(run.id)
    expect(await now(run.id)).toMatchObject({ run: 'paused', tasks: { '2a': 'queued' } })
    expect((await claimTasks(control.deps, 20)).claims).toEqual([])
    await control.deps.db.tx((tx) => resumeRun(control.deps, tx, run.id, person))
    await work(control.deps, { '2a': null })
    await work(control.deps, { 3: null })
    expect((await now(run.id)).run).toBe('succeeded')
  })

  test('it fails during a pause: it stays paused, and the next step waits with it', async () => {
    const run = await startRun(control.deps, machine, [{ key: '1' }])
    const person = await addPerson(control.deps, 'owner')
    const { claims } = await claimTasks(control.deps, 20)
    for (const claim of claims) await report(control.deps, claim, accepted(), started())
    await control.deps.db.tx((tx) => pauseRun(control.deps, tx, run.id, person))
    for (const claim of claims) await report(control.deps, claim, result('failed', 'error: x'), exited())
    expect(await now(run.id)).toEqual({ run: 'paused', tasks: { 1: 'failed' } })
    await control.deps.db.tx((tx) => resumeRun(control.deps, tx, run.id, person))
    model.push(draft('Look', [draftStep('x', 'ls')]))
    await recover(run.id)
    await work(control.deps, { '1a': null })
    expect((await now(run.id)).run).toBe('succeeded')
  })

  test('locked down: nothing is asked, and what was being tried is cancelled', async () => {
    const run = await failAt2(control.deps, 'error: x')
    await setLockdown(control.deps.db, true)
    expect(await recover(run.id)).toBe('none')
    await lockDown(control.deps, control.deps.db.tx, null)
    expect((await now(run.id)).run).toBe('cancelled')
    await setLockdown(control.deps.db, false)
    expect(await recover(run.id)).toBe('none')
    expect(model.asked).toEqual([])
  })

  test('two workers at once: one asks, one way is taken', async () => {
    const run = await failAt2(control.deps, 'error: x')
    model.push(draft('Look', [draftStep('x', 'ls')]))
    const done = await Promise.all(Array.from({ length: 6 }, () => recover(run.id)))
    expect(done.sort()).toEqual(['done', 'none', 'none', 'none', 'none', 'none'])
    expect(model.asked).toHaveLength(1)
    await control.deps.db.tx((tx) => cancelRun(control.deps, tx, run.id, null))
  })

  test('a worker that died with the question open is followed by another; the third that dies is the last', async () => {
    const run = await failAt2(control.deps, 'error: x')
    for (let n = 0; n < 3; n++) {
      model.push(() => Promise.reject(new Error('killed')))
      await expect(recover(run.id)).rejects.toThrow('killed')
    }
    expect((await brief(run.id))[0]).toBe('reduce by model: open')
    await recover(run.id)
    expect((await brief(run.id)).slice(0, 2)).toEqual([
      'reduce by model: not_helped (too_often)',
      'budget by model: open',
    ])
    await control.deps.db.tx((tx) => cancelRun(control.deps, tx, run.id, null))
  })

  test('one that comes back after another has taken the step changes nothing', async () => {
    const run = await failAt2(control.deps, 'error: x')
    model.push(async () => {
      await control.deps.db.query(
        "UPDATE recovery SET taken_until = clock_timestamp() - interval '1 s' WHERE run_id = $1",
        [run.id],
      )
      model.push(draft('Second', [draftStep('x', 'ls')]))
      await recover(run.id)
      return draft('First', [draftStep('x', 'sleep 9')])
    })
    await recover(run.id)
    expect(await steps(run.id)).toMatchObject([{ note: 'Second', status: 'trying' }])
    expect((await now(run.id)).tasks).toEqual({ 1: 'succeeded', '2a': 'queued', 3: 'blocked' })
    await control.deps.db.tx((tx) => cancelRun(control.deps, tx, run.id, null))
  })
})

const quiet: Deps['bus'] = {
  publish: () => {},
  subscribe: () => () => {},
  connected: () => true,
  dropped: () => 0,
  close: async () => {},
}
