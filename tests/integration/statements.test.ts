import { afterAll, beforeAll, expect, test } from 'vitest'
import { claimTasks } from '../../core/scheduling/claimTasks.ts'
import { completePulled, heartbeatPulled, startPulled } from '../../core/scheduling/pulledAttempts.ts'
import { claimPulled } from '../../core/scheduling/pullTasks.ts'
import { enqueueTasks } from '../../core/tasks/enqueueTasks.ts'
import { TaskRequest } from '../../core/tasks/taskRequest.ts'
import { openTestControl, type TestControl } from '../support/control.ts'
import { newDatabase, type TestDatabase } from '../support/database.ts'
import { addMachine, finish } from '../support/fleet.ts'

/* How the statements of a task's life are planned: once, perhaps on an empty ledger, and for good. */

let database: TestDatabase
let control: TestControl
beforeAll(async () => {
  database = await newDatabase()
  control = await openTestControl({ databaseUrl: database.url, poolSize: 1 })
})
afterAll(async () => {
  await control?.close()
  await database?.drop()
})

async function live(request: object): Promise<void> {
  const { deps } = control
  for (const count of [1, 3]) {
    const tasks = Array.from({ length: count }, () => TaskRequest.parse({ action: 'noop', ...request }))
    await enqueueTasks(deps, { runId: null, personId: null, tasks })
  }
  for (;;) {
    const pulled = await claimPulled(deps, { agent: 'outside', capabilities: [], taskId: null })
    if (pulled.kind !== 'claimed') break
    const { taskId, claimToken } = pulled.claim
    const holder = { taskId, agent: 'outside', claimToken }
    await startPulled(deps, holder)
    await heartbeatPulled(deps, holder)
    await completePulled(deps, holder, { status: 'succeeded', result: null, error: null })
  }
  for (const claim of (await claimTasks(deps, 10)).claims) await finish(deps, claim)
}

test('none of them reads a table of work, or all that is in one state, even when it was planned on an empty ledger', async () => {
  const { db } = control.deps
  const machine = await addMachine(control.deps)
  await live({ dispatch: 'pull', agent_id: 'outside' })
  await live({ agent_id: machine.name })
  // Not by a prepared statement: those are what is looked at here.
  const { rows } = await db.pool.query("SELECT 1 FROM task WHERE status = 'succeeded'")
  expect(rows).toHaveLength(8)
  const statements = await db.query<{ statement: string }>(
    "SELECT statement FROM pg_prepared_statements WHERE statement ~* '^\\s*(with|select|insert|update|delete)'",
  )
  expect(statements.length).toBeGreaterThan(20)
  await db.query('TRUNCATE run, event CASCADE')
  for (const { statement } of statements) {
    const plan = await db.pool.query<{ 'QUERY PLAN': string }>(`EXPLAIN (GENERIC_PLAN) ${statement}`)
    const text = plan.rows.map((line) => line['QUERY PLAN']).join('\n')
    expect(text).not.toMatch(/Seq Scan on (task|attempt|run|plan|event|log_chunk)\b/)
    expect(text).not.toMatch(/using (task|run)_status_idx/)
  }
})
