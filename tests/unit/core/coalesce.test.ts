import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { coalesce } from '../../../core/queue/coalesce.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

test('the first comes at once, those that follow closely together after the gap, and none is left out', () => {
  const seen: number[] = []
  const ask = coalesce(20, (n: number) => seen.push(n))
  ask('a', 1)
  ask('a', 2)
  vi.advanceTimersByTime(0)
  expect(seen).toEqual([2])
  ask('a', 3)
  ask('a', 4)
  vi.advanceTimersByTime(19)
  expect(seen).toEqual([2])
  vi.advanceTimersByTime(1)
  expect(seen).toEqual([2, 4])
  vi.advanceTimersByTime(1000)
  expect(seen).toEqual([2, 4])
  ask('a', 5)
  vi.advanceTimersByTime(0)
  expect(seen).toEqual([2, 4, 5])
})

test('keys do not wait for each other', () => {
  const seen: string[] = []
  const ask = coalesce(20, (name: string) => seen.push(name))
  ask('a', 'a')
  ask('b', 'b')
  vi.advanceTimersByTime(0)
  expect(seen).toEqual(['a', 'b'])
})
