import {
  closeSync,
  constants,
  fsyncSync,
  linkSync,
  lstatSync,
  openSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { basename, dirname } from 'node:path'
import { syncDirectory } from '../journal/replay.ts'
import { HeldDirectory } from '../sandbox/heldDirectory.ts'
import { ActionFault, type Run } from './run.ts'

/** A file written beside its place and not yet put there. The directory stays held until it is committed or discarded. */
export type Staged = { dir: HeldDirectory; name: string; temporary: string }

/**
 * Writes content durably beside `path` (links resolved, inside the roots), with the mode of what is there, else
 * 0644. Missing directories are made. What is there under another name too (a hard link) keeps its content there.
 */
export function stage(run: Pick<Run, 'bounds' | 'id'>, path: string, content: string): Staged {
  const dir = HeldDirectory.open(run.bounds, dirname(path), { make: true })
  const name = basename(path)
  const temporary = `.${name.slice(0, 100)}.${run.id}.tmp`
  try {
    const there = lstatSync(dir.at(name), { throwIfNoEntry: false })
    if (there && !there.isFile()) throw new ActionFault(`${path} is not a regular file`)
    writeDurably(dir.at(temporary), content, (there?.mode ?? 0o644) & 0o7777)
    return { dir, name, temporary }
  } catch (error) {
    dir.close()
    throw error
  }
}

function writeDurably(at: string, content: string, mode: number): void {
  const fd = openSync(
    at,
    constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW,
    mode,
  )
  try {
    writeFileSync(fd, content)
    fsyncSync(fd)
  } catch (error) {
    rmSync(at, { force: true })
    throw error
  } finally {
    closeSync(fd)
  }
}

/** Puts it in its place at once. With `create`, fails when something is there; it can then be discarded. */
export function commit({ dir, name, temporary }: Staged, mode: 'create' | 'replace'): void {
  if (mode === 'replace') renameSync(dir.at(temporary), dir.at(name))
  else {
    linkSync(dir.at(temporary), dir.at(name))
    rmSync(dir.at(temporary))
  }
  syncDirectory(dir.at('.'))
  dir.close()
}

export function discard({ dir, temporary }: Staged): void {
  rmSync(dir.at(temporary), { force: true })
  dir.close()
}
