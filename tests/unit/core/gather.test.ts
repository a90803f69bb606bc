import { expect, test } from 'vitest'
import { gather } from '../../../core/queue/gather.ts'

const later = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

test('what is asked for while a call is under way goes together with the next one, and each gets its own answer', async () => {
  const calls: number[][] = []
  const double = gather(async (items: readonly number[]) => {
    calls.push([...items])
    await later()
    return items.map((n) => 2 * n)
  }, 3)
  expect(await Promise.all([1, 2, 3, 4, 5, 6].map(double))).toEqual([2, 4, 6, 8, 10, 12])
  expect(calls).toEqual([[1], [2, 3, 4], [5, 6]])
  expect(await double(7)).toBe(14)
})

test('one that fails does not spoil the others', async () => {
  const check = gather(async (items: readonly number[]) => {
    await later()
    if (items.includes(3)) throw new Error('three')
    return items
  })
  const asked = await Promise.allSettled([1, 2, 3, 4].map(check))
  expect(asked.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected', 'fulfilled'])
})
