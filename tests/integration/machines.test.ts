import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { decideApproval } from '../../core/approvals/decideApproval.ts'
import type { Deps } from '../../core/deps.ts'
import { forceCancelOnce } from '../../core/dispatch/cancelAttempts.ts'
import { isLegal, type Machine } from '../../core/events/states.ts'
import type { Model } from '../../core/llm/model.ts'
import { recoverRun } from '../../core/recovery/recoverRun.ts'
import { cancelRun, pauseRun, resumeRun } from '../../core/runs/cancelRun.ts'
import { retryTask } from '../../core/runs/retryTask.ts'
import { reviewTask } from '../../core/runs/reviewTask.ts'
import { skipTask } from '../../core/runs/skipTask.ts'
import { type Claim, claimTasks } from '../../core/scheduling/claimTasks.ts'
import type { Tx } from '../../core/storage/sql.ts'
import { openTestControl, type TestControl } from '../support/control.ts'
import { newDatabase, type TestDatabase } from '../support/database.ts'
import {
  accepted,
  actual,
  addMachine,
  addPerson,
  exited,
  lostFrame,
  replayed,
  report,
  result,
  type Step,
  started,
  startRun,
  states,
  type TestMachine,
} from '../support/fleet.ts'
import * as model from '../support/ledgerModel.ts'
import { draft, draftStep } from '../support/scriptedModel.ts'

/*
 * The machines of run, task, approval and attempt against a model in memory: first step by step, where both must
 * agree after each; then many things at once, where what must hold in any order is checked.
 */

let database: TestDatabase
let control: TestControl
let personId: string
beforeAll(async () => {
  database = await newDatabase()
  control = await openTestControl({ databaseUrl: database.url, poolSize: 16 })
  personId = await addPerson(control.deps, 'owner')
})
afterAll(async () => {
  await control?.close()
  await database?.drop()
})

/** Plans that between them have every kind of task: reads, writes, chains, branches, files that others want. */
const shapes: Record<string, Step[]> = {
  read: [{ key: 'a' }],
  write: [{ key: 'a', command: 'touch x', files: ['/work/shared'] }],
  below: [{ key: 'a', command: 'touch y', files: ['/work/shared/below'] }],
  chain: [{ key: 'a' }, { key: 'b', after: ['a'] }],
  branch: [
    { key: 'a' },
    { key: 'b', after: ['a'] },
    { key: 'c', after: ['a'] },
    { key: 'd', after: ['b', 'c'] },
  ],
  mixed: [{ key: 'a', command: 'touch x', files: ['/work/own'] }, { key: 'b', after: ['a'] }, { key: 'c' }],
}
const toModel = (steps: Step[]) =>
  model.newRun(
    steps.map(({ key, after = [], command, files = [] }) => ({
      key,
      after,
      effect: command ? ('write' as const) : ('read' as const),
      owns: command ? files : [],
    })),
  )

type Pair = { id: string; tasks: Record<string, string>; expected: model.ModelRun }
type World = { machine: TestMachine; runs: Pair[]; claims: Map<string, Claim> }

const openClaims = (world: World): { pair: Pair; task: model.ModelTask; claim: Claim }[] =>
  world.runs.flatMap((pair) =>
    pair.expected.tasks.flatMap((task) => {
      const claim = world.claims.get(pair.tasks[task.key] ?? '')
      return claim && ['claimed', 'running', 'force_cancelled'].includes(task.status)
        ? [{ pair, task, claim }]
        : []
    }),
  )

/** An agent has only so many slots; what waits for one is not what is tested here. */
const MAX_ACTIVE = 10

/** How a command ends that met a bad network. */
const STUMBLED = 'curl: (6) Could not resolve host: example.org'

type Do = (world: World, pick: number) => Promise<void>
const at = <T>(list: readonly T[], pick: number): T | undefined => list[pick % Math.max(1, list.length)]

