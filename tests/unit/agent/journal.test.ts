import { randomUUID } from 'node:crypto'
import {
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { Journal, JournalError } from '../../../agent/journal/journal.ts'
import { decodeRecord, encodeRecord } from '../../../agent/journal/record.ts'

let dir: string
let now = 1_800_000_000_000
const open = () => new Journal(dir, () => now)
const begin = (journal: Journal, token = randomUUID()) =>
  journal.begin(randomUUID(), { token, hash: 'h' }, { type: 'accepted' })
const succeeded = {
  status: 'succeeded' as const,
  exit_code: 0,
  signal: null,
  summary: 'done',
  output_bytes: 0,
  output_lost: 0,
  duration_ms: 1,
  error: null,
  changed: [],
}
const line = (text: string) => ({ type: 'log', stream: 'stdout', text }) as const

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'skynet-journal-'))
})
afterEach(() => rmSync(dir, { recursive: true, force: true }))

test('remembers attempts and what is not acknowledged', async () => {
  const journal = open()
  const attempt = begin(journal)
  journal.frames(attempt, [line('one\n'), line('zwei ü\n')])
  await journal.sync()
  journal.ack(attempt, 1)
  journal.close()
  const again = open()
  const found = again.attempts.get(attempt.id)
  expect(found).toMatchObject({ state: 'begun', token: attempt.token, hash: 'h', nextSeq: 4 })
  expect(found?.pending.map((ref) => JSON.parse(again.read(ref)).text)).toEqual(['one\n', 'zwei ü\n'])
  expect(again.tokens.get(attempt.token ?? '')).toBe(attempt.id)
  again.close()
})

test('reads any beginning of a file without a false end', () => {
  const journal = open()
  const attempt = begin(journal)
  journal.frames(attempt, [line('a\n'), { type: 'started', pid: 1, containment: 'group' }])
  journal.frames(attempt, [{ type: 'lost' }, { type: 'exited' }])
  journal.close()
  const file = join(dir, readdirSync(dir)[0] ?? '')
  const whole = readFileSync(file)
  for (let size = 0; size <= whole.length; size++) {
    for (const name of readdirSync(dir)) rmSync(join(dir, name))
    writeFileSync(file, whole.subarray(0, size))
    const torn = open()
    const found = torn.attempts.get(attempt.id)
    const ended =
      whole.subarray(0, size).includes('"lost"') &&
      whole.subarray(whole.indexOf('"lost"'), size).includes('\n')
    expect(found?.state ?? 'begun').toBe(ended ? 'ended' : 'begun')
    torn.close()
  }
})

test('of a thousand places where a power cut may tear it, none makes an end of its own or loses a whole line', () => {
  const journal = open()
  const attempts = Array.from({ length: 4 }, () => begin(journal))
  for (let round = 0; round < 3; round++)
    for (const attempt of attempts) journal.frames(attempt, [line(`line ${round} ü\n`)])
  for (const [i, attempt] of attempts.entries())
    if (i > 0)
      journal.frames(attempt, [
        { type: 'result', result: { ...succeeded, status: i === 1 ? 'failed' : 'succeeded' } },
        { type: 'exited' },
      ])
  journal.close()
  const file = join(dir, readdirSync(dir)[0] ?? '')
  const whole = readFileSync(file)
  expect(whole.length).toBeGreaterThan(3000)
  const points = Array.from({ length: 1000 }, (_, i) => Math.floor((i * whole.length) / 1000))
  for (const [i, size] of points.entries()) {
    for (const name of readdirSync(dir)) rmSync(join(dir, name))
    // Behind the cut there is nothing, or zeros, or rubbish.
    const behind =
      [Buffer.alloc(0), Buffer.alloc(512), Buffer.from(whole).reverse().subarray(1)][i % 3] ?? whole
    writeFileSync(file, Buffer.concat([whole.subarray(0, size), behind]))
    const known = whole.subarray(0, whole.subarray(0, size).lastIndexOf('\n') + 1).toString()
    const torn = open()
    for (const { id } of attempts) {
      const frames = known.split('\n').filter((text) => text.includes(` F ${id} `))
      const found = torn.attempts.get(id)
      if (frames.length > 0)
        expect(found?.pending.map((ref) => torn.read(ref))).toEqual(
          frames.map((text) => text.slice(text.indexOf('{'))),
        )
      const hasEnded = frames.some((text) => text.includes('"type":"result"'))
      expect(found?.state ?? 'begun').toBe(hasEnded ? 'ended' : 'begun')
    }
    if (i % 10 > 0) {
      torn.close()
      continue
    }
    // It can be written on, and what is written then is whole.
    const next = begin(torn)
    torn.frames(next, [line('on\n')])
    torn.close()
    const again = open()
    expect(again.attempts.get(next.id)?.nextSeq).toBe(3)
    again.close()
  }
})

test('a changed byte spoils its line only', () => {
  const record = encodeRecord({ kind: 'F', id: randomUUID(), seq: 7, frame: '{"type":"log"}' }).subarray(
    0,
    -1,
  )
  expect(decodeRecord(record)).toMatchObject({ kind: 'F', seq: 7 })
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: record.length - 1 }),
      fc.integer({ min: 1, max: 255 }),
      (at, change) => {
        const bytes = Buffer.from(record)
        bytes[at] = (bytes[at] ?? 0) ^ change
        const read = decodeRecord(bytes)
        // A checksum's hexadecimal digits may change their case and mean the same.
        if (read !== null) expect(bytes.toString().toLowerCase()).toBe(record.toString().toLowerCase())
      },
    ),
  )
})

test('keeps a settled attempt for a day and its grant, then deletes its segment', () => {
  const journal = open()
  const attempt = begin(journal)
  journal.frames(attempt, [{ type: 'lost' }, { type: 'exited' }])
  journal.ack(attempt, 3)
  const begun = begin(journal)
  journal.close()
  now += 24 * 3_600_000
  const day = open()
  expect(day.attempts.size).toBe(2)
  day.close()
  now += 3_600_000
  const later = open()
  expect([...later.attempts.keys()]).toEqual([begun.id])
  later.frames(later.attempts.get(begun.id) ?? begun, [{ type: 'lost' }])
  later.ack(later.attempts.get(begun.id) ?? begun, 9)
  later.close()
  now += 25 * 3_600_000
  const last = open()
  expect(last.attempts.size).toBe(0)
  expect(readdirSync(dir)).toHaveLength(1)
  last.close()
})

describe('a disk that takes nothing', () => {
  test('refuses, and what is written later is whole', () => {
    const journal = open()
    const attempt = begin(journal)
    const file = join(dir, readdirSync(dir).at(-1) ?? '')
    const size = statSync(file).size
    journal.close()
    expect(() => journal.frames(attempt, [line('x')])).toThrow(JournalError)
    truncateSync(file, size - 3)
    const again = open()
    expect(again.torn).toBe(1)
    again.close()
  })
})
