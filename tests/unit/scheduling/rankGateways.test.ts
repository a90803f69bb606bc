import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type GatewayCandidate, rankGateways } from '../../../core/scheduling/rankGateways.ts'

const gateway = (name: string, more: Partial<GatewayCandidate> = {}): GatewayCandidate => ({
  id: name,
  name,
  url: `http://${name}`,
  successRate: 1,
  latencyMs: 5,
  failures: 0,
  open: false,
  agents: 1,
  inHand: 0,
  ...more,
})

test.each<[string, Partial<GatewayCandidate>]>([
  ['whose breaker is open', { open: true }],
  ['that is slow', { latencyMs: 400 }],
  ['that did not answer the last call', { failures: 1 }],
  ['that often fails', { successRate: 0.7 }],
  ['with many agents', { agents: 40 }],
  ['with more of the agent in hand', { inHand: 2 }],
])('one %s goes after one that is not', (_why, more) => {
  expect(rankGateways([gateway('a', more), gateway('b')]).map(({ name }) => name)).toEqual(['b', 'a'])
})

const any = (name: string) =>
  fc
    .record({
      successRate: fc.double({ min: 0, max: 1, noNaN: true }),
      latencyMs: fc.option(fc.double({ min: 0, max: 5000, noNaN: true })),
      failures: fc.nat(10),
      open: fc.boolean(),
      agents: fc.nat(500),
      inHand: fc.nat(16),
    })
    .map((more) => gateway(name, more))

test('whatever they are, one whose breaker is open never wins, and the order they come in does not matter', () => {
  fc.assert(
    fc.property(any('a'), any('b'), any('c'), (a, b, c) => {
      const ranked = rankGateways([a, b, c])
      expect(rankGateways([c, a, b])).toEqual(ranked)
      const open = ranked.map((g) => Number(g.open))
      expect(open).toEqual([...open].sort((x, y) => x - y))
    }),
  )
})

test('getting better never lowers a place', () => {
  fc.assert(
    fc.property(any('a'), any('b'), any('c'), (a, b, c) => {
      const better = { ...a, successRate: 1, latencyMs: 0, failures: 0, open: false, agents: 0, inHand: 0 }
      const place = (one: GatewayCandidate) => rankGateways([one, b, c]).findIndex(({ id }) => id === 'a')
      expect(place(better)).toBeLessThanOrEqual(place(a))
    }),
  )
})
