import { randomUUID } from 'node:crypto'
import { existsSync } from 'node:fs'
import { dirname } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { enqueueTasks } from '../../core/tasks/enqueueTasks.ts'
import { TaskRequest } from '../../core/tasks/taskRequest.ts'
import { approve } from '../support/fleet.ts'
import { type System, startSystem, textOf } from '../support/system.ts'

/* What programs ask for, done by a real agent. */

describe('tasks of programs on a real machine', () => {
  let system: System
  beforeAll(async () => {
    system = await startSystem()
    system.say('/help')
    await system.message(/\/plan/)
  })
  afterAll(() => system?.stop())
  afterEach(() => expect(system.faults).toEqual([]))

  test('a machine that dies under several steps asks one question, with the card below it', async () => {
    const step = (name: string): TaskRequest =>
      TaskRequest.parse({
        action: 'shell',
        params: { command: `touch ${name}; sleep 60` },
        required_files: [name],
        cwd: dirname(system.path('x')),
      })
    const made = await enqueueTasks(system.control.deps, {
      runId: null,
      personId: null,
      tasks: [step('one'), step('two'), step('three')],
    })
    if (made.kind !== 'enqueued') throw new Error(JSON.stringify(made))
    await system.message(/❓ [A-Z]\d/) // in the owner's chat, since no other asked
    await system.tap('Approve')
    await system.until(() => ['one', 'two', 'three'].every((name) => system.has(name)), 'all to run')
    system.kill('agent')
    const question = await system.message(/🖐 #\d+ (\d steps need|step \d needs) you/)
    await system.message(/🖐 #\d+ needs you/, { after: question.message_id })
    await system.until(async () => {
      const rows = await system.db.query("SELECT 1 FROM task WHERE run_id = $1 AND status = 'needs_review'", [
        made.runId,
      ])
      return rows.length === 3
    }, 'all to need review')
    expect(system.messages().filter((m) => /needs? you:|need you \(/.test(textOf(m)))).toHaveLength(1)
    const [run] = await system.db.query<{ number: number }>('SELECT number FROM run WHERE id = $1', [
      made.runId,
    ])
    system.say(`/cancel ${run?.number}`)
    await system.runIs(run?.number ?? 0, 'cancelled')
    await system.connected()
  })

  test('a later task reads what the ones before it left behind, from a file that is gone afterwards', async () => {
    const [first, second] = [randomUUID(), randomUUID()]
    const shell = (task_id: string, command: string, dependencies: string[] = []): TaskRequest =>
      TaskRequest.parse({ task_id, action: 'shell', params: { command }, dependencies })
    const made = await enqueueTasks(system.control.deps, {
      runId: null,
      personId: null,
      tasks: [
        shell(second, 'echo "$SKYNET_INPUTS"; cat "$SKYNET_INPUTS"', [first]),
        shell(first, 'printf "it is %s\\n" "$((6*7))"; echo \'"; rm -rf x\''),
      ],
    })
    if (made.kind !== 'enqueued') throw new Error(JSON.stringify(made))
    await approve(system.control.deps, made.runId)
    const [run] = await system.db.query<{ number: number }>('SELECT number FROM run WHERE id = $1', [
      made.runId,
    ])
    const view = await system.runIs(run?.number ?? 0, 'succeeded')
    const summary = view.tasks.find((task) => task.id === second)?.result?.summary ?? ''
    const [path = '', ...json] = summary.split('\n')
    expect(JSON.parse(json.join('\n'))).toEqual({
      2: { task_id: first, exit_code: 0, summary: 'it is 42\n"; rm -rf x', changed: [] },
    })
    expect(path).toMatch(/inputs\.json$/)
    expect(existsSync(dirname(path))).toBe(false)
  })
})
