import { describe, expect, test } from 'vitest'
import { droppableSteps, stepsNeeding, whyNotDropped } from '../../../core/planning/dropStep.ts'

const steps = (graph: Record<string, string[]>) =>
  Object.entries(graph).map(([key, dependsOn]) => ({ key, dependsOn }))
const chain = steps({ a: [], b: ['a'], c: ['b'] })
const fan = steps({ a: [], b: ['a'], c: ['a'] })

describe('leaving a step out', () => {
  test('takes along what needs it, directly or through others', () => {
    expect(stepsNeeding(chain, 'a')).toEqual(['b', 'c'])
    expect(stepsNeeding(chain, 'c')).toEqual([])
    expect(stepsNeeding(steps({ c: ['b'], b: ['a'], a: [] }), 'a')).toEqual(['c', 'b'])
  })

  test('is offered only where something is left to do', () => {
    expect(droppableSteps(chain)).toEqual(['b', 'c'])
    expect(droppableSteps(fan)).toEqual(['b', 'c'])
    expect(droppableSteps(steps({ a: [] }))).toEqual([])
    expect(droppableSteps(steps({ a: [], b: [] }))).toEqual(['a', 'b'])
    expect(droppableSteps([])).toEqual([])
  })

  test('is refused with the reason', () => {
    expect(whyNotDropped(fan, 'a')).toBe('b and c need it')
    expect(whyNotDropped(steps({ 1: [], 2: ['1'] }), '1')).toBe('2 needs it')
    expect(whyNotDropped(steps({ 1: [], 2: ['1'], 3: ['2'], 4: ['1'] }), '1')).toBe('2, 3 and 4 need it')
    expect(whyNotDropped(steps({ a: [] }), 'a')).toBe('it is the only step')
    expect(whyNotDropped(chain, 'x')).toBe('there is no such step')
    expect(whyNotDropped(chain, 'b')).toBeNull()
  })
})
