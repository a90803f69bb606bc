import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { loadPlaybooks } from '../../../core/planning/loadPlaybooks.ts'
import { pastFor } from '../../../core/planning/readPast.ts'
import { openTestControl, type TestControl } from '../../support/control.ts'
import { newDatabase, type TestDatabase } from '../../support/database.ts'
import { addMachine, startRun, type TestMachine } from '../../support/fleet.ts'
import { demo } from './places.ts'

const playbooks = await loadPlaybooks(null)
const model = { provider: 'openai', model: 'x', complete: () => Promise.reject(new Error('not asked')) }
let database: TestDatabase
let control: TestControl
let machine: TestMachine
beforeAll(async () => {
  database = await newDatabase()
  control = await openTestControl({ databaseUrl: database.url })
  machine = await addMachine(control.deps)
})
afterAll(async () => {
  await control?.close()
  await database?.drop()
})

let clock = 0
/** A command that ended in a directory, later than the one before. */
async function ended(command: string, cwd: string, status: 'failed' | 'succeeded', summary: string) {
  const run = await startRun(control.deps, machine, [{ key: 'a', command, cwd }])
  clock += 1
  await control.deps.db.query(
    'UPDATE task SET status = $2, ended_at = to_timestamp($3), result = $4 WHERE run_id = $1',
    [run.id, status, clock, JSON.stringify({ summary, error: status === 'failed' ? 'exit 1' : null })],
  )
}

const past = (request: string, cwd: string, withModel = false, chat_id: number | null = null) =>
  pastFor(
    { ...control.deps, playbooks, model: withModel ? model : null },
    { request, chat_id, person_id: null },
    { ...demo(), agentId: machine.agentId, cwd, repository: null },
  )

test('a request for a fix knows how the tests of its directory ended last', async () => {
  expect((await past('plan a fix', '/work/demo')).place.lastTests).toBeNull()
  await ended('npm test', '/work/demo/src', 'failed', '# pass 5\n# fail 1\n')
  await ended('npm test', '/work/demo2', 'succeeded', '# pass 1\n# fail 0\n')
  await ended('rm build.log', '/work/demo', 'failed', 'no such file')
  expect((await past('plan a fix', '/work/demo')).place.lastTests).toEqual({
    failed: true,
    said: '# pass 5\n# fail 1\n',
  })
})

test('a model is told what failed there last', async () => {
  const { context } = await past('why did it fail?', '/work/demo', true)
  expect(context?.[0]?.text).toMatch(/in run #\d+: rm build\.log\nIt ended with: exit 1\./)
  expect(context?.[0]?.text).toContain('no such file')
  expect(context?.[0]?.origin).toMatch(/^log of #\d+$/)
  expect((await past('plan a fix', '/work/demo')).context).toBeUndefined()
})

test('a group knows nothing of how it ended elsewhere', async () => {
  expect((await past('plan a fix', '/work/demo', false, -5)).place.lastTests).toBeNull()
  expect((await past('why did it fail?', '/work/demo', true, -5)).context).toBeUndefined()
  expect((await past('plan a fix', '/work/demo', false, 5)).place.lastTests?.failed).toBe(true)
})

test('a look of the planner is no past of a place', async () => {
  await ended('npm test', '/work/looked', 'failed', '# pass 0\n# fail 9\n')
  await control.deps.db.query(
    "UPDATE run SET number = -1 WHERE id = (SELECT run_id FROM task WHERE cwd = '/work/looked')",
  )
  expect((await past('plan a fix', '/work/looked')).place.lastTests).toBeNull()
  expect((await past('why did it fail?', '/work/looked', true)).context).toBeUndefined()
})

test('nothing is looked up for other requests', async () => {
  expect((await past('list files', '/work/demo', true)).place).not.toHaveProperty('lastTests')
})

test('and its log from the ledger, cut to its start, its end and its errors, with what was tried', async () => {
  await ended('make all', '/work/logged', 'failed', 'the end')
  const { db } = control.deps
  const [task] = await db.query<{ id: string; run_id: string }>(
    "SELECT id, run_id FROM task WHERE cwd = '/work/logged'",
  )
  const attempt = randomUUID()
  await db.query(
    `INSERT INTO attempt (id, task_id, number, claim_token, status, agent_id, spec_hash, "grant") VALUES ($1, $2, 1, $4, 'exited', $3, 'x', '{}')`,
    [attempt, task?.id, machine.agentId, randomUUID()],
  )
  const lines = Array.from({ length: 4000 }, (_, i) =>
    i === 2000 ? 'fatal: the real cause' : `building ${i}`,
  )
  await db.query(
    `INSERT INTO log_chunk (attempt_id, seq, stream, text, at) SELECT $1, n, 'stdout', line || E'\\n', clock_timestamp() FROM unnest($2::text[]) WITH ORDINALITY AS l(line, n)`,
    [attempt, lines],
  )
  await db.query(
    `INSERT INTO recovery (id, run_id, task_id, root_id, rung, by, status, failure, came_of, note) VALUES ($1, $2, $3, $3, 'reduce', 'model', 'not_helped', 'other', 'denied', 'Build less')`,
    [randomUUID(), task?.run_id, task?.id],
  )
  const [failure] = (await past('plan a fix', '/work/logged', true)).context ?? []
  for (const part of [
    'building 0\n',
    'fatal: the real cause',
    'building 3999',
    'left out',
    '- reduce by model (Build less): denied',
  ])
    expect(failure?.text).toContain(part)
  expect(failure?.text.length).toBeLessThan(8000)
})
