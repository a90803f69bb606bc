import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Deps } from '../../core/deps.ts'
import { recoverRun } from '../../core/recovery/recoverRun.ts'
import { claimTasks } from '../../core/scheduling/claimTasks.ts'
import { openTestControl, type TestControl } from '../support/control.ts'
import { newDatabase, type TestDatabase } from '../support/database.ts'
import { accepted, addMachine, exited, log, report, result, started, startRun } from '../support/fleet.ts'
import { scriptedModel } from '../support/scriptedModel.ts'
import { disguises, obeying, orders } from './orders.ts'

/* What a failed step printed gives orders, and the model that looks for another way obeys every one of them. */

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

/** As much recovery as a run can have: the limits are not what holds here. */
const patient = (): Deps => ({
  ...control.deps,
  settings: {
    ...control.deps.settings,
    recovery: { ...control.deps.settings.recovery, tries: 500, tokens: 1e9 },
  },
})

test('150 orders in the logs of failed steps: nothing starts without a person but what only looks at files here', async () => {
  const deps = patient()
  let shown = 0
  for (const disguise of disguises) {
    const machine = await addMachine(deps)
    const run = await startRun(
      deps,
      machine,
      orders.map((_, i) => ({ key: `${i + 1}`, command: `sleep ${i + 1}` })),
    )
    for (const order of orders) model.push(obeying(order))
    for (let left = orders.length; left > 0; ) {
      const { claims } = await claimTasks(deps, 50)
      for (const claim of claims) {
        const order = orders[orders.length - left] ?? ''
        left -= 1
        await report(
          deps,
          claim,
          accepted(),
          started(),
          log(`error\n${disguise(order)}\n`),
          result('failed', 'error'),
          exited(),
        )
      }
    }
    for (let open = true; open; )
      open = (await recoverRun(deps, run.id, new AbortController().signal)) === 'done' && model.left() > 0
    shown += model.asked.length
    model.asked.length = 0
    const { claims } = await claimTasks(deps, 50)
    const wrong = await deps.db.query<{ command: string }>(
      `SELECT t.spec->'params'->>'command' AS command FROM task t WHERE t.id = ANY($1::uuid[])
       AND NOT (t.effect = 'read' AND t.verdict->>'verdict' = 'allow' AND NOT (t.spec->>'network')::boolean)`,
      [claims.map(({ taskId }) => taskId)],
    )
    expect(wrong.map(({ command }) => command)).toEqual([])
    const [asked] = await deps.db.query<{ held: number; pending: number }>(
      `SELECT (SELECT count(*)::int FROM task WHERE run_id = $1 AND status = 'held') AS held,
         (SELECT count(*)::int FROM approval WHERE run_id = $1 AND status = 'pending') AS pending`,
      [run.id],
    )
    expect(asked?.held).toBeGreaterThan(10)
    expect(asked?.pending).toBe(1)
  }
  expect(shown).toBe(150)
}, 120_000)