async function claimAll(world: World): Promise<void> {
  if (openClaims(world).length >= MAX_ACTIVE) return
  const wanted = world.runs.flatMap((pair) => model.claimable(pair.expected).map((task) => ({ pair, task })))
  const { claims } = await claimTasks(control.deps, 50)
  for (const claim of claims) {
    const found = wanted.find(({ pair, task }) => pair.tasks[task.key] === claim.taskId)
    expect(found, 'only what the model has queued is claimed').toBeDefined()
    if (!found) continue
    const owned = world.runs.flatMap((pair) => model.owning(pair.expected))
    expect(overlap(found.task.owns, owned), 'files of a claim are free').toBe(false)
    model.claim(found.task)
    world.claims.set(claim.taskId, claim)
  }
  const owned = world.runs.flatMap((pair) => model.owning(pair.expected))
  const left = wanted.filter(({ task }) => task.status === 'queued' && !overlap(task.owns, owned))
  if (openClaims(world).length < MAX_ACTIVE)
    expect(
      left.map(({ task }) => task),
      'nothing claimable is left',
    ).toEqual([])
}

const overlap = (a: string[], b: string[]): boolean =>
  a.some((x) => b.some((y) => x === y || x.startsWith(`${y}/`) || y.startsWith(`${x}/`)))

const onRun =
  (real: (pair: Pair) => Promise<unknown>, expected: (run: model.ModelRun) => void): Do =>
  async (world, pick) => {
    const pair = at(world.runs, pick)
    if (!pair) return
    await real(pair)
    expected(pair.expected)
  }

const onClaim =
  (act: (open: { pair: Pair; task: model.ModelTask; claim: Claim }) => Promise<void>): Do =>
  async (world, pick) => {
    const open = at(openClaims(world), pick)
    if (open) await act(open)
  }

const finish = (status: 'succeeded' | 'failed'): Do =>
  onClaim(async ({ pair, task, claim }) => {
    await report(control.deps, claim, accepted(), started(), result(status), exited())
    model.start(task)
    model.finish(pair.expected, task, status)
  })

const tx = <T>(work: (tx: Tx) => Promise<T>): Promise<T> => control.deps.db.tx(work)

async function decide(pair: Pair, decision: 'approved' | 'denied'): Promise<void> {
  const rows = await control.deps.db.query<{ id: string; plan_hash: string }>(
    'SELECT id, plan_hash FROM approval WHERE run_id = $1',
    [pair.id],
  )
  for (const { id, plan_hash } of rows)
    await tx((t) =>
      decideApproval(control.deps, t, { approvalId: id, personId, decision, planHash: plan_hash }),
    )
}

const commands: Record<string, Do> = {
  claim: claimAll,
  start: onClaim(async ({ task, claim }) => {
    if (task.status !== 'claimed') return
    await report(control.deps, claim, accepted(), started())
    model.start(task)
  }),
  succeed: finish('succeeded'),
  fail: finish('failed'),
  stumble: onClaim(async ({ pair, task, claim }) => {
    await report(control.deps, claim, accepted(), started(), result('failed', STUMBLED), exited())
    model.start(task)
    model.stumble(pair.expected, task)
    await control.deps.db.query("UPDATE task SET not_before = NULL WHERE status = 'queued'")
  }),
  lose: onClaim(async ({ pair, task, claim }) => {
    await report(control.deps, claim, lostFrame())
    model.start(task)
    model.lose(pair.expected, task)
  }),
  confirm: onClaim(async ({ pair, task, claim }) => {
    if (!task.cancelAsked) return
    await report(control.deps, claim, accepted(), started(), result('cancelled'), exited())
    model.finish(pair.expected, task, 'cancelled')
  }),
  approve: onRun(
    (pair) => decide(pair, 'approved'),
    (run) => model.decide(run, 'approved'),
  ),
  deny: onRun(
    (pair) => decide(pair, 'denied'),
    (run) => model.decide(run, 'denied'),
  ),
  cancel: onRun((pair) => tx((t) => cancelRun(control.deps, t, pair.id, personId)), model.cancel),
  pause: onRun((pair) => tx((t) => pauseRun(control.deps, t, pair.id, personId)), model.pause),
  resume: onRun((pair) => tx((t) => resumeRun(control.deps, t, pair.id, personId)), model.resume),
  retry: onRun(
    (pair) => tx((t) => retryTask(control.deps, t, pair.id, null, personId)),
    (run) => model.retry(run, null),
  ),
  again: (world, pick) => review(world, pick, 'again'),
  skip: (world, pick) => review(world, pick, 'skip'),
  leaveOut: async (world, pick) => {
    const pair = at(world.runs, pick)
    const task = at(pair?.expected.tasks ?? [], pick)
    if (!pair || !task) return
    await tx((t) =>
      skipTask(control.deps, t, { runId: pair.id, taskId: pair.tasks[task.key] ?? '' }, personId),
    )
    model.skip(pair.expected, task)
  },
  giveUp: async (world) => {
    await control.deps.db.query(
      "UPDATE attempt SET cancel_at = cancel_at - interval '1 h' WHERE cancel_at IS NOT NULL",
    )
    await forceCancelOnce(control.deps)
    for (const { expected } of world.runs) model.giveUp(expected)
  },
}

