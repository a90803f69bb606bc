import { afterAll, beforeAll, expect, test } from 'vitest'
import { rememberOnce } from '../../core/memory/rememberOnce.ts'
import { recoverRun } from '../../core/recovery/recoverRun.ts'
import { claimTasks } from '../../core/scheduling/claimTasks.ts'
import { MindJudge } from '../faults/mind.ts'
import { commandOf, type Work } from '../faults/work.ts'
import { openTestControl, type TestControl } from '../support/control.ts'
import { newDatabase, type TestDatabase } from '../support/database.ts'
import { allReadable } from '../support/events.ts'
import {
  accepted,
  addMachine,
  approve,
  exited,
  finish,
  report,
  result,
  started,
  startRun,
  type TestMachine,
} from '../support/fleet.ts'
import { draft, draftStep, scriptedModel } from '../support/scriptedModel.ts'

/* The judge of the fault campaign: it finds nothing in a ledger that is right, and each thing that is wrong in one that is not. */

let database: TestDatabase
let control: TestControl
let machine: TestMachine
let judge: MindJudge
let runId: string
const model = scriptedModel()

const work = (key: string): string => {
  const one: Work = { key, effect: 'write', seconds: 0, lines: 0, dir: '', file: '', code: 0 }
  return commandOf(one)
}

beforeAll(async () => {
  database = await newDatabase()
  control = await openTestControl({ databaseUrl: database.url, model })
  machine = await addMachine(control.deps)
  judge = new MindJudge(control.deps.db, [
    { failed: 't1', keys: ['w1'] },
    { failed: 't1', keys: ['w2', 'w3'] },
  ])
  runId = await mended()
  await allReadable(control.deps.db)
  await rememberOnce(control.deps)
})
afterAll(async () => {
  await control?.close()
  await database?.drop()
})

/** A run of which a step failed, and the two steps that a model had for it worked. */
async function mended(): Promise<string> {
  const run = await startRun(control.deps, machine, [{ key: '1', command: work('t1') }])
  await approve(control.deps, run.id)
  for (const claim of (await claimTasks(control.deps, 20)).claims)
    await report(control.deps, claim, accepted(), started(), result('failed', 'error: x'), exited())
  model.push(draft('Mend it', [draftStep('a', work('w2')), draftStep('b', work('w3'), ['a'])]))
  await recoverRun(control.deps, run.id, new AbortController().signal)
  await approve(control.deps, run.id)
  for (let n = 0; n < 2; n++)
    for (const claim of (await claimTasks(control.deps, 20)).claims) await finish(control.deps, claim)
  return run.id
}

/** What is found wrong after a statement, which is taken back. */
async function wrong(statement: string, ...values: unknown[]): Promise<Record<string, number>> {
  const counts: Record<string, number> = {}
  const undo = new Error('undo')
  await control.deps.db
    .tx(async (tx) => {
      await tx.query(statement, values)
      const own = new MindJudge(tx, [
        { failed: 't1', keys: ['w1'] },
        { failed: 't1', keys: ['w2', 'w3'] },
      ])
      for (const name of ['forgotten', 'remembered', 'unapproved', 'answered'] as const) {
        const lines = await own[name]()
        if (lines.length > 0) counts[name] = lines.length
      }
      throw undo
    })
    .catch((error) => {
      if (error !== undo) throw error
    })
  return counts
}

test('what is right has nothing wrong', async () => {
  expect(await wrong('SELECT 1')).toEqual({})
  const { steps, memories } = await judge.figures()
  expect(steps).toEqual({ 'reduce helped': 1 })
  expect(memories).toBeGreaterThanOrEqual(2)
  const [run] = await control.deps.db.query('SELECT status FROM run WHERE id = $1', [runId])
  expect(run).toEqual({ status: 'succeeded' })
})

test.each([
  ['an outcome that is not remembered', "DELETE FROM memory_source WHERE source LIKE 'run:%'", 'forgotten'],
  ['a failure that is not', "DELETE FROM memory WHERE kind = 'failure'", 'forgotten'],
  ['one that counts twice', "UPDATE memory SET times = 2 WHERE kind = 'task'", 'remembered'],
  [
    'a run that goes on and is remembered',
    "UPDATE run SET status = 'running', ended_at = NULL",
    'remembered',
  ],
  ['a step that nobody approved', "UPDATE approval SET status = 'denied'", 'unapproved'],
  [
    'one that was approved after it began',
    "UPDATE event SET seq = seq + 1000000 WHERE type = 'approval.approved'",
    'unapproved',
  ],
  [
    'a step that is not the one approved',
    `UPDATE task SET spec = jsonb_set(spec, '{params,command}', '"rm -rf x"') WHERE recovery_id IS NULL`,
    'unapproved',
  ],
  ['what policy denies', `UPDATE task SET verdict = verdict || '{"verdict": "deny"}'`, 'unapproved'],
  [
    'half an answer',
    `UPDATE task SET recovery_id = NULL WHERE spec->'params'->>'command' LIKE '% w2-%'`,
    'answered',
  ],
  [
    'two ways at a time',
    `INSERT INTO event (type, run_id, task_id, data) SELECT type, run_id, task_id, jsonb_set(data, '{recovery_id}', '"7e57ab1e-0000-4000-8000-000000000000"')
     FROM event CROSS JOIN generate_series(1, 2) WHERE type = 'recovery.begun'`,
    'answered',
  ],
  [
    'a run that was planned twice',
    `INSERT INTO task SELECT (jsonb_populate_record(t, jsonb_build_object('id', gen_random_uuid(), 'key', '9'))).* FROM task t WHERE recovery_id IS NULL`,
    'answered',
  ],
])('%s is found', async (_, statement, name) => {
  expect((await wrong(statement))[name]).toBeGreaterThan(0)
})
