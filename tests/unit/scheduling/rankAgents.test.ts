import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Candidate, type Need, rankAgents } from '../../../core/scheduling/rankAgents.ts'
import { factsOf } from '../../support/fleet.ts'

const candidate = (name: string, more: Partial<Candidate> = {}): Candidate => ({
  agentId: `00000000-0000-4000-8000-${name.padStart(12, '0')}`,
  name,
  facts: factsOf({ name, machineId: name, root: '/work' }),
  connected: true,
  silentMs: 0,
  gateway: { name: 'home', successRate: 1, open: false },
  running: 0,
  queued: 0,
  ended: 20,
  kept: 20,
  lastOfChat: false,
  ...more,
})
const names = (need: Need, ...candidates: Candidate[]) => rankAgents(need, candidates).map(({ name }) => name)
const first = (need: Need, ...candidates: Candidate[]) => rankAgents(need, candidates)[0]
const { facts } = candidate('1')

describe('capability and roots come first', () => {
  test.each<[string, Need, Partial<Candidate>, RegExp]>([
    [
      'an action',
      { action: 'git_commit' },
      { facts: { ...facts, capabilities: ['shell'] } },
      /cannot do git_commit/,
    ],
    ['a capability', { capabilities: ['shell', 'gpu'] }, {}, /cannot do gpu/],
    ['a directory elsewhere', { cwd: '/etc' }, {}, /\/etc is outside/],
    ['a way out by ..', { cwd: '/work/../etc' }, {}, /\/etc is outside/],
  ])('%s that it lacks', (_why, need, more, reason) => {
    const ranked = first(need, candidate('1', more))
    expect(ranked).toMatchObject({ eligible: false, obstacles: [expect.stringMatching(reason)] })
  })

  test('a busy one that can do it goes before an idle one that cannot', () => {
    const busy = candidate('2', { running: 16, queued: 900, kept: 1 })
    const unable = candidate('1', { facts: { ...facts, capabilities: ['shell'] } })
    expect(names({ action: 'git_diff' }, unable, busy)).toEqual(['2', '1'])
  })

  test('another case of a root is the same root where the platform says so', () => {
    const mac = candidate('1', { facts: { ...facts, platform: 'darwin-arm64' } })
    expect(first({ cwd: '/Work/API' }, mac)).toMatchObject({ eligible: true, cwd: '/Work/API' })
    expect(first({ cwd: '/Work/API' }, candidate('1'))?.eligible).toBe(false)
  })
})

describe('then who could begin, health, load, history and place', () => {
  test.each<[string, Partial<Candidate>]>([
    ['not connected', { connected: false }],
    ['of a gateway that does not answer', { gateway: { name: 'home', successRate: 0.1, open: true } }],
    ['without a gateway', { gateway: null }],
    ['silent for a while', { silentMs: 25_000 }],
    ['of a gateway that often fails', { gateway: { name: 'home', successRate: 0.6, open: false } }],
    ['busy', { running: 8 }],
    ['waited for', { queued: 30 }],
    ['under load', { facts: { ...facts, load: { running: 0, average: 6, cores: 4 } } }],
    ['one that lost work', { kept: 10 }],
  ])('one that is %s goes after one that is not', (_why, more) => {
    expect(names({}, candidate('1', more), candidate('2'))).toEqual(['2', '1'])
  })

  test('who has the project, or did the last work of the chat, goes before one that is alike', () => {
    const repositories = [{ name: 'api', path: '/work/api', test_tools: [], scripts: [] }]
    const has = candidate('2', { facts: { ...facts, repositories } })
    expect(first({ projectDir: '/work/api' }, candidate('1'), has)).toMatchObject({
      name: '2',
      cwd: '/work/api',
      parts: { locality: { value: 1, reason: 'has /work/api' } },
    })
    expect(names({ chatId: 1 }, candidate('1'), candidate('2', { lastOfChat: true }))).toEqual(['2', '1'])
  })

  test('the one that is asked for is taken, if it can do it', () => {
    const busy = candidate('2', { running: 16, connected: false })
    expect(names({ agentId: busy.agentId }, candidate('1'), busy)).toEqual(['2', '1'])
    const elsewhere = candidate('1', { facts: { ...facts, roots: ['/x'] } })
    expect(names({ agentId: busy.agentId, cwd: '/x' }, elsewhere, busy)).toEqual(['1', '2'])
  })

  test('every reason is in plain words', () => {
    const busy = candidate('1', { running: 2, queued: 5, ended: 50, kept: 49, silentMs: 14_000 })
    expect(Object.values(first({}, busy)?.parts ?? {}).map(({ reason }) => reason)).toEqual([
      'connected, silent for 14 s, gateway home answers 100 %',
      '2 running, 5 waiting, load 0.0 on ? cores',
      'kept 49 of its last 50',
      'nothing speaks for its place',
    ])
  })
})

