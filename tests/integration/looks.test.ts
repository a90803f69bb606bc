import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { sealAuditOnce } from '../../core/audit/seal.ts'
import { verifyAudit } from '../../core/audit/verify.ts'
import { countStates } from '../../core/fleet/countStates.ts'
import { listMachines } from '../../core/fleet/machineFacts.ts'
import { startLook } from '../../core/planning/startLook.ts'
import { PlanSpec } from '../../core/protocol/specs.ts'
import { cancelRun } from '../../core/runs/cancelRun.ts'
import { activeRuns, pastRuns, runPage } from '../../core/runs/listRuns.ts'
import { lockDown } from '../../core/runs/lockDown.ts'
import { claimTasks } from '../../core/scheduling/claimTasks.ts'
import { askedAbout, talkRuns } from '../../core/talk/runsMeant.ts'
import { listTasks } from '../../core/tasks/listTasks.ts'
import { archiveOnce } from '../../workers/maintenance/archive.ts'
import { pruneLooksOnce } from '../../workers/maintenance/pruneLooks.ts'
import { openTestControl, type TestControl } from '../support/control.ts'
import { newDatabase, type TestDatabase } from '../support/database.ts'
import {
  accepted,
  actual,
  addMachine,
  addPerson,
  exited,
  log,
  replayed,
  report,
  result,
  started,
  startRun,
  type TestMachine,
} from '../support/fleet.ts'

/* Looks of the planner are runs that nobody asked for: people never meet one, and none is left after a day. */

let database: TestDatabase
let control: TestControl
let machine: TestMachine
let ana: string
beforeAll(async () => {
  database = await newDatabase()
  control = await openTestControl({ databaseUrl: database.url })
  machine = await addMachine(control.deps)
  ana = await addPerson(control.deps, 'owner')
})
afterAll(async () => {
  await control?.close()
  await database?.drop()
})

/** A run of Ana's, and a look that is taken for it. */
async function looking(): Promise<{ run: string; look: string }> {
  const { deps } = control
  const run = await startRun(deps, machine, [{ key: 'a', command: 'sleep 1' }], ana)
  const [machines, spec] = [
    await listMachines(deps.db),
    (await deps.db.query<{ spec: object }>('SELECT spec FROM plan WHERE run_id = $1', [run.id]))[0]?.spec,
  ]
  const found = machines.find(({ agentId }) => agentId === machine.agentId)
  if (!found) throw new Error('no machine')
  const look = await deps.db.tx((tx) =>
    startLook({ ...deps, wake: () => {} }, tx, { id: run.id, personId: ana }, PlanSpec.parse(spec), found),
  )
  if (!look) throw new Error('no look')
  return { run: run.id, look }
}

/** Everything that is claimable ends well. */
async function finishAll(): Promise<void> {
  const { claims } = await claimTasks(control.deps, 10)
  for (const claim of claims)
    await report(control.deps, claim, accepted(), started(), log('x\n'), result('succeeded'), exited())
}

test('while a look is taken, words, lists, pickers and counts know of the run alone', async () => {
  const { db } = control.deps
  const { run } = await looking()
  const speaker = { personId: ana, chatId: 5, topicId: 0 }
  const runs = await talkRuns(db, speaker)
  expect(askedAbout(runs, speaker).map(({ id }) => id)).toEqual([run])
  const lists = [
    await activeRuns(db, ana, 0),
    await pastRuns(db, {}, 0, 9),
    await runPage(db, { status: null, before: null }, 9),
  ]
  for (const list of lists) expect(list.map(({ id }) => id)).toEqual([run])
  const none = { status: null, runId: null, agent: null, dispatch: null }
  expect((await listTasks(db, none, null, 9)).map(({ run_id }) => run_id)).toEqual([run])
  expect(await countStates(db)).toMatchObject({ run: { running: 1 }, task: { queued: 1 }, attempt: {} })
  await finishAll()
  expect((await countStates(db)).attempt).toEqual({ exited: 1 })
})

test('whoever locks down hears of the runs that were asked for', async () => {
  const { deps } = control
  const { look } = await looking()
  expect((await lockDown(deps, deps.db.tx, ana)).cancelled).toBe(1)
  const [row] = await deps.db.query('SELECT status FROM run WHERE id = $1', [look])
  expect(row).toEqual({ status: 'cancelled' })
  await deps.db.query("DELETE FROM installation WHERE key = 'lockdown'")
})

test('a look is never archived, and a day after its end all of it is gone; the audit trail stands', async () => {
  const { deps } = control
  const { db } = deps
  const [done, stopped] = [await looking(), await looking()]
  await db.tx((tx) => cancelRun(deps, tx, stopped.look, ana))
  await finishAll()
  const looks = [done.look, stopped.look]
  await db.query("UPDATE run SET ended_at = ended_at - interval '23 hours' WHERE id = ANY($1::uuid[])", [
    looks,
  ])
  await sealAuditOnce(deps)
  const archiveDir = mkdtempSync(join(tmpdir(), 'skynet-archive-'))
  const retention = { ...deps.settings.retention, archiveAfterMs: 0, logsMaxBytes: 0 }
  await archiveOnce({ ...deps, settings: { ...deps.settings, archiveDir, retention } })
  rmSync(archiveDir, { recursive: true })
  expect(await rowsOf(done.look, 'log_chunk')).toBe(1)
  expect(await pruneLooksOnce(deps)).toBe(0)

  await db.query("UPDATE run SET ended_at = ended_at - interval '2 hours' WHERE id = ANY($1::uuid[])", [
    looks,
  ])
  await db.query("INSERT INTO event_cursor (reader, cursor) VALUES ('slow', '0.0')")
  expect(await pruneLooksOnce(deps)).toBe(0)
  await db.query("DELETE FROM event_cursor WHERE reader = 'slow'")
  // Whatever transaction is open elsewhere in the cluster holds readers up for a moment.
  let pruned = 0
  await vi.waitFor(async () => {
    await sealAuditOnce(deps)
    pruned += await pruneLooksOnce(deps)
    expect(pruned).toBe(2)
  }, 10_000)
  for (const look of looks)
    for (const table of ['run', 'plan', 'task', 'attempt', 'log_chunk', 'event'])
      expect([table, await rowsOf(look, table)]).toEqual([table, 0])
  expect(await rowsOf(done.run, 'task')).toBe(1)
  await sealAuditOnce(deps)
  expect((await verifyAudit(db)).faults).toEqual([])
  const [now, told] = [await actual(deps), await replayed(deps)]
  expect(told).toEqual(now)
})

async function rowsOf(runId: string, table: string): Promise<number> {
  const tasks = '(SELECT id FROM task WHERE run_id = $1)'
  const where: Record<string, string> = {
    run: 'id = $1',
    attempt: `task_id IN ${tasks}`,
    log_chunk: `attempt_id IN (SELECT id FROM attempt WHERE task_id IN ${tasks})`,
  }
  const rows = await control.deps.db.query(`SELECT 1 FROM ${table} WHERE ${where[table] ?? 'run_id = $1'}`, [
    runId,
  ])
  return rows.length
}
