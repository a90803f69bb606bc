import {
  closeSync,
  fdatasync,
  fdatasyncSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readSync,
  unlinkSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import { failpoint } from '../../core/config/failpoint.ts'
import type { AttemptFrame } from '../../core/protocol/frames.ts'
import { GRANT_TTL_MINUTES } from '../../core/protocol/grants.ts'
import {
  type FrameRef,
  isSettled,
  type JournalledAttempt,
  newAttempt,
  noteAck,
  noteFrame,
} from './attempt.ts'
import { type Begin, encodeRecord, frameStart, type JournalRecord } from './record.ts'
import { replay, syncDirectory } from './replay.ts'

const SEGMENT_BYTES = 16 * 1024 * 1024
/** Frames kept in memory until acknowledged; the rest is read from disk when its turn comes. */
const CACHE_BYTES = 2 * 1024 * 1024
/** A settled attempt outlives its grant by a day; one the ledger never took is kept this long. */
const KEEP_SETTLED_MS = (GRANT_TTL_MINUTES * 60 + 86_400) * 1000
const KEEP_UNSETTLED_MS = 30 * 86_400_000

/** The journal took nothing: the disk is full or gone. Nothing may run that is not journalled. */
export class JournalError extends Error {
  override name = 'JournalError'
}

/** A frame without what the journal adds: number and time. */
export type FrameBody = AttemptFrame extends infer F
  ? F extends AttemptFrame
    ? Omit<F, 'execution_id' | 'seq' | 'at'>
    : never
  : never

/**
 * The agent's memory of attempts: append-only segments of checksummed lines. A write is in the kernel when
 * `write` returns (it survives the process), and on disk when `sync` resolves (it survives the machine).
 */
export class Journal {
  readonly attempts: Map<string, JournalledAttempt>
  /** Execution ids by claim token, of attempts that began. */
  readonly tokens = new Map<string, string>()
  /** Lines that a crash left unreadable, counted at opening. */
  readonly torn: number
  readonly #dir: string
  readonly #clock: () => number
  readonly #segments: Map<number, number>
  #current = 0
  #size = 0
  #cached = 0
  #dirty = false
  #syncing: Promise<void> | null = null
  #queued: Promise<void> | null = null

  /** Opens the journal in `dir` (created 0700), reading what earlier processes left. Throws when it cannot. */
  constructor(dir: string, clock: () => number = Date.now) {
    mkdirSync(dir, { recursive: true, mode: 0o700 })
    this.#dir = dir
    this.#clock = clock
    const found = replay(dir)
    this.attempts = found.attempts
    this.torn = found.torn
    this.#segments = found.segments
    for (const a of found.attempts.values()) if (a.token) this.tokens.set(a.token, a.id)
    this.#openSegment(Math.max(0, ...found.segments.keys()) + 1)
    this.prune()
  }

  /** Begins an attempt with its first frame, in one write. Throws JournalError when the disk takes nothing. */
  begin(id: string, begin: Omit<Begin, 'at'>, first: FrameBody): JournalledAttempt {
    const full = { ...begin, at: this.#clock() }
    const attempt = newAttempt(id, full, this.#current)
    this.#writeAll([{ kind: 'B', id, begin: full }], attempt, [first])
    this.attempts.set(id, attempt)
    if (begin.token) this.tokens.set(begin.token, id)
    return attempt
  }

  /** Appends frames of an attempt, numbered on. Throws JournalError; then none of them is journalled. */
  frames(attempt: JournalledAttempt, bodies: FrameBody[]): void {
    this.#writeAll([], attempt, bodies)
  }

  /** Everything up to `seq` is in the ledger. Returns the frames that waited for it. */
  ack(attempt: JournalledAttempt, seq: number): FrameRef[] {
    const gone = noteAck(attempt, seq)
    for (const ref of gone) this.#uncache(ref)
    const upTo = gone.at(-1)?.seq
    if (upTo !== undefined) this.#tryWrite({ kind: 'A', id: attempt.id, seq: upTo })
    return gone
  }

  resultAck(attempt: JournalledAttempt): void {
    if (attempt.resultAcked) return
    attempt.resultAcked = true
    this.#tryWrite({ kind: 'R', id: attempt.id })
  }

  /** The JSON of a journalled frame. Throws when its segment cannot be read. */
  read(ref: FrameRef): string {
    if (ref.text !== null) return ref.text
    const fd = this.#segments.get(ref.segment)
    if (fd === undefined) throw new JournalError('a journal segment is missing')
    const bytes = Buffer.allocUnsafe(ref.length)
    readSync(fd, bytes, 0, ref.length, ref.offset)
    return bytes.toString('utf8')
  }

  /** Resolves when everything written so far is on disk. Concurrent callers share one flush (group commit). */
  sync(): Promise<void> {
    if (!this.#syncing) return this.#startSync()
    this.#queued ??= this.#syncing.catch(() => {}).then(() => this.#startSync())
    return this.#queued
  }

  /** Forgets attempts whose time is up and deletes the segments that only told of such. */
  prune(): void {
    const now = this.#clock()
    const inUse = new Set([this.#current])
    for (const a of this.attempts.values()) {
      const age = now - a.touched
      if (age > (isSettled(a) ? KEEP_SETTLED_MS : a.state === 'ended' ? KEEP_UNSETTLED_MS : Infinity))
        this.#forget(a)
      else for (const segment of a.segments) inUse.add(segment)
    }
    for (const [segment, fd] of this.#segments) if (!inUse.has(segment)) this.#deleteSegment(segment, fd)
  }

  close(): void {
    for (const fd of this.#segments.values()) closeSync(fd)
    this.#segments.clear()
  }

  #writeAll(head: JournalRecord[], attempt: JournalledAttempt, bodies: FrameBody[]): void {
    const now = this.#clock()
    const at = new Date(now).toISOString()
    const lines = head.map(encodeRecord)
    const start = lines.reduce((sum, line) => sum + line.length, 0)
    const refs: { type: AttemptFrame['type']; ref: FrameRef }[] = []
    let offset = start
    for (const [i, body] of bodies.entries()) {
      const seq = attempt.nextSeq + i
      const { type, ...rest } = body
      const text = JSON.stringify({ type, execution_id: attempt.id, seq, at, ...rest })
      const line = encodeRecord({ kind: 'F', id: attempt.id, seq, frame: text })
      const skip = frameStart(attempt.id, seq)
      refs.push({
        type: body.type,
        ref: { seq, segment: 0, offset: offset + skip, length: line.length - skip - 1, text },
      })
      lines.push(line)
      offset += line.length
    }
    const name = `journal.${bodies[0]?.type}`
    failpoint(`${name}:before`)
    const where = this.#write(Buffer.concat(lines))
    failpoint(`${name}:after`)
    for (const { type, ref } of refs) {
      ref.segment = where.segment
      ref.offset += where.offset
      this.#cache(ref)
      noteFrame(attempt, type, ref)
    }
    attempt.segments.add(where.segment)
    attempt.touched = now
  }

  #write(bytes: Buffer): { segment: number; offset: number } {
    try {
      if (this.#size > SEGMENT_BYTES) this.#openSegment(this.#current + 1)
      const fd = this.#fd()
      if (this.#dirty) ftruncateSync(fd, this.#size)
      this.#dirty = true
      for (let done = 0; done < bytes.length; )
        done += writeSync(fd, bytes, done, bytes.length - done, this.#size + done)
      this.#dirty = false
    } catch (error) {
      throw new JournalError(`the journal cannot be written: ${(error as Error).message}`)
    }
    const offset = this.#size
    this.#size += bytes.length
    return { segment: this.#current, offset }
  }

  /** For records whose loss only repeats work that changes nothing. */
  #tryWrite(record: JournalRecord): void {
    try {
      this.#write(encodeRecord(record))
    } catch {
      // The ledger acknowledges again what it is sent again.
    }
  }

  #fd(): number {
    const fd = this.#segments.get(this.#current)
    if (fd === undefined) throw new JournalError('the journal is closed')
    return fd
  }

  #openSegment(number: number): void {
    const path = join(this.#dir, `${String(number).padStart(8, '0')}.journal`)
    const before = this.#segments.get(this.#current)
    if (before !== undefined && this.#current > 0) fdatasyncSync(before)
    this.#segments.set(number, openSync(path, 'w+', 0o600))
    syncDirectory(this.#dir)
    this.#current = number
    this.#size = 0
    this.#dirty = false
  }

  #deleteSegment(segment: number, fd: number): void {
    closeSync(fd)
    this.#segments.delete(segment)
    unlinkSync(join(this.#dir, `${String(segment).padStart(8, '0')}.journal`))
  }

  #forget(attempt: JournalledAttempt): void {
    for (const ref of attempt.pending) this.#uncache(ref)
    this.attempts.delete(attempt.id)
    if (attempt.token) this.tokens.delete(attempt.token)
  }

  #startSync(): Promise<void> {
    this.#queued = null
    const fd = this.#fd()
    const run = new Promise<void>((resolve, reject) => {
      fdatasync(fd, (error) =>
        error ? reject(new JournalError(`the journal cannot be flushed: ${error.message}`)) : resolve(),
      )
    }).finally(() => {
      this.#syncing = null
    })
    this.#syncing = run
    return run
  }

  #cache(ref: FrameRef): void {
    if (this.#cached + ref.length > CACHE_BYTES) ref.text = null
    else this.#cached += ref.length
  }

  #uncache(ref: FrameRef): void {
    if (ref.text === null) return
    this.#cached -= ref.length
    ref.text = null
  }
}
