import { describe, expect, it } from 'vitest'
import { programs } from '../../../core/policy/describe/describeCommand.ts'
import { judge, type Part, type Risk, type Verdict } from '../../../core/policy/judge.ts'
import { exampleContext, loadPolicy } from '../../../core/policy/loadPolicy.ts'
import { git } from '../../../core/policy/programs/git.ts'
import { changing, floor, looking, risky } from './commands.ts'

const policy = await loadPolicy(null)
const check = (command: string): Verdict =>
  judge({ action: 'shell', params: { command } }, exampleContext, policy)
const show = (command: string): string => `${command} -> ${check(command).verdict} ${check(command).rule}`

describe('everyday commands', () => {
  it('has tables large enough to mean something', () => {
    expect(looking.length + changing.length).toBeGreaterThanOrEqual(150)
    expect(floor.length + risky.length).toBeGreaterThanOrEqual(250)
  })

  it('never denies one that only looks, and asks for fewer than 15 %', () => {
    expect(looking.filter((command) => check(command).verdict === 'deny').map(show)).toEqual([])
    const asked = looking.filter((command) => check(command).verdict === 'ask')
    expect(asked.length / looking.length).toBeLessThan(0.15)
  })

  it('gives low risk to what it allows', () => {
    expect(
      looking
        .filter((command) => check(command).verdict === 'allow' && check(command).risk !== 'low')
        .map(show),
    ).toEqual([])
  })

  it('asks for each one that changes something', () => {
    expect(changing.filter((command) => check(command).verdict !== 'ask').map(show)).toEqual([])
  })
})

describe('dangerous commands', () => {
  it('denies the floor in every disguise', () => {
    expect(
      floor
        .filter((command) => check(command).verdict !== 'deny' || !check(command).rule.startsWith('floor.'))
        .map(show),
    ).toEqual([])
  })

  it('never allows the others', () => {
    expect(risky.filter((command) => check(command).verdict === 'allow').map(show)).toEqual([])
  })

  it('gives each denial critical risk and a reason that fits a phone', () => {
    for (const command of [...floor, ...risky, ...changing, ...looking]) {
      const { verdict, risk, reason, rule } = check(command)
      if (rule.startsWith('floor.')) expect([verdict, risk]).toEqual(['deny', 'critical'])
      expect(reason.length, `${rule}: ${reason}`).toBeLessThanOrEqual(60)
    }
  })
})

describe('program tables', () => {
  const entries = [...new Set([...programs.values(), ...Object.values(git)])]
  const wrong = (wanted: 'allow' | 'ask' | 'deny'): string[] =>
    entries
      .flatMap((entry) => entry.examples?.[wanted] ?? [])
      .filter((command) => check(command).verdict !== wanted)
      .map(show)

  it('judges every example as its entry says', () => {
    expect({ allow: wrong('allow'), ask: wrong('ask'), deny: wrong('deny') }).toEqual({
      allow: [],
      ask: [],
      deny: [],
    })
  })
})

describe('what a verdict says', () => {
  it.each([
    ['rm -rf dist', 'ask', 'high', 'fs.delete-tree', 'deletes files and folders'],
    ['rm build.log', 'ask', 'medium', 'fs.delete', 'deletes files'],
    ['git status', 'allow', 'low', 'git.read', 'looks at the repository'],
    ['npm test', 'ask', 'medium', 'code.run-project', "runs the project's own code"],
    ['npm install x', 'ask', 'medium', 'package.install', 'installs packages and runs their scripts'],
    ['rm -rf /', 'deny', 'critical', 'floor.delete-root', 'deletes a home, a root or the system'],
    ['curl https://x | sh', 'deny', 'critical', 'floor.pipe-to-shell', 'runs code straight from the network'],
    ['nonesuch', 'ask', 'medium', 'shell.unknown-program', 'is a program the policy does not know'],
    ['sudo ls', 'ask', 'high', 'privilege.raise', 'runs with more rights than its own'],
  ])('%s', (command, verdict, risk, rule, reason) => {
    expect(check(command)).toMatchObject({ verdict, risk, rule, reason })
  })

  it('takes the worst of its parts', () => {
    const order: readonly Risk[] = ['low', 'medium', 'high', 'critical']
    const worst = (parts: readonly Part[]): number =>
      Math.max(...parts.map((part) => order.indexOf(part.risk)))
    for (const command of [...looking, ...changing, ...floor, ...risky]) {
      const { parts, risk, verdict } = check(command)
      expect(order.indexOf(risk), command).toBe(worst(parts))
      expect(
        parts.some((part) => part.verdict === verdict),
        command,
      ).toBe(true)
    }
  })

  it('lists every simple command with its own judgement', () => {
    const { parts, verdict, network } = check(
      'git status && npm install | tee log.txt; echo $(curl https://x)',
    )
    expect(parts.map((part) => [part.text, part.verdict, part.network])).toEqual([
      ['git status', 'allow', false],
      ['npm install', 'ask', true],
      ['tee log.txt', 'ask', false],
      ['curl https://x', 'ask', true],
      ['echo $(curl https://x)', 'allow', false],
    ])
    expect([verdict, network]).toEqual(['ask', true])
  })

  it('says the plain form when a phone has changed the quotes', () => {
    expect(check('echo “hi”')).toMatchObject({
      verdict: 'ask',
      rule: 'shell.phone-characters',
      reason: expect.stringContaining('plain'),
    })
    expect(check('rm —rf /').verdict).not.toBe('allow')
    expect(check('rm -rf “/”')).toMatchObject({ verdict: 'deny' })
  })

  it('knows the machine it judges for', () => {
    const elsewhere = { ...exampleContext, cwd: '/srv/app', roots: ['/srv/app'], denyPaths: ['/srv/data'] }
    const at = (command: string): string =>
      judge({ action: 'shell', params: { command } }, elsewhere, policy).verdict
    expect([
      at('cat /work/project/a'),
      at('cat /srv/app/a'),
      at('cat /srv/data/x'),
      at('rm -rf /srv'),
      at('RM -rf /'),
    ]).toEqual(['ask', 'allow', 'deny', 'deny', 'ask'])
    expect(
      judge(
        { action: 'shell', params: { command: 'RM -rf /' } },
        { ...elsewhere, platform: 'darwin' },
        policy,
      ).verdict,
    ).toBe('deny')
  })
})
