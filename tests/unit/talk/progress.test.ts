import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { begun, partsTold, progressDue, QUIET_MS, YOUNG_MS } from '../../../core/talk/progress.ts'

const at = (s: number): Date => new Date(1_000_000 + s * 1000)
const part = (key: string, s: number | null) => ({ key, startedAt: s === null ? null : at(s) })

describe('when a chat is told of progress by itself', () => {
  const parts = [part('a', 0), part('b', 70), part('c', null)]
  test.each([
    ['nothing has begun', [part('a', null)], [], null, null],
    ['the first has begun', [part('a', 0), part('b', null)], [], null, 'a'],
    ['a new one, a minute after the last message', parts, ['a'], QUIET_MS, 'b'],
    ['a new one, too soon after it', parts, ['a'], QUIET_MS - 1, null],
    ['the same once more', parts, ['a', 'b'], 10 * QUIET_MS, null],
    ['the first, right after a message of another run', parts, [], 100, null],
    ['all that was held back, later', parts, [], QUIET_MS, 'a'],
  ] as const)('%s', (_, these, keys, quietMs, expected) => {
    expect(progressDue(these, { keys, quietMs, underWayMs: YOUNG_MS })).toBe(expected)
  })

  test('the first of work that has just begun is not due', () => {
    expect(progressDue(parts, { keys: [], quietMs: null, underWayMs: YOUNG_MS - 1 })).toBe(null)
    expect(progressDue(parts, { keys: ['a'], quietMs: QUIET_MS, underWayMs: 0 })).toBe('b')
  })

  test('what begins out of the order of the plan counts by when it began', () => {
    const odd = [part('late', 90), part('early', 0)]
    expect(begun(odd).map((p) => p.key)).toEqual(['early', 'late'])
    expect(progressDue(odd, { keys: ['early'], quietMs: QUIET_MS, underWayMs: YOUNG_MS })).toBe('late')
  })
})

test('with any course of things: at most one message a minute, each milestone in exactly one of them, also across restarts', () => {
  const course = fc.array(fc.integer({ min: 0, max: 90_000 }), { minLength: 1, maxLength: 12 })
  fc.assert(
    fc.property(course, (gaps) => {
      let now = 0
      const parts: { key: string; startedAt: Date | null }[] = []
      const sent: { key: string; ms: number }[] = []
      const look = (): void => {
        const last = sent.at(-1)
        // All it goes by is what a ledger keeps: a restart in between changes nothing.
        const due = progressDue(parts, {
          keys: sent.map((one) => one.key),
          quietMs: last ? now - last.ms : null,
          underWayMs: YOUNG_MS,
        })
        if (due !== null) sent.push({ key: due, ms: now })
      }
      for (const [i, gap] of gaps.entries()) {
        now += gap
        parts.push({ key: `m${i}`, startedAt: new Date(now + i) })
        look()
        look()
      }
      for (const [i, one] of sent.entries())
        if (i > 0) expect(one.ms - (sent[i - 1]?.ms ?? 0)).toBeGreaterThanOrEqual(QUIET_MS)
      const told = sent.flatMap((one, i) =>
        partsTold(parts, one.key, sent[i + 1]?.key ?? null).map((p) => p.key),
      )
      expect(told).toEqual(parts.map((p) => p.key))
    }),
  )
})
