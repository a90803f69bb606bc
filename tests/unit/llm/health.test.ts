import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Health, HealthBook, judge, type Seen } from '../../../core/llm/health.ts'
import { modelFaults, type Reach } from '../../../core/llm/model.ts'

const at = 1_000_000
const seen = (outcome: string, over: Partial<Seen> = {}): Seen => ({
  ...{ provider: 'openai', model: 'm', outcome, reach: 'model' as Reach, at, retryAt: null, firstMs: null },
  ...over,
})
const after = (...outcomes: string[]): Health =>
  outcomes.reduce<Health | undefined>((health, outcome) => judge(health, seen(outcome)), undefined) as Health
const rest = (...outcomes: string[]): number => Math.max(0, after(...outcomes).openUntil - at) / 1000

describe('the rest of a model', () => {
  test.each<[string[], number]>([
    [['rate'], 30],
    [['rate', 'rate'], 60],
    [['rate', 'rate', 'rate', 'rate', 'rate', 'rate', 'rate'], 600],
    [['quota'], 900],
    [['key'], 600],
    [['timeout'], 30],
    [['server'], 0],
    [['server', 'server'], 15],
    [['server', 'unreachable', 'server'], 30],
    [['answer', 'answer'], 0],
    [['answer', 'answer', 'answer'], 30],
    [['refused', 'refused', 'cut', 'request', 'schema', 'budget', 'busy', 'cancelled', 'lost'], 0],
    [['server', 'answered', 'server'], 0],
    [['rate', 'answered'], 0],
  ])('after %j is %d s', (outcomes, s) => expect(rest(...outcomes)).toBe(s))

  test('is as long as the provider asks, unless a quota is gone', () => {
    expect(judge(undefined, seen('rate', { retryAt: at + 5000 }))).toMatchObject({
      openUntil: at + 5000,
      asked: true,
    })
    expect(judge(undefined, seen('quota', { retryAt: at + 5000 })).openUntil).toBe(at + 900_000)
    expect(judge(undefined, seen('quota', { retryAt: at + 9_000_000 })).openUntil).toBe(at + 9_000_000)
  })

  test('a failure never shortens it, an answer ends it: whatever came before', () => {
    const outcome = fc.constantFrom('answered', 'cancelled', ...modelFaults)
    fc.assert(
      fc.property(fc.array(outcome, { maxLength: 30 }), outcome, (before, last) => {
        const old = before.length > 0 ? after(...before) : undefined
        const now = judge(old, seen(last))
        if (last === 'answered') expect([now.openUntil, now.failures, now.fault]).toEqual([0, 0, null])
        else expect(now.openUntil).toBeGreaterThanOrEqual(old?.openUntil ?? 0)
        expect(now.success).toBeGreaterThanOrEqual(0)
        expect(now.success).toBeLessThanOrEqual(1)
        expect(now.openUntil - at).toBeLessThanOrEqual(6 * 3_600_000)
      }),
    )
  })
})

describe('the book of health', () => {
  const model = (name: string, provider = 'openrouter') => ({ provider, model: name })

  test('a wrong key concerns all models of its provider and no others', () => {
    const book = new HealthBook()
    book.note(seen('key', { reach: 'provider' }))
    expect(book.ready(model('other', 'openai'), at)).toBe(false)
    expect(book.ready(model('m', 'claude'), at)).toBe(true)
    book.note(seen('answered', { at: at + 1 }))
    expect(book.ready(model('other', 'openai'), at + 1)).toBe(true)
  })

  test('a used up day of free models concerns the free ones', () => {
    const book = new HealthBook()
    book.note(seen('quota', { provider: 'openrouter', model: 'a:free', reach: 'free models' }))
    expect(book.ready(model('b:free'), at)).toBe(false)
    expect(book.ready(model('b'), at)).toBe(true)
  })

  test('one at a time tries out a model that failed before', () => {
    const book = new HealthBook()
    for (let i = 0; i < 2; i++) book.note(seen('server'))
    const later = at + 60_000
    expect(book.ready(model('m', 'openai'), later)).toBe(true)
    book.tryOut(model('m', 'openai'), later, 5000)
    expect(book.ready(model('m', 'openai'), later)).toBe(false)
    expect(book.ready(model('m', 'openai'), later + 5001)).toBe(true)
    book.note(seen('answered'))
    expect(book.ready(model('m', 'openai'), later)).toBe(true)
  })
})
