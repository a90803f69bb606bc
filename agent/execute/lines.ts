/** ANSI escape sequences (ECMA-48): control sequences, operating-system commands, and two-character escapes. */
const ansi =
  /\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[PX^_][^\x1b]*(?:\x1b\\)?|[ -/]*[0-~])|\x9b[0-?]*[ -/]*[@-~]/g
/** What no chat or log can show; tabs and line ends stay. */
const control = /[\x00-\x08\x0b-\x1f\x7f]/g
/** Private keys come as many lines: from the first to the last nothing is kept. */
const keyBegins = /-----BEGIN [A-Z ]*PRIVATE KEY-----/
const keyEnds = /-----END [A-Z ]*PRIVATE KEY-----/
const KEY_LINES = 200

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

/**
 * Cleans and redacts one stream, block by block of whole lines; remembers between blocks that it is inside a
 * private key.
 */
export class LineCleaner {
  #inKey = 0
  readonly #redact: (text: string) => string

  constructor(redact: (text: string) => string) {
    this.#redact = redact
  }

  /** `block`: whole lines. Returns what may leave the machine; every line still ends as it did. */
  clean(block: string): string {
    const text = plainText(block)
    const open = this.#inKey > 0 ? this.#skipKey(text) : text
    if (this.#inKey === 0) this.#noteKey(open)
    return open === '' ? '' : this.#redact(open)
  }

  /** The same for text that begins in the middle, where lines before it were left out. */
  cleanTail(block: string): string {
    const end = keyEnds.exec(block)
    const cut =
      end && !keyBegins.test(block.slice(0, end.index)) ? block.slice(end.index + end[0].length) : block
    this.#inKey = 0
    return this.clean(cut)
  }

  #skipKey(text: string): string {
    const end = keyEnds.exec(text)
    if (end) {
      this.#inKey = 0
      return text.slice(end.index + end[0].length)
    }
    this.#inKey = Math.max(0, this.#inKey - text.split('\n').length)
    return ''
  }

  #noteKey(text: string): void {
    const begin = text.lastIndexOf('-----BEGIN ')
    if (begin === -1) return
    const rest = text.slice(begin)
    if (keyBegins.test(rest) && !keyEnds.test(rest)) this.#inKey = KEY_LINES
  }
}
