import { expect, test } from 'vitest'
import { busOver, type Ears } from '../../../core/queue/bus.ts'
import { Outgoing } from '../../../core/queue/outgoing.ts'
import type { Addressed } from '../../../core/queue/topics.ts'

const changed = (n: number): Addressed => ({ topic: 'run.changed', message: { runId: `run-${n}` } })
const line = (seq: number, text = `line ${seq}\n`, after = seq - 1): Addressed => ({
  topic: 'log',
  message: { runId: 'r', taskId: 't', attemptId: 'a', after, seq, text },
})
const turn = () => new Promise((resolve) => setImmediate(resolve))

/** A wire that takes batches only when it is told to. */
function stuckWire() {
  const batches: Addressed[][] = []
  const waiting: { pass(): void; fail(): void }[] = []
  const send = (messages: Addressed[]) =>
    new Promise((resolve, reject) => {
      batches.push(messages)
      waiting.push({ pass: () => resolve(null), fail: () => reject(new Error('nobody there')) })
    })
  return { batches, send, next: () => waiting.shift() }
}

test('lines of an attempt that wait become one message, in order, which tells from where to where', async () => {
  const wire = stuckWire()
  const outgoing = new Outgoing(wire.send)
  for (let seq = 1; seq <= 3; seq++) outgoing.put(line(seq))
  await turn()
  expect(wire.batches).toEqual([[line(3, 'line 1\nline 2\nline 3\n', 0)]])
  outgoing.put(line(4))
  outgoing.put(line(9))
  wire.next()?.pass()
  // What is between 4 and 9 was told by somebody else: only the newer piece is passed on, and says what precedes it.
  await expect.poll(() => wire.batches[1]).toEqual([line(9)])
})

test('a wire that takes nothing costs no memory: all that waits becomes one word', async () => {
  const wire = stuckWire()
  const outgoing = new Outgoing(wire.send)
  outgoing.put(changed(0))
  await turn()
  const before = process.memoryUsage().heapUsed
  for (let n = 0; n < 200_000; n++) {
    outgoing.put(changed(n))
    outgoing.put(line(n, 'x'.repeat(1000)))
  }
  expect(process.memoryUsage().heapUsed - before).toBeLessThan(30e6)
  expect(outgoing.dropped).toBeGreaterThan(190_000)
  wire.next()?.pass()
  await expect.poll(() => wire.batches[1]?.[0]).toEqual({ topic: 'lost', message: {} })
})

test('what could not be sent is counted, and told as lost once somebody is there', async () => {
  const wire = stuckWire()
  const outgoing = new Outgoing(wire.send)
  outgoing.put(changed(1))
  outgoing.put(changed(2))
  await turn()
  wire.next()?.fail()
  await expect.poll(() => wire.batches[1]).toEqual([{ topic: 'lost', message: {} }])
  expect(outgoing.dropped).toBe(2)
})

test('batches stay below what a notification may hold', async () => {
  const wire = stuckWire()
  const outgoing = new Outgoing(wire.send)
  for (let n = 0; n < 40; n++) {
    const { topic, message } = line(1, '"\u0001'.repeat(5000)) as Extract<Addressed, { topic: 'log' }>
    outgoing.put({ topic, message: { ...message, attemptId: `a${n}` } })
  }
  await expect
    .poll(() => {
      wire.next()?.pass()
      return wire.batches.flat().length
    })
    .toBe(40)
  const sizes = wire.batches.map((batch) =>
    Buffer.byteLength(JSON.stringify({ from: 'x'.repeat(36), messages: batch })),
  )
  expect(Math.max(...sizes)).toBeLessThan(8000)
})

test('a listener that throws stops neither the others nor the publisher', async () => {
  const faults: unknown[] = []
  const wire = { send: async () => {}, connected: () => true, close: async () => {} }
  let ears: Ears | null = null
  const bus = busOver(
    (own) => {
      ears = own
      return wire
    },
    { error: ((text: unknown) => faults.push(text)) as never },
  )
  let heard = 0
  bus.subscribe('agents', () => {
    throw new Error('no')
  })
  bus.subscribe('agents', () => heard++)
  let lost = 0
  bus.subscribe('lost', () => lost++)
  bus.publish('agents', {})
  await turn()
  expect([heard, faults.length]).toEqual([1, 1])
  ;(ears as Ears | null)?.missed()
  expect(lost).toBe(1)
})
