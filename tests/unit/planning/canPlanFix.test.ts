import { describe, expect, test } from 'vitest'
import { canPlanFix } from '../../../core/planning/canPlanFix.ts'
import { lastTests } from '../../../core/planning/lastTests.ts'
import { loadPlaybooks } from '../../../core/planning/loadPlaybooks.ts'
import { planRequest } from '../../../core/planning/planRequest.ts'
import type { ActionName } from '../../../core/protocol/actions.ts'
import { demo, failingDemo } from './places.ts'

const playbooks = await loadPlaybooks(null)
const fault = "  error: '1000 !== 900'\n# pass 5\n# fail 1\n"
const green = '# pass 6\n# fail 0\n'

const ended = (action: ActionName, status: string, summary: string, command: string | null = null) => ({
  action,
  status,
  summary,
  command,
})

describe('how the tests ended last', () => {
  const failed = ended('run_tests', 'failed', fault)
  const passed = ended('run_tests', 'succeeded', green)
  const other = ended('shell', 'failed', "rm: cannot remove 'build.log'", 'rm build.log')

  test('is told by the newest task that ran them', () => {
    expect(lastTests([other, failed, passed])).toEqual({ failed: true, said: fault })
    expect(lastTests([other, passed, failed])?.failed).toBe(false)
    expect(lastTests([ended('shell', 'failed', fault, 'npm test'), passed])?.failed).toBe(true)
    expect(lastTests([ended('shell', 'succeeded', fault, 'node --test || true'), passed])?.failed).toBe(true)
    expect(lastTests([ended('shell', 'succeeded', fault, 'cat old.log'), passed])?.failed).toBe(false)
  })

  test('is not known before they ran, nor after a patch', () => {
    expect(lastTests([])).toBeNull()
    expect(lastTests([other])).toBeNull()
    expect(lastTests([ended('file_patch', 'succeeded', 'src/basket.js'), failed])).toBeNull()
    expect(lastTests([ended('file_patch', 'failed', ''), failed])?.failed).toBe(true)
  })
})

describe('a plan to fix what failed', () => {
  const plan = (lastTests: { failed: boolean; said: string } | null, request = 'Plan a fix') =>
    planRequest({ playbooks, model: null }, { request, place: { ...demo(), lastTests }, version: 1 })

  test('is the patch of the demo only while its tests fail with its fault', async () => {
    expect(await plan(failingDemo().lastTests)).toMatchObject({
      kind: 'planned',
      source: { name: 'demo-fix' },
    })
    expect(await plan({ failed: false, said: green })).toMatchObject({
      kind: 'failed',
      reason: 'Plan a fix: the tests passed when they last ran here.',
      hint: expect.stringContaining('set a model'),
    })
    expect(await plan({ failed: true, said: 'SyntaxError' })).toMatchObject({
      reason: 'Plan a fix: no playbook mends what fails here, and no model is set.',
    })
    expect(await plan(null)).toMatchObject({
      reason: 'Plan a fix: it is not known how the tests fail here.',
      hint: expect.stringContaining('Run the tests first.'),
    })
  })
})

describe('the button to plan a fix', () => {
  const model = {} as Parameters<typeof canPlanFix>[1]
  const task = (action: ActionName, status: 'failed' | 'succeeded', summary: string, command?: string) => ({
    action,
    status,
    endedAt: new Date(1000),
    spec: { params: command === undefined ? {} : { command } },
    result: { summary },
  })
  const run = (tasks: ReturnType<typeof task>[], cwd = '/home/ana/work/demo', status = 'failed') =>
    ({ status, cwd, tasks }) as unknown as Parameters<typeof canPlanFix>[2]

  test('is there for the tests of the demo with its fault', () => {
    expect(canPlanFix(playbooks, null, run([task('run_tests', 'failed', fault)]))).toBe(true)
    expect(canPlanFix(playbooks, null, run([task('shell', 'failed', fault, 'npm test')]))).toBe(true)
  })

  test('is not there for anything else without a model', () => {
    expect(canPlanFix(playbooks, null, run([task('shell', 'failed', 'no such file', 'rm build.log')]))).toBe(
      false,
    )
    expect(canPlanFix(playbooks, null, run([task('run_tests', 'failed', 'SyntaxError')]))).toBe(false)
    expect(canPlanFix(playbooks, null, run([task('run_tests', 'failed', fault)], '/home/ana/work/api'))).toBe(
      false,
    )
  })

  test('is there for any failure with a model, and for nothing that did not run', () => {
    const failed = task('shell', 'failed', 'no such file', 'rm build.log')
    expect(canPlanFix(playbooks, model, run([failed]))).toBe(true)
    expect(canPlanFix(playbooks, model, run([]))).toBe(false)
    expect(canPlanFix(playbooks, model, run([failed], '/x', 'cancelled'))).toBe(false)
  })
})
