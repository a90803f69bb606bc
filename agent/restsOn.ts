import { createHash } from 'node:crypto'
import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs'
import type { InspectedFile } from '../core/protocol/frames.ts'
import type { RestsOn } from '../core/protocol/specs.ts'
import { type Bounds, resolveInside } from './sandbox/roots.ts'

/** What is larger is no script. */
const MAX_BYTES = 4 * 1024 * 1024

/** What these files hold now, by hash; null for what is not there, not inside the roots, or no file of a usual size. */
export const inspectFiles = (bounds: Bounds, paths: readonly string[]): InspectedFile[] =>
  paths.map((path) => ({ path, sha256: hashOf(bounds, path) }))

/** The first file that does not hold any more what was approved; null when all do. */
export const changedFile = (bounds: Bounds, files: readonly RestsOn[]): string | null =>
  files.find(({ path, sha256 }) => hashOf(bounds, path) !== sha256)?.path ?? null

function hashOf(bounds: Bounds, path: string): string | null {
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
    return createHash('sha256').update(bytes).digest('hex')
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
