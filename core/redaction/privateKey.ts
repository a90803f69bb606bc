const begin = /-----BEGIN [A-Z0-9 ]{0,30}PRIVATE KEY(?: BLOCK)?-----/y
const close = /-----END [A-Z0-9 ]{0,30}PRIVATE KEY(?: BLOCK)?-----/
/** A line of a key: base64 behind whatever a log puts before it, a header, or nothing. */
const line = /[A-Za-z0-9+/=]{16,}|^\s*(?:[A-Z][\w-]{2,20}: .*)?$|^\s*[A-Za-z0-9+/=]{1,76}\s*$/

/** Keys are shorter than this, in characters and in lines. */
const MAX_KEY = 16_384
const MAX_LINES = 200

/** Where the mark that begins a private key ends; -1 when there is none at `start`. */
export function keyBegins(text: string, start: number): number {
  begin.lastIndex = start
  return begin.test(text) ? begin.lastIndex : -1
}

/**
 * Where a private key that goes on at `from` ends: behind its end mark, or, where there is none, before the first line
 * that cannot be of it. `isGoingOn`: it began in an earlier text. `open`: the text ended before the key did. Pure.
 */
export function keyEnds(text: string, from: number, isGoingOn = false): { end: number; open: boolean } {
  const rest = text.slice(from, from + MAX_KEY)
  const mark = close.exec(rest)
  const between = mark ? rest.slice(0, mark.index) : rest
  const lines = between.split('\n')
  let at = from
  for (const [i, text] of lines.entries()) {
    if (i >= MAX_LINES || !((i === 0 && !isGoingOn) || line.test(text))) return { end: at, open: false }
    at += text.length + 1
  }
  return mark
    ? { end: from + mark.index + mark[0].length, open: false }
    : { end: from + rest.length, open: true }
}