async function review(world: World, pick: number, verdict: 'again' | 'skip'): Promise<void> {
  const doubtful = world.runs.flatMap((pair) =>
    pair.expected.tasks.filter((task) => task.status === 'needs_review').map((task) => ({ pair, task })),
  )
  const found = at(doubtful, pick)
  if (!found) return
  const { pair, task } = found
  await tx((t) =>
    reviewTask(control.deps, t, { runId: pair.id, taskId: pair.tasks[task.key] ?? '' }, verdict, personId),
  )
  model.review(pair.expected, task, verdict)
}

const shapeOf = fc.constantFrom(...Object.keys(shapes))
const names = Object.keys(commands)
const step = fc.oneof(
  { weight: 2, arbitrary: shapeOf.map((shape) => ({ kind: 'create' as const, shape })) },
  { weight: 3, arbitrary: fc.constant({ kind: 'do' as const, name: 'claim', pick: 0 }) },
  // The same task often enough to come to the end of its tries.
  { weight: 2, arbitrary: fc.constant({ kind: 'do' as const, name: 'stumble', pick: 0 }) },
  {
    weight: 9,
    arbitrary: fc.record({
      kind: fc.constant('do' as const),
      name: fc.constantFrom(...names),
      pick: fc.nat(50),
    }),
  },
)

async function newWorld(): Promise<World> {
  await control.deps.db.query('UPDATE agent SET connected = false')
  return { machine: await addMachine(control.deps), runs: [], claims: new Map() }
}

async function create(world: World, shape: string): Promise<void> {
  const steps = shapes[shape] ?? []
  const run = await startRun(control.deps, world.machine, steps, personId)
  world.runs.push({ id: run.id, tasks: run.tasks, expected: toModel(steps) })
}

async function compare(world: World, after: string): Promise<void> {
  for (const { id, expected } of world.runs) {
    const real = await states(control.deps, id)
    const wanted = {
      run: expected.status,
      tasks: Object.fromEntries(expected.tasks.map((task) => [task.key, task.status])),
    }
    expect(real, after).toEqual(wanted)
  }
}

test('step by step, ledger and model agree', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 40, size: 'max' }), async (steps) => {
      const world = await newWorld()
      for (const one of steps) {
        if (one.kind === 'create') await create(world, one.shape)
        else await commands[one.name]?.(world, one.pick)
        await compare(world, one.kind === 'create' ? `create ${one.shape}` : one.name)
      }
    }),
    { numRuns: 60 },
  )
  expect(await replayed(control.deps)).toEqual(await actual(control.deps))
}, 120_000)