const share = fc.double({ min: 0, max: 1, noNaN: true })
const anyCandidate = (name: string): fc.Arbitrary<Candidate> =>
  fc
    .record({
      connected: fc.boolean(),
      silentMs: fc.option(fc.nat(60_000)),
      gateway: fc.option(fc.record({ name: fc.constant('g'), successRate: share, open: fc.boolean() })),
      running: fc.nat(32),
      queued: fc.nat(1000),
      ended: fc.nat(50),
      lost: fc.nat(50),
      lastOfChat: fc.boolean(),
      average: fc.double({ min: 0, max: 64, noNaN: true }),
      cores: fc.integer({ min: 1, max: 64 }),
      git: fc.boolean(),
      root: fc.constantFrom('/work', '/srv', '/'),
    })
    .map(({ lost, average, cores, git, root, ...rest }) => ({
      ...candidate(name, rest),
      kept: Math.max(0, rest.ended - lost),
      facts: {
        ...facts,
        roots: [root],
        capabilities: git ? facts.capabilities : ['shell' as const],
        load: { running: 0, average, cores },
      },
    }))
const fleet = fc.tuple(anyCandidate('1'), anyCandidate('2'), anyCandidate('3'), anyCandidate('4'))
const anyNeed: fc.Arbitrary<Need> = fc.record({
  action: fc.constantFrom('shell', 'git_commit', undefined),
  cwd: fc.constantFrom('/work/a', '/srv', undefined),
  projectDir: fc.constantFrom('/work/a', undefined),
  agentId: fc.constantFrom(candidate('3').agentId, undefined),
})

describe('whatever the fleet', () => {
  test('one that cannot do it never wins over one that can, and each is listed once', () => {
    fc.assert(
      fc.property(anyNeed, fleet, (need, candidates) => {
        const ranked = rankAgents(need, candidates)
        expect(ranked.map(({ name }) => name).sort()).toEqual(['1', '2', '3', '4'])
        const eligible = ranked.map((r) => Number(r.eligible))
        expect(eligible).toEqual([...eligible].sort((a, b) => b - a))
        for (const { score, parts } of ranked) {
          expect(score >= 0 && score <= 100).toBe(true)
          for (const { value } of Object.values(parts)) expect(value >= 0 && value <= 1).toBe(true)
        }
      }),
    )
  })

  test('the order they come in does not matter', () => {
    const orders = fc.constantFrom([3, 1, 0, 2], [1, 0, 3, 2])
    fc.assert(
      fc.property(anyNeed, fleet, orders, (need, candidates, order) => {
        const shuffled = order.flatMap((i) => candidates[i] ?? [])
        expect(rankAgents(need, shuffled)).toEqual(rankAgents(need, candidates))
      }),
    )
  })

  const withFacts = (c: Candidate, more: Partial<Candidate['facts']>) => ({
    ...c,
    facts: { ...c.facts, ...more },
  })
  test.each<[string, (c: Candidate) => Candidate]>([
    ['connecting', (c) => ({ ...c, connected: true })],
    ['being heard of', (c) => ({ ...c, silentMs: 0 })],
    ['a gateway that answers', (c) => ({ ...c, gateway: { name: 'g', successRate: 1, open: false } })],
    ['less running', (c) => ({ ...c, running: Math.floor(c.running / 2) })],
    ['less waiting', (c) => ({ ...c, queued: Math.floor(c.queued / 2) })],
    ['less load', (c) => withFacts(c, { load: { ...c.facts.load, average: c.facts.load.average / 2 } })],
    ['more kept', (c) => ({ ...c, kept: c.ended })],
    ['the last work of the chat', (c) => ({ ...c, lastOfChat: true })],
    ['more capabilities', (c) => withFacts(c, { capabilities: facts.capabilities })],
  ])('%s never lowers a place', (_what, improve) => {
    fc.assert(
      fc.property(anyNeed, fleet, (need, [one, ...others]) => {
        const before = names(need, one, ...others).indexOf('1')
        expect(names(need, improve(one), ...others).indexOf('1')).toBeLessThanOrEqual(before)
      }),
    )
  })
})
