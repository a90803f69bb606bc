import { MAX_LOG_TEXT } from '../../core/protocol/frames.ts'
import type { FrameBody } from '../journal/journal.ts'
import { LineCleaner, type Redacting } from './lines.ts'
import { Tail } from './tail.ts'

export type Stream = 'stdout' | 'stderr'
export type OutputLimits = { head: number; tail: number }
export const defaultLimits: OutputLimits = { head: 256 * 1024, tail: 256 * 1024 }

const COALESCE_MS = 30
/** Who prints a line at a time for long becomes a piece of log ever more seldom: from so many pieces on, so far apart. */
const SLOWER = [
  { from: 2000, ms: 1000 },
  { from: 500, ms: 250 },
]
const PROGRESS_MS = 5000
const SUMMARY_CHARS = 4000
/** A line that grows past this without an end goes to the cleaner, which keeps back enough to hold a whole secret. */
const LONG_LINE = 64 * 1024
/** What could be the end of a secret, at the beginning of a tail. */
const HOLD_BACK = 1024

type Source = { cleaner: LineCleaner; rest: Buffer[]; restBytes: number; tail: Tail }
type Piece = { stream: Stream | 'system'; text: string }

/**
 * What a command prints, on its way to the journal: split at line ends, cleaned, redacted, gathered for 30 ms
 * (the first line goes at once; after hundreds of pieces for longer). The first `head` bytes are sent as they come; of the rest the last `tail` bytes
 * are kept and sent at the end, with one system line that counts what was left out. Memory is bounded by the
 * limits whatever is printed.
 */
export class Output {
  bytes = 0
  lost = 0
  readonly #emit: (frames: FrameBody[]) => void
  readonly #limits: OutputLimits
  readonly #sources: Record<Stream, Source>
  #pieces: Piece[] = []
  #head = 0
  #timer: NodeJS.Timeout | null = null
  #lastFlush = 0
  #flushes = 0
  #lastProgress = 0
  #summary = ''

  constructor(emit: (frames: FrameBody[]) => void, redacting: Redacting, limits = defaultLimits) {
    this.#emit = emit
    this.#limits = limits
    const source = (): Source => ({
      cleaner: new LineCleaner(redacting),
      rest: [],
      restBytes: 0,
      tail: new Tail(),
    })
    this.#sources = { stdout: source(), stderr: source() }
  }

  write(stream: Stream, chunk: Buffer): void {
    this.bytes += chunk.length
    if (this.#head >= this.#limits.head) this.#keepTail(stream, chunk)
    else this.#writeHead(stream, chunk)
  }

  #writeHead(stream: Stream, chunk: Buffer): void {
    const source = this.#sources[stream]
    const end = chunk.lastIndexOf(10) + 1
    if (end > 0) this.#sendBlock(stream, this.#takeRest(source, chunk.subarray(0, end)))
    if (end < chunk.length) this.#hold(stream, Buffer.from(chunk.subarray(end)))
    if (this.#head >= this.#limits.head) this.#moveRests()
  }

  /** A line of the agent's own. */
  note(text: string): void {
    this.#pieces.push({ stream: 'system', text: `${text}\n` })
    this.#schedule()
  }

  /** Sends what is left: unfinished lines, the end of long output. Nothing may be written afterwards. */
  end(): void {
    for (const stream of ['stdout', 'stderr'] as const) {
      const rest = this.#takeRest(this.#sources[stream])
      if (rest.length > 0) this.#sendBlock(stream, rest)
      this.#push(stream, this.#sources[stream].cleaner.end())
    }
    this.#sendTail()
    this.flush()
  }

  /** The end of what was printed, at most 4,000 characters, from a line's beginning. */
  summary(): string {
    const text = this.#summary.trimEnd()
    if (text.length <= SUMMARY_CHARS) return text
    const cut = text.slice(-SUMMARY_CHARS)
    const line = cut.indexOf('\n')
    return line >= 0 && line < SUMMARY_CHARS / 2 ? cut.slice(line + 1) : cut
  }

  flush(): void {
    if (this.#timer) clearTimeout(this.#timer)
    this.#timer = null
    if (this.#pieces.length === 0) return
    this.#lastFlush = performance.now()
    this.#flushes++
    const pieces = this.#pieces
    this.#pieces = []
    this.#emit(
      pieces.flatMap(({ stream, text }) =>
        splitText(text).map((part): FrameBody => ({ type: 'log', stream, text: part })),
      ),
    )
  }

  #sendBlock(stream: Stream, block: Buffer): void {
    this.#head += block.length
    this.#push(stream, this.#sources[stream].cleaner.clean(block.toString('utf8')))
    this.#schedule()
  }

  #push(stream: Stream, text: string): void {
    if (text === '') return
    this.#summary = (this.#summary + text).slice(-2 * SUMMARY_CHARS)
    const last = this.#pieces.at(-1)
    if (last?.stream === stream) last.text += text
    else this.#pieces.push({ stream, text })
  }