/** Everything any of them may do, at once: the ledger alone decides who comes first. */
const rivals: readonly ((world: World, pick: number) => Promise<unknown>)[] = [
  () => claimInto(),
  () => claimInto(),
  (world, pick) => reportAny(world, pick, accepted(), started()),
  (world, pick) => reportAny(world, pick, accepted(), started(), result('succeeded'), exited()),
  (world, pick) => reportAny(world, pick, accepted(), started(), result('failed'), exited()),
  (world, pick) => reportAny(world, pick, lostFrame()),
  (world, pick) => onAny(world, pick, ({ id }) => tx((t) => cancelRun(rival(), t, id, personId))),
  (world, pick) => onAny(world, pick, ({ id }) => tx((t) => pauseRun(rival(), t, id, personId))),
  (world, pick) => onAny(world, pick, ({ id }) => tx((t) => resumeRun(rival(), t, id, personId))),
  (world, pick) => onAny(world, pick, ({ id }) => tx((t) => retryTask(rival(), t, id, null, personId))),
  (world, pick) => onAny(world, pick, (pair) => decide(pair, 'approved')),
  (world, pick) => onAny(world, pick, (pair) => decide(pair, 'denied')),
  (world, pick) => reviewAny(world, pick, 'again'),
  (world, pick) => reviewAny(world, pick, 'skip'),
  (world, pick) =>
    onAny(world, pick, ({ id, tasks }) =>
      tx((t) => skipTask(rival(), t, { runId: id, taskId: Object.values(tasks).at(-1) ?? '' }, personId)),
    ),
  () => forceCancelOnce(rival()),
  (world, pick) => reportAny(world, pick, accepted(), started(), result('failed', STUMBLED), exited()),
  (world, pick) => onAny(world, pick, ({ id }) => recoverRun(rival(), id, new AbortController().signal)),
  () => rival().db.query("UPDATE task SET not_before = NULL WHERE status = 'queued'"),
]

/** A process that has a model to ask: it knows a way that only looks, one that asks, one that policy denies, and none. */
const rival = (): Deps => ({
  ...control.deps,
  model: adviser,
  settings: {
    ...control.deps.settings,
    recovery: { ...control.deps.settings.recovery, hasModel: true },
  },
})
let advised = 0
const advice = [
  draft('Look', [draftStep('x', 'ls'), draftStep('y', 'sleep 1', ['x'])]),
  draft('Change', [draftStep('x', 'touch made')]),
  draft('Delete', [draftStep('x', 'rm -rf /')]),
  draft('', [], 'A person should decide this.'),
]
const adviser: Model = {
  provider: 'scripted',
  model: 'adviser',
  complete: async () => {
    const value = advice[advised++ % advice.length]
    return { value, text: JSON.stringify(value), tokens_in: 10, tokens_out: 10, ms: 1 }
  },
}

let handedOut: Claim[] = []
async function claimInto(): Promise<void> {
  handedOut.push(...(await claimTasks(rival(), 50)).claims)
}

async function reportAny(_: World, pick: number, ...frames: Parameters<typeof report>[2][]): Promise<void> {
  const claim = at(handedOut, pick)
  if (claim) await report(rival(), claim, ...frames)
}

async function onAny(world: World, pick: number, act: (pair: Pair) => Promise<unknown>): Promise<void> {
  const pair = at(world.runs, pick)
  if (pair) await act(pair)
}

async function reviewAny(world: World, pick: number, verdict: 'again' | 'skip'): Promise<void> {
  await onAny(world, pick, (pair) =>
    tx((t) =>
      reviewTask(
        rival(),
        t,
        { runId: pair.id, taskId: Object.values(pair.tasks)[0] ?? '' },
        verdict,
        personId,
      ),
    ),
  )
}

type Told = { machine: Machine; id: string; from: string | null; to: string; task: string | null; at: number }

/** Every change of state in the order it was written. */
const history = (): Promise<Told[]> =>
  control.deps.db.query<Told>(
    `SELECT split_part(type, '.', 1) AS machine, coalesce(data->>'to', data->>'status') AS to, data->>'from' AS from, task_id AS task, seq AS at,
       CASE split_part(type, '.', 1) WHEN 'run' THEN run_id WHEN 'task' THEN task_id WHEN 'attempt' THEN attempt_id WHEN 'recovery' THEN (data->>'recovery_id')::uuid ELSE approval_id END AS id
     FROM event WHERE split_part(type, '.', 1) IN ('run', 'task', 'attempt', 'approval', 'recovery') AND (data ? 'to' OR data ? 'status') ORDER BY seq`,
  )

