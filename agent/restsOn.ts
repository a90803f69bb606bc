import { isUtf8 } from 'node:buffer'
import { createHash } from 'node:crypto'
import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs'
import { basename } from 'node:path'
import { type InspectedFile, MAX_INSPECTED_TEXT } from '../core/protocol/frames.ts'
import type { RestsOn } from '../core/protocol/specs.ts'
import { holdsSecrets } from '../core/redaction/secretNames.ts'
import { type Bounds, resolveInside } from './sandbox/roots.ts'

/** What is larger is no script. */
const MAX_BYTES = 4 * 1024 * 1024

/** Text that is told of all files together, in characters. */
const MAX_TEXT = 48 * 1024

/**
 * What these files hold now, by hash; null for what is not there, not inside the roots, or no file of a usual size. Of
 * small ones also the text, redacted: people are to see what they approve. Never of a file whose name is a secret's.
 */
export function inspectFiles(
  bounds: Bounds,
  paths: readonly string[],
  redact: (text: string) => string,
): InspectedFile[] {
  let left = MAX_TEXT
  return paths.map((path) => {
    const bytes = contentOf(bounds, path)
    if (bytes === null) return { path, sha256: null }
    const text = textOf(path, bytes, redact)
    const told = text !== null && text.length <= left ? { text } : {}
    left -= told.text?.length ?? 0
    return { path, sha256: sha256(bytes), size: bytes.length, ...told }
  })
}

function textOf(path: string, bytes: Buffer, redact: (text: string) => string): string | null {
  if (bytes.length > 4 * MAX_INSPECTED_TEXT || bytes.includes(0) || !isUtf8(bytes)) return null
  if (holdsSecrets(basename(path))) return null
  const text = redact(bytes.toString('utf8'))
  return text.length > MAX_INSPECTED_TEXT ? `${text.slice(0, MAX_INSPECTED_TEXT - 1)}…` : text
}

/** The first file that does not hold any more what was approved; null when all do. */
export const changedFile = (bounds: Bounds, files: readonly RestsOn[]): string | null =>
  files.find(({ path, sha256 }) => hashOf(bounds, path) !== sha256)?.path ?? null

const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex')

function hashOf(bounds: Bounds, path: string): string | null {
  const bytes = contentOf(bounds, path)
  return bytes && sha256(bytes)
}

function contentOf(bounds: Bounds, path: string): Buffer | null {
  let fd: number | null = null
  try {
    fd = openSync(resolveInside(bounds, '/', path), constants.O_RDONLY | constants.O_NONBLOCK)
    const { size, isFile } = statOf(fd)
    if (!isFile || size > MAX_BYTES) return null
    const bytes = Buffer.alloc(size)
    for (let at = 0; at < size; ) {
      const read = readSync(fd, bytes, at, size - at, at)
      if (read === 0) break
      at += read
    }
    return bytes
  } catch {
    return null
  } finally {
    if (fd !== null) closeSync(fd)
  }
}

function statOf(fd: number): { size: number; isFile: boolean } {
  const stat = fstatSync(fd)
  return { size: stat.size, isFile: stat.isFile() }
}
