import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { Outage } from '../../../core/config/outage.ts'
import type { Deps } from '../../../core/deps.ts'
import { wakeWithoutQueue } from '../../../workers/whileAway.ts'
import { testLog } from '../../support/control.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

function waking() {
  const outage = new Outage({ warn: (() => testLog) as never }, 'the queue')
  const done: string[] = []
  const deps = { wake: () => {}, log: testLog } as unknown as Deps
  const wake = wakeWithoutQueue(deps, { outage }, async (_deps, name) => void done.push(name))
  return { outage, done, wake }
}

test('while the queue is away, what the tick wakes is done here, each once at a time', async () => {
  const { outage, done, wake } = waking()
  wake('tasks.dispatch', {})
  expect(done).toEqual([])
  outage.failed(new Error('ECONNREFUSED'))
  wake('tasks.dispatch', {})
  wake('tasks.dispatch', {})
  expect(done).toEqual(['tasks.dispatch'])
  await vi.advanceTimersByTimeAsync(1000)
  wake('tasks.dispatch', {})
  expect(done).toHaveLength(2)
  outage.over()
  await vi.advanceTimersByTimeAsync(1000)
  wake('tasks.dispatch', {})
  expect(done).toHaveLength(2)
})

test('a queue whose workers stand still: what is asked for again and again is done here after five seconds', async () => {
  const { done, wake } = waking()
  for (let second = 0; second < 12; second++) {
    wake('tasks.dispatch', {})
    await vi.advanceTimersByTimeAsync(1000)
  }
  expect(done).toHaveLength(2)
  await vi.advanceTimersByTimeAsync(10_000)
  wake('tasks.dispatch', {})
  expect(done).toHaveLength(2)
})
