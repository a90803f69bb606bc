import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test, vi } from 'vitest'
import type { Logger } from '../../../core/config/logger.ts'
import type { AttemptFrame } from '../../../core/protocol/frames.ts'
import type { Api, ApiAnswer } from '../../../gateway/api.ts'
import { Limiter } from '../../../gateway/limiter.ts'
import { Reporter } from '../../../gateway/report.ts'
import { Routes } from '../../../gateway/routing.ts'

const none = {} as never
const log: Logger = { error: () => none, warn: () => none, info: () => none, debug: () => none }
const execution_id = randomUUID()
const frame = (seq: number, text = 'x'): AttemptFrame => ({
  type: 'log',
  execution_id,
  seq,
  at: new Date().toISOString(),
  stream: 'stdout',
  text,
})
const target = { acked: () => {}, revoked: () => {}, hold: () => {} }

function reporterOn(answer: (frames: AttemptFrame[]) => number) {
  const batches: number[][] = []
  const api = {
    post: async (_path: string, body: { frames: AttemptFrame[] }): Promise<ApiAnswer> => {
      await sleep(2)
      const status = answer(body.frames)
      if (status === 200) batches.push(body.frames.map(({ seq }) => seq))
      return { status, body: { acks: [], unknown: [] } }
    },
  }
  const reporter = new Reporter(api as unknown as Api, { gateway_id: randomUUID(), agent_id: randomUUID() }, {
    ...log,
    error: () => log,
  } as unknown as typeof log)
  reporter.attach(target)
  return { reporter, batches }
}

test('sends the first frame at once and gathers the rest, in order, at most 500', async () => {
  const { reporter, batches } = reporterOn(() => 200)
  reporter.add(frame(1))
  await sleep(1)
  for (let seq = 2; seq <= 1200; seq++) reporter.add(frame(seq))
  await vi.waitFor(() => expect(batches.flat()).toEqual(Array.from({ length: 1200 }, (_, i) => i + 1)), 5000)
  expect(batches.map((batch) => batch.length)).toEqual([1, 500, 500, 199])
})

test('keeps frames through failures', async () => {
  let failures = 3
  const { reporter, batches } = reporterOn(() => (failures-- > 0 ? 503 : 200))
  for (let seq = 1; seq <= 5; seq++) reporter.add(frame(seq))
  await vi.waitFor(() => expect(batches.flat()).toEqual([1, 2, 3, 4, 5]), 10_000)
})

test('leaves out the one frame the API will not have', async () => {
  let calls = 0
  const { reporter, batches } = reporterOn((frames) => {
    calls++
    return frames.some(({ seq }) => seq === 2) ? 400 : 200
  })
  for (let seq = 1; seq <= 3; seq++) reporter.add(frame(seq))
  await vi.waitFor(() => expect(batches.flat()).toEqual([1, 3]), 20_000)
  expect(calls).toBeLessThan(15)
})

test('stops reading from an agent while the ledger is away', async () => {
  const holds: boolean[] = []
  let away = true
  const { reporter } = reporterOn(() => (away ? 503 : 200))
  reporter.attach({ ...target, hold: (on) => void holds.push(on) })
  for (let seq = 1; seq <= 1000; seq++) reporter.add(frame(seq, 'y'.repeat(16_000)))
  expect(holds).toEqual([true])
  away = false
  await vi.waitFor(() => expect(holds).toEqual([true, false]), 10_000)
})

test('routes are a bounded cache', () => {
  const routes = new Routes(3)
  const add = (n: number) =>
    routes.add({
      executionId: `e${n}`,
      agentId: 'a',
      key: `k${n}`,
      specHash: 'h',
      state: 'delivered',
      link: null,
    })
  for (let n = 1; n <= 5; n++) add(n)
  expect([1, 2, 3, 4, 5].map((n) => routes.byKey(`k${n}`)?.executionId)).toEqual([
    undefined,
    undefined,
    'e3',
    'e4',
    'e5',
  ])
  expect(routes.byId('e1')).toBeUndefined()
})

test('the limiter counts per address, in all, and by the minute', () => {
  let now = 0
  const limiter = new Limiter(2, 3, () => now)
  expect(['a', 'a', 'a', 'b', 'c'].map((address) => limiter.take(address))).toEqual([
    true,
    true,
    false,
    true,
    false,
  ])
  now = 60_000
  expect(limiter.take('c')).toBe(true)
})