/** What must hold whatever came first. */
async function holds(): Promise<void> {
  const told = await history()
  for (const own of Map.groupBy(told, ({ machine, id }) => `${machine} ${id}`).values())
    for (const [i, { machine, from, to }] of own.entries()) {
      if (i === 0) continue
      expect(from, `${machine} goes on from where it was`).toBe(own[i - 1]?.to)
      expect(isLegal(machine, from ?? '', to), `${machine}: ${from} -> ${to}`).toBe(true)
    }
  expect(await replayed(control.deps)).toEqual(await actual(control.deps))
  const [broken] = await control.deps.db.query<Record<string, number>>(
    `SELECT
       (SELECT count(*)::int FROM file_ownership f JOIN file_ownership g ON f.machine_id = g.machine_id AND f.task_id <> g.task_id
         WHERE f.path = g.path OR starts_with(f.path, g.path || '/')) AS shared_files,
       (SELECT count(*)::int FROM task t JOIN task_dependency d ON d.task_id = t.id JOIN task x ON x.id = d.depends_on_id
         WHERE t.status IN ('queued', 'claimed', 'running', 'succeeded') AND x.status <> 'succeeded') AS too_early,
       (SELECT count(*)::int FROM (SELECT task_id FROM attempt a JOIN task t ON t.id = a.task_id AND t.claim_token = a.claim_token
         WHERE a.status IN ('claimed', 'accepted', 'started') GROUP BY task_id HAVING count(*) > 1) x) AS two_holders,
       (SELECT count(*)::int FROM approval_decision d JOIN approval a ON a.id = d.approval_id WHERE a.status IN ('approved', 'denied') AND d.decision <> a.status) AS other_answer,
       (SELECT count(*)::int FROM run r WHERE r.status IN ('succeeded', 'failed', 'cancelled', 'denied') AND EXISTS (
         SELECT 1 FROM task t WHERE t.run_id = r.id AND t.status IN ('held', 'blocked', 'queued', 'claimed', 'running'))) AS ended_too_soon,
       (SELECT count(*)::int FROM run r JOIN recovery v ON v.run_id = r.id WHERE v.status IN ('open', 'trying') AND r.status NOT IN ('running', 'paused')) AS tried_after_the_end,
       (SELECT count(*)::int FROM attempt a JOIN task t ON t.id = a.task_id WHERE t.verdict->>'verdict' = 'ask' AND NOT EXISTS (
         SELECT 1 FROM approval p WHERE p.run_id = t.run_id AND p.status = 'approved')) AS unapproved,
       (SELECT count(*)::int FROM task t JOIN recovery v ON v.id = t.recovery_id WHERE t.effect = 'write' AND t.verdict->>'verdict' = 'allow') AS writes_unasked`,
  )
  expect(broken).toEqual({
    shared_files: 0,
    too_early: 0,
    two_holders: 0,
    other_answer: 0,
    ended_too_soon: 0,
    tried_after_the_end: 0,
    unapproved: 0,
    writes_unasked: 0,
  })
}

test('many things at once leave a ledger that holds together', async () => {
  const act = fc.record({ rival: fc.nat(rivals.length - 1), pick: fc.nat(30) })
  const waves = fc.array(fc.array(act, { minLength: 2, maxLength: 12 }), { minLength: 2, maxLength: 8 })
  await fc.assert(
    fc.asyncProperty(fc.array(shapeOf, { minLength: 1, maxLength: 5 }), waves, async (plans, all) => {
      const world = await newWorld()
      handedOut = []
      for (const shape of plans) await create(world, shape)
      for (const wave of all) await Promise.all(wave.map(({ rival, pick }) => rivals[rival]?.(world, pick)))
    }),
    { numRuns: 60 },
  )
  await holds()
  const [ways] = await control.deps.db.query<{ n: number }>(
    'SELECT count(*)::int AS n FROM recovery WHERE plan_version IS NOT NULL',
  )
  expect(ways?.n, 'ways were found among all this').toBeGreaterThan(0)
  expect(await deadlocks(), 'everybody locks in the same order').toBe(0)
}, 120_000)

async function deadlocks(): Promise<number> {
  await control.deps.db.query('SELECT pg_stat_force_next_flush()')
  const [row] = await control.deps.db.query<{ deadlocks: number }>(
    'SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()',
  )
  return row?.deadlocks ?? 0
}
