import { randomUUID } from 'node:crypto'
import { existsSync } from 'node:fs'
import { dirname } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { enqueueTasks } from '../../core/tasks/enqueueTasks.ts'
import { TaskRequest } from '../../core/tasks/taskRequest.ts'
import { approve } from '../support/fleet.ts'
import { type System, startSystem } from '../support/system.ts'

/* What programs ask for, done by a real agent. */

describe('tasks of programs on a real machine', () => {
  let system: System
  beforeAll(async () => {
    system = await startSystem()
  })
  afterAll(() => system?.stop())
  afterEach(() => expect(system.faults).toEqual([]))

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
