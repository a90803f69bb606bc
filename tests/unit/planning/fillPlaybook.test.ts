import { describe, expect, test } from 'vitest'
import { loadPlaybooks } from '../../../core/planning/loadPlaybooks.ts'
import { type PlaceFacts, planRequest } from '../../../core/planning/planRequest.ts'
import { judge } from '../../../core/policy/judge.ts'
import { loadPolicy } from '../../../core/policy/loadPolicy.ts'
import { ActionCallSchema } from '../../../core/protocol/actions.ts'
import { planHash } from '../../../core/protocol/hash.ts'
import { PlanSpec } from '../../../core/protocol/specs.ts'
import { demo, failingDemo, place, places } from './places.ts'

const playbooks = await loadPlaybooks(null)
const plan = (request: string, at: PlaceFacts) =>
  planRequest({ playbooks, model: null }, { request, place: at, version: 1 })

async function planned(request: string, at: PlaceFacts) {
  const outcome = await plan(request, at)
  if (outcome.kind !== 'planned') throw new Error(`${request}: ${JSON.stringify(outcome)}`)
  return outcome.plan
}

describe('built-in playbooks', () => {
  for (const [what, at] of Object.entries(places)) {
    test(`give sound plans or a reason in ${what}`, async () => {
      for (const playbook of playbooks) {
        for (const example of playbook.examples.match) {
          const outcome = await plan(example, at())
          if (outcome.kind === 'unmatched') {
            expect(Object.keys(playbook.only), example).not.toEqual([])
            expect(outcome.nearest.length).toBeGreaterThanOrEqual(1)
          } else if (outcome.kind === 'failed') {
            expect(outcome.reason, example).toMatch(/^[^\n]{10,200}\.$/)
            expect(outcome.hint, example).toMatch(/^[^\n]{10,250}$/)
          } else checkPlan(outcome.plan, at())
        }
      }
    })
  }

  test('every one makes a plan somewhere', async () => {
    for (const playbook of playbooks) {
      const outcomes = await Promise.all(
        Object.values(places).map((at) => plan(playbook.examples.match[0] ?? '', at())),
      )
      const made = outcomes.flatMap((o) =>
        o.kind === 'planned' && o.source.kind === 'playbook' ? [o.source.name] : [],
      )
      expect(made).toContain(playbook.name)
    }
  })
})

describe('policy', () => {
  const onlyLook = [
    'repo-status',
    'show-diff',
    'recent-commits',
    'branches',
    'machine-health',
    'large-files',
    'log-tail',
    'find-text',
    'find-file',
    'list-files',
    'show-file',
    'services',
    'port-use',
  ]

  test('lets every playbook that only looks go on without asking, and such tasks own nothing', async () => {
    const policy = await loadPolicy(null)
    const at = demo()
    for (const { name, examples } of playbooks.filter((p) => onlyLook.includes(p.name))) {
      for (const { spec } of (await planned(examples.match[0] ?? '', at)).tasks) {
        const call = ActionCallSchema.parse({ action: spec.action, params: spec.params })
        const verdict = judge(
          call,
          { cwd: at.cwd, roots: at.roots, home: at.home, platform: 'linux' },
          policy,
        )
        expect([name, spec.params, verdict.verdict, spec.required_files]).toEqual([
          name,
          spec.params,
          'allow',
          [],
        ])
      }
    }
  })
})

function checkPlan(spec: PlanSpec, at: PlaceFacts) {
  expect(PlanSpec.parse(spec)).toEqual(spec)
  expect(planHash(spec, 'test')).toMatch(/^[0-9a-f]{64}$/)
  expect([...spec.summary].length).toBeLessThanOrEqual(60)
  expect(spec.tasks.map((t) => t.key)).toEqual(spec.tasks.map((_, i) => String(i + 1)))
  for (const { title, spec: task } of spec.tasks) {
    expect([...title].length).toBeLessThanOrEqual(30)
    expect(task).toMatchObject({ agent_id: at.agentId, machine_id: at.machineId, cwd: at.cwd })
    for (const file of task.required_files) expect(file).toMatch(/^\//)
    expect(JSON.stringify(task)).not.toContain('{{')
  }
}

describe('a plan from a playbook', () => {
  test('runs tests and lint side by side, then reports', async () => {
    const { tasks, milestones } = await planned('run the tests', place())
    expect(tasks.map((t) => [t.key, t.title, t.depends_on])).toEqual([
      ['1', 'Look at the work tree', []],
      ['2', 'Run the tests', ['1']],
      ['3', 'Lint', ['1']],
      ['4', 'What is left changed', ['2', '3']],
    ])
    expect(tasks[1]?.spec).toMatchObject({
      action: 'run_tests',
      params: { tool: 'npm' },
      required_files: ['/home/ana/work/api/coverage'],
    })
    expect(milestones.map((m) => m.key)).toEqual(['check', 'report'])
  })

  test('leaves tasks out that do not fit and joins what stood around them', async () => {
    const at = place({ cwd: '/home/ana/work', repository: null })
    const { tasks, milestones } = await planned('run the tests', at)
    expect(tasks.map((t) => [t.key, t.spec.action, t.depends_on])).toEqual([['1', 'run_tests', []]])
    expect(tasks[0]?.spec.params).toEqual({ tool: 'auto' })
    expect(milestones.map((m) => m.key)).toEqual(['check'])
  })

  test('finds the repository around a deeper directory', async () => {
    const at = { ...place(), cwd: '/home/ana/work/api/src/http', repository: null }
    expect((await planned('what changed?', at)).summary).toBe('What changed in api')
  })

  test('says what is missing and what to do', async () => {
    expect(await plan('git status', place({ cwd: '/home/ana/work', repository: null }))).toEqual({
      kind: 'failed',
      reason: 'What changed: /home/ana/work is no git repository.',
      hint: 'Repositories there: api. Say the place with it, such as "in api on laptop", or choose one with /use.',
    })
    const unable = await plan('show notes.txt', place({ capabilities: ['shell'] }))
    expect(unable).toMatchObject({ kind: 'failed', reason: 'Show a file: laptop cannot do file_read.' })
  })

  test('owns what it writes and nothing when it reads', async () => {
    const files = async (request: string) =>
      (await planned(request, failingDemo())).tasks.map((t) => t.spec.required_files)
    expect(await files('what changed?')).toEqual([[], [], []])
    expect(await files('note: hello')).toEqual([['/home/ana/work/demo/notes.txt'], []])
    expect(await files('create a file a/b.txt with x')).toEqual([['/home/ana/work/demo/a/b.txt'], []])
    expect((await files('plan a fix'))[1]).toEqual(['/home/ana/work/demo/src/basket.js'])
    expect((await files('commit my work as x'))[2]).toEqual(['/home/ana/work/demo'])
  })

  test('names the nearest and the keys when nothing fits', async () => {
    const outcome = await plan('deploy to production', demo())
    expect(outcome).toMatchObject({ kind: 'unmatched', hint: expect.stringContaining('GOOGLE_AI_API_KEY') })
  })

  test('works at a place on Windows', async () => {
    const cwd = 'C:\\work\\api'
    const repository = { name: 'api', path: cwd, test_tools: ['npm' as const], scripts: ['test'] }
    const at = place({
      platform: 'win32',
      home: 'C:\\Users\\ana',
      roots: ['C:\\work'],
      cwd,
      repository,
      repositories: [repository],
    })
    const { tasks } = await planned('create a file docs/a.txt with x', at)
    expect(tasks[0]?.spec.required_files).toEqual(['C:\\work\\api\\docs\\a.txt'])
  })
})
