import { describe, expect, test } from 'vitest'
import { type JudgedMachine, judgeTask } from '../../../core/planning/judgePlan.ts'
import { loadPolicy } from '../../../core/policy/loadPolicy.ts'
import { specHash } from '../../../core/protocol/hash.ts'
import { SecretName } from '../../../core/protocol/secretName.ts'
import { TaskSpec } from '../../../core/protocol/specs.ts'

const policy = await loadPolicy(null)
const place = { roots: ['/work'], home: '/home/ana', platform: 'linux' }
const confined: JudgedMachine = {
  ...place,
  containment: 'bwrap',
  confined: { calls: true, limits: true, processes: true, sockets: true },
}
const free: JudgedMachine = { ...place, containment: 'group' }

const spec = (action: string, params: object, more: object = {}): TaskSpec =>
  TaskSpec.parse({
    action,
    params,
    agent_id: '00000000-0000-4000-8000-0000000000aa',
    machine_id: 'm',
    cwd: '/work/api',
    required_files: [],
    timeout_s: 60,
    network: false,
    ...more,
  })
const run = (command: string, more: object = {}): TaskSpec => spec('shell', { command }, more)
const judged = (task: TaskSpec, machine: JudgedMachine) => judgeTask(task, machine, policy, [])

describe('where nothing confines commands', () => {
  test.each([
    ['ls -la', 'allow low', 'allow medium'],
    ['git status', 'allow low', 'allow medium'],
    ['npm install', 'ask medium', 'ask high'],
    ['rm -rf /', 'deny critical', 'deny critical'],
  ])('%s is one step riskier', (command, held, loose) => {
    const told = (machine: JudgedMachine): string => {
      const { verdict } = judged(run(command), machine)
      return `${verdict.verdict} ${verdict.risk}`
    }
    expect([told(confined), told(free)]).toEqual([held, loose])
  })

  test('an allow that becomes high asks, and says why', () => {
    const risky = {
      ...policy,
      rules: policy.rules.map((rule) =>
        rule.verdict === 'allow' ? { ...rule, risk: 'medium' as const } : rule,
      ),
    }
    const { verdict } = judgeTask(run('ls'), free, risky, [])
    expect(verdict).toMatchObject({
      verdict: 'ask',
      risk: 'high',
      reason: expect.stringContaining('nothing confines it'),
    })
    expect(judgeTask(run('ls'), confined, risky, []).verdict.verdict).toBe('allow')
  })

  test('what only reads still only reads', () => {
    expect(judged(run('ls'), free).effect).toBe('read')
  })

  test('what the agent does itself is as risky as anywhere', () => {
    const read = spec('file_read', { path: 'a' })
    expect(judged(read, free)).toEqual(judged(read, confined))
  })

  test('agents of others are not judged by walls that SKYNET does not know', () => {
    expect(judged(run('ls'), place).verdict.risk).toBe('low')
  })
})

describe('a task that is given a secret', () => {
  const given = run('ls', { secrets: ['DEPLOY_TOKEN'] })

  test('asks, with high risk at least, whatever it runs', () => {
    expect(judged(given, confined).verdict).toMatchObject({
      verdict: 'ask',
      risk: 'high',
      rule: 'secret.given',
      reason: 'it is given DEPLOY_TOKEN',
    })
    expect(judged(run('rm -rf /', { secrets: ['X_Y'] }), confined).verdict.verdict).toBe('deny')
  })

  test('is another spec: its approval is for these names', () => {
    const hashes = [run('ls'), given, run('ls', { secrets: ['OTHER'] })].map(specHash)
    expect(new Set(hashes).size).toBe(3)
  })

  test.each([
    'PATH',
    'LD_PRELOAD',
    'GIT_SSH_COMMAND',
    'NODE_OPTIONS',
    'BASH_ENV',
    'SKYNET_X',
    'PYTHONPATH',
    'HTTPS_PROXY',
    'lower',
    '1A',
    '',
  ])('%j is no name for one', (name) => {
    expect(SecretName.safeParse(name).success).toBe(false)
  })
})
