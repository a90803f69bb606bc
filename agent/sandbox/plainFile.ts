import { closeSync, constants, fstatSync, lstatSync, openSync, readSync, statSync } from 'node:fs'

/** `odd`: something that is no plain file of a usual size, or cannot be read. */
export type Content = { kind: 'bytes'; bytes: Buffer } | { kind: 'none' } | { kind: 'odd' }

/**
 * A plain file's content, at most `max` bytes of it in all. Never throws, and never waits: a pipe that nobody writes to, a
 * device or a file without end is odd. `follow`: also where a link leads.
 */
export function readPlain(path: string, max: number, { follow = true } = {}): Content {
  let fd: number | null = null
  try {
    // Some devices do things when they are opened.
    if (!(follow ? statSync : lstatSync)(path).isFile()) return { kind: 'odd' }
    fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK | (follow ? 0 : constants.O_NOFOLLOW))
    const stat = fstatSync(fd)
    if (!stat.isFile() || stat.size > max) return { kind: 'odd' }
    return { kind: 'bytes', bytes: upTo(fd, stat.size) }
  } catch (error) {
    const none = ['ENOENT', 'ENOTDIR', 'ENAMETOOLONG', 'ERR_INVALID_ARG_VALUE']
    return { kind: none.includes((error as NodeJS.ErrnoException).code ?? '') ? 'none' : 'odd' }
  } finally {
    if (fd !== null) closeSync(fd)
  }
}

/** A plain file's text; null where there is none to be read. */
export function plainText(path: string, max: number): string | null {
  const content = readPlain(path, max)
  return content.kind === 'bytes' ? content.bytes.toString('utf8') : null
}

function upTo(fd: number, size: number): Buffer {
  const bytes = Buffer.alloc(size)
  let done = 0
  for (let got = 1; got > 0 && done < size; done += got) got = readSync(fd, bytes, done, size - done, done)
  return bytes.subarray(0, done)
}
