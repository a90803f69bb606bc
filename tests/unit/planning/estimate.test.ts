import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { classify } from '../../../core/planning/classify.ts'
import { baseTokens, estimate, maxTokensFor, needFor, type PastUse } from '../../../core/planning/estimate.ts'

describe('how complex a request is', () => {
  test.each([
    'show me the disk space',
    'what changed?',
    'list the branches',
    'how many files are there',
    'zeige mir den status',
    'count the lines of the readme',
  ])('simple: %s', (request) => expect(classify(request).complexity).toBe('simple'))

  test.each([
    'run the linter and fix what it finds',
    'upgrade react to 19 and run the tests',
    'add a health endpoint with a test',
    'create a branch and commit the readme there',
  ])('medium: %s', (request) => expect(classify(request).complexity).toBe('medium'))

  test.each([
    'migrate the whole project from javascript to typescript, update every test, then fix the build and document how to set it up',
    'refactor all modules to use the new logger, replace console.log everywhere, add tests, update the documentation and commit each part',
    '1. create a react frontend\n2. add an express api\n3. write tests for both\n4. configure docker compose\n5. deploy',
  ])('complex: %s', (request) => expect(classify(request).complexity).toBe('complex'))

  test('any text whatever has a class and a confidence', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const { confidence } = classify(text)
        expect(confidence).toBeGreaterThanOrEqual(0.5)
        expect(confidence).toBeLessThanOrEqual(1)
      }),
    )
  })
})

const use = (request: string, used: number, raw = 200): PastUse => ({
  request,
  complexity: 'simple',
  raw,
  used,
})

describe('what a plan is expected to take', () => {
  test('is the base of its class and a fifth more, as long as nothing is known', () => {
    expect(estimate('show the disk space', [])).toMatchObject({
      raw: 200,
      expected: 200,
      budget: 240,
      similar: 0,
    })
    expect(baseTokens).toEqual({ simple: 200, medium: 500, complex: 1500 })
  })

  test('is 70% what similar requests took and 30% the base', () => {
    const found = estimate('show the disk space', [use('show the disk space', 600, 440)])
    expect(found).toMatchObject({ raw: 0.7 * 600 + 0.3 * 200, similar: 1 })
    expect(estimate('show the disk space', [use('upgrade react', 600)])).toMatchObject({
      raw: 200,
      similar: 0,
    })
  })

  test('is corrected by how wrong it was', () => {
    const past = Array.from({ length: 20 }, (_, i) => use(`topic${i} unlike others${i}`, 400))
    const { raw, expected } = estimate('show the disk space', past.slice(0, 2))
    expect(expected / raw).toBeGreaterThan(1.2)
    expect(expected / raw).toBeLessThan(2)
  })

  test('never makes a limit that could cut an answer of its size, whatever the past says', () => {
    const past = fc.array(
      fc.record({
        request: fc.string(),
        complexity: fc.constantFrom('simple' as const, 'medium' as const, 'complex' as const),
        raw: fc.double({ min: 0, max: 1e6, noNaN: true }),
        used: fc.double({ min: 0, max: 1e6, noNaN: true }),
      }),
      { maxLength: 30 },
    )
    fc.assert(
      fc.property(fc.string(), past, (request, uses) => {
        const found = estimate(request, uses)
        expect(Number.isFinite(found.budget)).toBe(true)
        expect(maxTokensFor(found)).toBeGreaterThanOrEqual(4000)
        expect(maxTokensFor(found)).toBeLessThanOrEqual(16_000)
      }),
    )
  })

  test('decides what the question needs of a model', () => {
    expect(needFor({ complexity: 'simple', confidence: 0.9 })).toBe('quick')
    expect(needFor({ complexity: 'simple', confidence: 0.6 })).toBe('balanced')
    expect(needFor({ complexity: 'medium', confidence: 0.9 })).toBe('balanced')
    expect(needFor({ complexity: 'complex', confidence: 0.9 })).toBe('heavy')
  })
})
