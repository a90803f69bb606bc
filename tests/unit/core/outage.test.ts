import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { Outage } from '../../../core/config/outage.ts'
import { Repeats } from '../../../core/config/repeats.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

test('an outage is told when it begins, once a minute, and when it is over', () => {
  const lines: string[] = []
  const outage = new Outage({ warn: ((text: string) => lines.push(text)) as never }, 'the database')
  outage.over()
  for (let s = 0; s < 150; s++) {
    outage.failed(new Error('ECONNREFUSED'))
    vi.advanceTimersByTime(1000)
  }
  expect(outage.isOn).toBe(true)
  outage.over()
  outage.over()
  expect(lines).toEqual([
    'the database does not answer; waiting for it: ECONNREFUSED',
    'the database does not answer (asked 61 times in 60 s); waiting for it: ECONNREFUSED',
    'the database does not answer (asked 121 times in 120 s); waiting for it: ECONNREFUSED',
    'the database answers again after 150 s',
  ])
})

test('lines that differ in numbers only are written ten times a minute, and then counted', () => {
  const repeats = new Repeats()
  const taken = Array.from({ length: 30 }, (_, n) =>
    repeats.take(`dispatch of 6c1d0b1e-0000-4000-8000-0000000000${10 + n}: 503 after ${n}.5 s`, n),
  )
  expect(taken.filter((held) => held !== null)).toHaveLength(10)
  expect(repeats.take('another line', 100)).toBe(0)
  expect(repeats.take('dispatch of 6c1d0b1e-0000-4000-8000-000000000099: 503 after 1 s', 60_000)).toBe(20)
})
