import {
  closeSync,
  constants,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { syncDirectory } from '../journal/replay.ts'
import { assertInside } from '../sandbox/roots.ts'
import type { Run } from './run.ts'

/** A file written beside its place and not yet put there. */
export type Staged = { path: string; temporary: string }

/**
 * Writes content durably beside `path` (links resolved, inside the roots), with the mode of what is there, else
 * 0644. Missing directories are made.
 */
export function stage(run: Pick<Run, 'bounds' | 'id'>, path: string, content: string): Staged {
  const dir = dirname(path)
  mkdirSync(dir, { recursive: true })
  assertInside(run.bounds, realpathSync(dir), path)
  const temporary = join(dir, `.${basename(path).slice(0, 100)}.${run.id}.tmp`)
  const mode = (statSync(path, { throwIfNoEntry: false })?.mode ?? 0o644) & 0o7777
  const fd = openSync(
    temporary,
    constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW,
    mode,
  )
  try {
    writeFileSync(fd, content)
    fsyncSync(fd)
  } catch (error) {
    rmSync(temporary, { force: true })
    throw error
  } finally {
    closeSync(fd)
  }
  return { path, temporary }
}

/** Puts it in its place at once. With `create`, fails when something is there. */
export function commit({ path, temporary }: Staged, mode: 'create' | 'replace'): void {
  if (mode === 'replace') renameSync(temporary, path)
  else {
    linkSync(temporary, path)
    rmSync(temporary)
  }
  syncDirectory(dirname(path))
}

export const discard = ({ temporary }: Staged): void => rmSync(temporary, { force: true })
