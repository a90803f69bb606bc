import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { recoverRun } from '../../core/recovery/recoverRun.ts'
import { claimTasks } from '../../core/scheduling/claimTasks.ts'
import { wakeOnce } from '../../workers/maintenance/wake.ts'
import { openTestControl, type TestControl } from '../support/control.ts'
import { newDatabase, type TestDatabase } from '../support/database.ts'
import {
  accepted,
  actual,
  addMachine,
  approve,
  exited,
  finish,
  replayed,
  report,
  result,
  started,
  startRun,
} from '../support/fleet.ts'
import { draft, draftStep, scriptedModel } from '../support/scriptedModel.ts'

/* A worker is killed, as kill -9 does, while it makes another way the plan: all of it is there afterwards, or nothing. */

let database: TestDatabase
let control: TestControl
const model = scriptedModel()
beforeAll(async () => {
  database = await newDatabase()
  control = await openTestControl({ databaseUrl: database.url, model })
})
afterAll(async () => {
  await control?.close()
  await database?.drop()
})

const way = draft('Make it', [draftStep('x', 'touch made'), draftStep('y', 'ls', ['x'])])

async function killedAt(point: string, runId: string, answer: object): Promise<string> {
  const child = spawn(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', join(import.meta.dirname, '../support/recoverProcess.ts')],
    {
      env: {
        PATH: process.env.PATH,
        DATABASE: database.url,
        RUN: runId,
        ANSWER: JSON.stringify(answer),
        SKYNET_FAILPOINT: point,
      },
      stdio: ['ignore', 'ignore', 'pipe'],
    },
  )
  const said: Buffer[] = []
  child.stderr.on('data', (piece: Buffer) => said.push(piece))
  const [, signal] = (await once(child, 'exit')) as [number | null, string | null]
  return signal ?? Buffer.concat(said).toString()
}

const rows = (runId: string) =>
  control.deps.db.query<{ versions: number; pending: number; keys: string[]; steps: string[] }>(
    `SELECT r.plan_version AS versions, (SELECT count(*)::int FROM approval WHERE run_id = r.id AND status = 'pending') AS pending,
       ARRAY(SELECT t.key || ' ' || t.status FROM task t JOIN plan p ON p.id = t.plan_id AND p.version = r.plan_version WHERE t.run_id = r.id ORDER BY t.position) AS keys,
       ARRAY(SELECT v.rung || ' ' || v.status FROM recovery v WHERE v.run_id = r.id ORDER BY v.created_at, v.id) AS steps FROM run r WHERE r.id = $1`,
    [runId],
  )

async function failing(): Promise<string> {
  const machine = await addMachine(control.deps)
  const run = await startRun(control.deps, machine, [
    { key: '1' },
    { key: '2', after: ['1'], command: 'sleep 2' },
  ])
  const { claims } = await claimTasks(control.deps, 20)
  for (const claim of claims)
    await report(control.deps, claim, accepted(), started(), result('failed', 'error: x'), exited())
  return run.id
}

/** What the tick does once the lease of a dead worker is over. */
async function foundAgain(runId: string): Promise<void> {
  await control.deps.db.query(
    "UPDATE recovery SET taken_until = clock_timestamp() - interval '1 s', created_at = created_at - interval '1 s' WHERE run_id = $1 AND status = 'open'",
    [runId],
  )
  const woken: string[] = []
  await wakeOnce({
    db: control.deps.db,
    wake: (name, payload) => {
      if (name === 'run.recover' && 'runId' in payload) woken.push(payload.runId)
    },
  })
  expect(woken).toContain(runId)
}

test.each(['recovery.trying:after', 'recovery.trying:committed'])('killed at %s', async (point) => {
  const runId = await failing()
  expect(await killedAt(point, runId, way)).toBe('SIGKILL')
  if (point !== 'recovery.trying:committed') {
    expect(await rows(runId)).toEqual([
      { versions: 1, pending: 0, keys: ['1 failed', '2 blocked'], steps: ['reduce open'] },
    ])
    await foundAgain(runId)
    model.push(way)
  }
  await recoverRun(control.deps, runId, new AbortController().signal)
  expect(await rows(runId)).toEqual([
    { versions: 2, pending: 1, keys: ['1a held', '1b held', '2 blocked'], steps: ['reduce trying'] },
  ])
  await approve(control.deps, runId)
  for (let n = 0; n < 3; n++)
    for (const claim of (await claimTasks(control.deps, 20)).claims) await finish(control.deps, claim)
  expect((await rows(runId))[0]?.steps).toEqual(['reduce helped'])
  expect(await replayed(control.deps)).toEqual(await actual(control.deps))
})
