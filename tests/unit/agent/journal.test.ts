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
