import { closeSync, constants, fstatSync, readSync } from 'node:fs'
import { openInside } from '../sandbox/heldDirectory.ts'
import { plainText } from './lines.ts'
import { type Action, ActionFault, succeeded } from './run.ts'

const DEFAULT_BYTES = 256 * 1024

/** Sends a file's content as output; the summary is its beginning. Only regular files. */
export const fileRead: Action<'file_read'> = async (run, { path, max_bytes = DEFAULT_BYTES }) => {
  run.started(null)
  const fd = openInside(run, path, constants.O_RDONLY | constants.O_NONBLOCK)
  try {
    const { size, ...stat } = statFile(fd, path)
    const content = readUpTo(fd, Math.min(max_bytes, Math.max(size, stat.blksize)))
    run.output.write('stdout', content)
    if (size > content.length) {
      run.output.write('stdout', Buffer.from('\n'))
      run.output.note(`[the first ${content.length} of ${size} bytes]`)
    }
    return succeeded({ summary: run.redact(plainText(content.toString('utf8'))).slice(0, 4000) })
  } finally {
    closeSync(fd)
  }
}

function statFile(fd: number, path: string): { size: number; blksize: number } {
  const stat = fstatSync(fd)
  if (!stat.isFile()) throw new ActionFault(`${path} is not a regular file`)
  return { size: stat.size, blksize: stat.blksize }
}

function readUpTo(fd: number, bytes: number): Buffer {
  const buffer = Buffer.alloc(bytes)
  let done = 0
  for (let got = 1; got > 0 && done < bytes; done += got) got = readSync(fd, buffer, done, bytes - done, null)
  return buffer.subarray(0, done)
}
