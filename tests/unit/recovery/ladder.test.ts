import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type FailureClass, failureClasses } from '../../../core/recovery/classify.ts'
import {
  type Next,
  nextRung,
  outcomes,
  recoveryModes,
  rungs,
  type Situation,
  type Tried,
} from '../../../core/recovery/ladder.ts'

const limits = { mode: 'auto', tries: 4, tokens: 50_000, ms: 3_600_000 } as const
const situation = (of: Partial<Situation>): Situation => ({
  failure: 'other',
  effect: 'read',
  kind: 'request',
  timeoutS: 60,
  changedBefore: false,
  hasModel: true,
  limits,
  tried: [],
  spent: { tries: 0, tokens: 0, ms: 0 },
  ...of,
})

/** All the steps that are taken when none of them helps. */
function climbed(of: Partial<Situation>): string[] {
  const tried: Tried[] = []
  const told: string[] = []
  for (;;) {
    const next = nextRung(situation({ ...of, tried, spent: { tries: tried.length, tokens: 0, ms: 0 } }))
    told.push(words(next))
    if (next.rung === 'ask') return told
    tried.push({ rung: next.rung, by: next.by, cameOf: 'failed_again' })
  }
}
const words = (next: Next): string =>
  next.rung === 'ask' ? `ask: ${next.why}` : `${next.rung} by ${next.by}`

describe('what is tried, one after the other', () => {
  const cases: [string, Partial<Situation>, string[]][] = [
    ['a read and the network', { failure: 'network' }, ['retry by rule', 'retry by rule', 'ask: tried']],
    ['a write and the network', { failure: 'network', effect: 'write' }, ['ask: final']],
    ['a read and a lock', { failure: 'busy' }, ['retry by rule', 'retry by rule', 'ask: tried']],
    ['a write and a lock', { failure: 'busy', effect: 'write' }, ['ask: final']],
    [
      'a write that never began',
      { failure: 'not_started', effect: 'write' },
      ['retry by rule', 'retry by rule', 'ask: tried'],
    ],
    ['policy says no', { failure: 'denied' }, ['ask: final']],
    ['an end that nobody saw', { failure: 'unknown_end' }, ['ask: final']],
    [
      'a read out of time',
      { failure: 'timeout' },
      ['reduce by model', 'budget by rule', 'decompose by model', 'ask: tried'],
    ],
    [
      'a write out of time',
      { failure: 'timeout', effect: 'write' },
      ['reduce by model', 'budget by model', 'decompose by model', 'ask: tried'],
    ],
    [
      'a read out of time, no model',
      { failure: 'timeout', hasModel: false },
      ['budget by rule', 'ask: tried'],
    ],
    [
      'a write out of time, no model',
      { failure: 'timeout', effect: 'write', hasModel: false },
      ['ask: no_model'],
    ],
    [
      'a read at the longest time',
      { failure: 'timeout', timeoutS: 7200, hasModel: false },
      ['ask: no_model'],
    ],
    ['packages are missing', { failure: 'missing_packages' }, ['decompose by model', 'ask: tried']],
    ['packages are missing, no model', { failure: 'missing_packages', hasModel: false }, ['ask: no_model']],
    ['anything else', {}, ['reduce by model', 'budget by model', 'decompose by model', 'ask: tried']],
    ['anything else, no model', { hasModel: false }, ['ask: no_model']],
    ['tests fail that were only asked for', { failure: 'checks' }, ['ask: final']],
    [
      'tests fail after changes',
      { failure: 'checks', changedBefore: true },
      ['budget by model', 'decompose by model', 'ask: tried'],
    ],
    ['a single command', { kind: 'command' }, ['ask: final']],
    [
      'a single command that never began',
      { kind: 'command', failure: 'not_started' },
      ['retry by rule', 'retry by rule', 'ask: final'],
    ],
    ['rules alone', { limits: { ...limits, mode: 'retry' } }, ['ask: final']],
    [
      'rules alone, network',
      { failure: 'network', limits: { ...limits, mode: 'retry' } },
      ['retry by rule', 'retry by rule', 'ask: tried'],
    ],
    ['switched off', { failure: 'not_started', limits: { ...limits, mode: 'off' } }, ['ask: final']],
    ['one try', { limits: { ...limits, tries: 1 } }, ['reduce by model', 'ask: limit']],
  ]
  test.each(cases)('%s', (_, of, steps) => expect(climbed(of)).toEqual(steps))

  const ends: [string, Partial<Situation>, string][] = [
    ['a person denied it', { tried: [{ rung: 'reduce', by: 'model', cameOf: 'denied' }] }, 'ask: person'],
    [
      'nobody answered, or it was left out',
      { tried: [{ rung: 'reduce', by: 'model', cameOf: 'not_run' }] },
      'ask: person',
    ],
    [
      'the model did not answer',
      { tried: [{ rung: 'reduce', by: 'model', cameOf: 'no_answer' }] },
      'ask: model_away',
    ],
    [
      'the model knew no way',
      { tried: [{ rung: 'reduce', by: 'model', cameOf: 'no_way' }] },
      'budget by model',
    ],
    [
      'policy denied its way',
      { tried: [{ rung: 'reduce', by: 'model', cameOf: 'policy' }] },
      'budget by model',
    ],
    ['the run has had its tries', { spent: { tries: 8, tokens: 0, ms: 0 } }, 'ask: limit'],
    ['the run has had its time', { spent: { tries: 0, tokens: 0, ms: 3_600_000 } }, 'ask: limit'],
    ['the run has had its tokens', { spent: { tries: 0, tokens: 50_000, ms: 0 } }, 'ask: limit'],
    [
      'tokens do not matter for rules',
      { failure: 'network', spent: { tries: 0, tokens: 50_000, ms: 0 } },
      'retry by rule',
    ],
    [
      'a model that is away does not keep a read from more time',
      { failure: 'timeout', tried: [{ rung: 'reduce', by: 'model', cameOf: 'no_answer' }] },
      'budget by rule',
    ],
  ]
  test.each(ends)('%s', (_, of, step) => expect(words(nextRung(situation(of)))).toBe(step))

  test('the time limit is three times as long, and two hours at most', () => {
    const timeout = (timeoutS: number) =>
      nextRung(situation({ failure: 'timeout', hasModel: false, timeoutS }))
    expect(timeout(60)).toEqual({ rung: 'budget', by: 'rule', timeoutS: 180 })
    expect(timeout(7000)).toEqual({ rung: 'budget', by: 'rule', timeoutS: 7200 })
  })
})

