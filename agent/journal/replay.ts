import { closeSync, fsyncSync, openSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { AttemptFrame } from '../../core/protocol/frames.ts'
import { type JournalledAttempt, newAttempt, noteAck, noteFrame } from './attempt.ts'
import { decodeRecord, frameStart, type JournalRecord } from './record.ts'

type Replayed = { attempts: Map<string, JournalledAttempt>; segments: Map<number, number>; torn: number }

/**
 * Reads every segment in order. A line whose checksum is wrong (torn by a crash, or by a full disk) is counted
 * and passed over; segments stay open for reading.
 */
export function replay(dir: string): Replayed {
  const found: Replayed = { attempts: new Map(), segments: new Map(), torn: 0 }
  for (const name of readdirSync(dir)
    .filter((file) => /^\d{8}\.journal$/.test(file))
    .sort()) {
    const number = Number(name.slice(0, 8))
    const path = join(dir, name)
    found.segments.set(number, openSync(path, 'r'))
    replaySegment(found, number, readFileSync(path))
  }
  return found
}

function replaySegment(found: Replayed, segment: number, bytes: Buffer): void {
  for (let start = 0; start < bytes.length; ) {
    const end = bytes.indexOf(10, start)
    const record = end === -1 ? null : decodeRecord(bytes.subarray(start, end))
    if (record) apply(found.attempts, record, { segment, start, length: end - start })
    else found.torn++
    if (end === -1) return
    start = end + 1
  }
}

type Line = { segment: number; start: number; length: number }

function apply(attempts: Map<string, JournalledAttempt>, record: JournalRecord, line: Line): void {
  if (record.kind === 'B')
    return void attempts.set(record.id, newAttempt(record.id, record.begin, line.segment))
  const attempt = attempts.get(record.id)
  if (!attempt) return // its beginning was pruned
  attempt.segments.add(line.segment)
  if (record.kind === 'A') noteAck(attempt, record.seq)
  else if (record.kind === 'R') attempt.resultAcked = true
  else applyFrame(attempt, record, line)
}

function applyFrame(
  attempt: JournalledAttempt,
  record: { id: string; seq: number; frame: string },
  line: Line,
): void {
  const head = /^\{"type":"(\w+)".*?"at":"([^"]+)"/.exec(record.frame)
  const skip = frameStart(record.id, record.seq)
  const ref = {
    seq: record.seq,
    segment: line.segment,
    offset: line.start + skip,
    length: line.length - skip,
    text: null,
  }
  noteFrame(attempt, (head?.[1] ?? 'log') as AttemptFrame['type'], ref)
  attempt.touched = Date.parse(head?.[2] ?? '') || attempt.touched
}

/** Makes names created in a directory durable. */
export function syncDirectory(dir: string): void {
  const fd = openSync(dir, 'r')
  try {
    fsyncSync(fd)
  } finally {
    closeSync(fd)
  }
}
