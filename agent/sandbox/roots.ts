import { lstatSync, realpathSync } from 'node:fs'
import { homedir } from 'node:os'
import { basename, dirname, isAbsolute, join, relative, resolve } from 'node:path'

/** A path the agent will not touch; the message says which and why. */
export class PathRefused extends Error {
  override name = 'PathRefused'
}

/** Where an agent may work: its roots and the data directory that is never part of them, all with links resolved. */
export type Bounds = { roots: string[]; hidden: string }

/** Whether `path` is `dir` or below it. Both absolute and resolved. */
export function isWithin(dir: string, path: string): boolean {
  const rel = relative(dir, path)
  return rel === '' || (!isAbsolute(rel) && rel !== '..' && !rel.startsWith('../'))
}

/**
 * The real place of a path as written (relative to `cwd`, `~/...` or absolute): every link resolved, parts that
 * do not exist yet kept. Throws PathRefused when it is outside the roots, in the data directory, or leads over a
 * link to nowhere.
 */
export function resolveInside(bounds: Bounds, cwd: string, path: string): string {
  const home = path === '~' || path.startsWith('~/') ? join(homedir(), path.slice(1)) : path
  const real = realOf(resolve(cwd, home))
  assertInside(bounds, real, path)
  return real
}

/** Throws PathRefused unless `real` (links resolved) is within the roots and not in the data directory. */
export function assertInside(bounds: Bounds, real: string, shown: string): void {
  if (isWithin(bounds.hidden, real)) throw new PathRefused(`${shown} is in SKYNET's data directory`)
  if (!bounds.roots.some((root) => isWithin(root, real)))
    throw new PathRefused(`${shown} is outside the agent's roots`)
}

function realOf(path: string): string {
  try {
    return realpathSync.native(path)
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code
    if (code !== 'ENOENT' || isLink(path)) throw new PathRefused(`${path} cannot be resolved (${code})`)
    return join(realOf(dirname(path)), basename(path))
  }
}

const isLink = (path: string): boolean =>
  lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() ?? false