describe('whatever happened', () => {
  const anything = fc.record({
    failure: fc.constantFrom<FailureClass>(...failureClasses),
    effect: fc.constantFrom('read' as const, 'write' as const),
    kind: fc.constantFrom('command' as const, 'request' as const),
    timeoutS: fc.integer({ min: 1, max: 86_400 }),
    changedBefore: fc.boolean(),
    hasModel: fc.boolean(),
    limits: fc.record({
      mode: fc.constantFrom(...recoveryModes),
      tries: fc.integer({ min: 1, max: 9 }),
      tokens: fc.integer({ min: 0, max: 1e5 }),
      ms: fc.integer({ min: 1, max: 1e7 }),
    }),
    tried: fc.array(
      fc.record({
        rung: fc.constantFrom(...rungs),
        by: fc.constantFrom('rule' as const, 'model' as const),
        cameOf: fc.constantFrom(...outcomes, null),
      }),
      { maxLength: 10 },
    ),
    spent: fc.record({
      tries: fc.integer({ min: 0, max: 20 }),
      tokens: fc.integer({ min: 0, max: 1e5 }),
      ms: fc.integer({ min: 0, max: 1e7 }),
    }),
  })

  test('a write that began is never started again by a rule', () => {
    fc.assert(
      fc.property(anything, (all) => {
        const next = nextRung({ ...all, effect: 'write' })
        if (next.rung !== 'ask' && next.by === 'rule') expect(all.failure).toBe('not_started')
      }),
      { numRuns: 2000 },
    )
  })

  test('it ends: beyond its tries, time, mode or a denial nothing is tried', () => {
    fc.assert(
      fc.property(anything, (all) => {
        const over =
          all.tried.length >= all.limits.tries ||
          all.spent.tries >= 2 * all.limits.tries ||
          all.spent.ms >= all.limits.ms ||
          all.limits.mode === 'off' ||
          all.failure === 'denied' ||
          all.tried.at(-1)?.cameOf === 'denied'
        const next = nextRung(all)
        if (over) expect(next.rung).toBe('ask')
        if (next.rung !== 'ask' && next.by === 'model') {
          expect(all.hasModel && all.limits.mode === 'auto').toBe(true)
          expect(all.spent.tokens).toBeLessThan(all.limits.tokens)
          expect(all.tried.some(({ rung }) => rung === next.rung)).toBe(false)
        }
      }),
      { numRuns: 2000 },
    )
  })
})