  #schedule(): void {
    if (this.#timer) return
    const gap = SLOWER.find(({ from }) => this.#flushes >= from)?.ms ?? COALESCE_MS
    const wait = this.#lastFlush + gap - performance.now()
    if (wait <= 0) this.flush()
    else this.#timer = setTimeout(() => this.flush(), wait)
  }

  #hold(stream: Stream, bytes: Buffer): void {
    const source = this.#sources[stream]
    source.rest.push(bytes)
    source.restBytes += bytes.length
    if (source.restBytes > LONG_LINE) this.#cutLongLine(stream)
  }

  #cutLongLine(stream: Stream): void {
    const source = this.#sources[stream]
    const line = this.#takeRest(source)
    const whole = line.length - brokenCharacter(line)
    this.#sendBlock(stream, line.subarray(0, whole))
    source.rest = [line.subarray(whole)]
    source.restBytes = line.length - whole
  }

  #takeRest(source: Source, more?: Buffer): Buffer {
    const parts = more ? [...source.rest, more] : source.rest
    source.rest = []
    source.restBytes = 0
    return parts.length === 1 ? (parts[0] as Buffer) : Buffer.concat(parts)
  }

  #moveRests(): void {
    for (const stream of ['stdout', 'stderr'] as const) {
      const source = this.#sources[stream]
      const rest = Buffer.concat([Buffer.from(source.cleaner.release()), this.#takeRest(source)])
      if (rest.length > 0) this.#keepTail(stream, rest)
    }
  }

  #keepTail(stream: Stream, chunk: Buffer): void {
    this.#sources[stream].tail.add(chunk)
    const { stdout, stderr } = this.#sources
    while (stdout.tail.bytes + stderr.tail.bytes > this.#limits.tail) {
      this.lost += (stdout.tail.bytes >= stderr.tail.bytes ? stdout : stderr).tail.drop()
    }
    this.#progress()
  }

  #progress(): void {
    const now = performance.now()
    if (this.#lastProgress === 0) this.#lastProgress = now
    if (now - this.#lastProgress < PROGRESS_MS) return
    this.#lastProgress = now
    this.flush()
    this.#emit([
      { type: 'progress', text: `${(this.bytes / 1e6).toFixed(1)} MB of output so far`, fraction: null },
    ])
  }

  #sendTail(): void {
    const texts = (['stdout', 'stderr'] as const).map((stream) => ({ stream, text: this.#tailText(stream) }))
    if (this.lost > 0) this.note(leftOut(this.lost))
    for (const { stream, text } of texts) this.#push(stream, text)
  }

  #tailText(stream: Stream): string {
    const { cleaner, tail } = this.#sources[stream]
    const bytes = tail.take()
    if (!tail.isCut) return cleaner.clean(bytes.toString('utf8')) + cleaner.end()
    const start = startOfTail(bytes)
    this.lost += start
    return cleaner.cleanTail(bytes.toString('utf8', start))
  }
}

/** How it is said that output is missing, for people and for who counts. */
export function leftOut(bytes: number): string {
  const size = bytes < 1e6 ? `${Math.ceil(bytes / 1000)} kB` : `${(bytes / 1e6).toFixed(1)} MB`
  return `[… ${size} left out here (${bytes} bytes) …]`
}

/** Where a tail may begin: at a line, or within one behind what could be the end of a secret. */
function startOfTail(bytes: Buffer): number {
  const line = bytes.indexOf(10) + 1
  if (line > 0) return line
  let start = Math.min(bytes.length, HOLD_BACK)
  while (((bytes[start] ?? 0) & 0xc0) === 0x80) start++
  return start
}

/** Pieces of at most a frame's text, cut after a line's end where one is near. */
function splitText(text: string): string[] {
  const parts: string[] = []
  for (let rest = text; rest.length > 0; ) {
    const line = rest.length > MAX_LOG_TEXT ? rest.lastIndexOf('\n', MAX_LOG_TEXT - 1) + 1 : rest.length
    const cut = line > 0 ? line : pairSafe(rest, MAX_LOG_TEXT)
    parts.push(rest.slice(0, cut))
    rest = rest.slice(cut)
  }
  return parts
}

/** Never between the halves of a surrogate pair. */
const pairSafe = (text: string, at: number): number =>
  /[\uD800-\uDBFF]/.test(text[at - 1] ?? '') ? at - 1 : at

/** Bytes at the end that begin a UTF-8 character without finishing it. */
function brokenCharacter(bytes: Buffer): number {
  for (let back = 1; back <= 3; back++) {
    const byte = bytes[bytes.length - back] ?? 0
    if ((byte & 0xc0) === 0x80) continue
    const size = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc0 ? 2 : 1
    return size > back ? back : 0
  }
  return 0
}
