import type { Redactor, StreamRedactor } from '../../core/redaction/redact.ts'

/** What output is made fit to leave with. */
export type Redacting = Pick<Redactor, 'stream'>

/** ANSI escape sequences (ECMA-48): control sequences, operating-system commands, and two-character escapes. */
const ansi =
  /\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[PX^_][^\x1b]*(?:\x1b\\)?|[ -/]*[0-~])|\x9b[0-?]*[ -/]*[@-~]/g
/** What no chat or log can show; tabs and line ends stay. */
const control = /[\x00-\x08\x0b-\x1f\x7f]/g
const keyEnd = /-----END [A-Z0-9 ]{0,30}PRIVATE KEY(?: BLOCK)?-----/

/** A terminal shows what was written after the last carriage return of a line. */
function asShown(line: string): string {
  const end = line.endsWith('\r') ? line.length - 1 : line.length
  return line.slice(line.lastIndexOf('\r', end - 1) + 1, end)
}

/** Text of whole lines as it may be kept: without colours and control characters. Pure. */
export function plainText(text: string): string {
  const bare = text.includes('\x1b') || text.includes('\x9b') ? text.replace(ansi, '') : text
  const lines = bare.includes('\r') ? bare.split('\n').map(asShown).join('\n') : bare
  return lines.replace(control, '')
}

/** Cleans and redacts one stream, block by block. What it holds of a line without end comes with the next block. */
export class LineCleaner {
  readonly #redacting: Redacting
  #stream: StreamRedactor

  constructor(redacting: Redacting) {
    this.#redacting = redacting
    this.#stream = redacting.stream()
  }

  /** `block`: whole lines, or a part of a long one. Returns what may leave the machine. */
  clean(block: string): string {
    return this.#stream.push(plainText(block))
  }

  /** What is still held, when nothing follows it. */
  end(): string {
    return this.#stream.end()
  }

  /** The same, as it came. */
  release(): string {
    return this.#stream.release()
  }

  /** Text that begins in the middle, where lines before it were left out, up to its end. */
  cleanTail(block: string): string {
    const end = keyEnd.exec(block)
    const cut =
      end && !block.slice(0, end.index).includes('-----BEGIN ')
        ? block.slice(end.index + end[0].length)
        : block
    this.#stream = this.#redacting.stream()
    return this.clean(cut) + this.end()
  }
}
