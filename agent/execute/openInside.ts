import { closeSync, constants, openSync, readlinkSync } from 'node:fs'
import { assertInside, resolveInside } from '../sandbox/roots.ts'
import type { Run } from './run.ts'

/**
 * Opens a path that is inside the roots, links resolved. What was opened is checked again, since a link may have
 * been put in the way between the two. The caller closes it. Throws PathRefused.
 */
export function openInside(run: Pick<Run, 'bounds' | 'cwd'>, path: string, flags: number): number {
  const real = resolveInside(run.bounds, run.cwd, path)
  const fd = openSync(real, flags | constants.O_NOFOLLOW)
  try {
    if (process.platform === 'linux') assertInside(run.bounds, readlinkSync(`/proc/self/fd/${fd}`), path)
    return fd
  } catch (error) {
    closeSync(fd)
    throw error
  }
}
