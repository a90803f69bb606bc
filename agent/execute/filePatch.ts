import { closeSync, constants, fstatSync, readFileSync, rmSync } from 'node:fs'
import { inDirectoryOf, openInside } from '../sandbox/heldDirectory.ts'
import { resolveInside } from '../sandbox/roots.ts'
import { type Action, ActionFault, type Run, succeeded } from './run.ts'
import { applyHunks, type FilePatch, parsePatch } from './unifiedDiff.ts'
import { commit, discard, stage } from './writeWhole.ts'

/** A larger one is held in memory three times over. */
const MAX_PATCHED = 64 * 1024 * 1024

type Change = { path: string; before: string | null; after: string | null }

/** Applies a unified diff to all its files or to none: everything is worked out and staged before the first rename. */
export const filePatch: Action<'file_patch'> = async (run, { patch }) => {
  run.started(null)
  const changes = parsePatch(patch).map((file) => changeOf(run, file))
  const twice = changes.find((change, i) => changes.findIndex((other) => other.path === change.path) !== i)
  if (twice) throw new ActionFault(`the patch changes ${twice.path} twice`)
  putAll(run, changes)
  const what = ({ before, after, path }: Change) =>
    `${before === null ? 'created' : after === null ? 'deleted' : 'changed'} ${path}`
  return succeeded({
    summary: changes.map(what).join('\n').slice(0, 4000),
    changed: changes.map((change) => change.path),
  })
}

function changeOf(run: Run, file: FilePatch): Change {
  const name = file.target ?? file.source
  if (name === null) throw new ActionFault('the patch has a file without a name')
  const path = resolveInside(run.bounds, run.cwd, name)
  const before = readIfThere(run, path, name)
  if (file.source === null && before !== null) throw new ActionFault(`${name} is already there`)
  if (file.source !== null && before === null) throw new ActionFault(`${name} is not there`)
  const after = applyHunks(before ?? '', file.hunks, name)
  if (file.target === null && after !== '')
    throw new ActionFault(`${name} has more content than the patch deletes`)
  return { path, before, after: file.target === null ? null : after }
}

function putAll(run: Run, changes: Change[]): void {
  const staged = new Map<Change, ReturnType<typeof stage>>()
  const done: Change[] = []
  try {
    for (const change of changes)
      if (change.after !== null) staged.set(change, stage(run, change.path, change.after))
    for (const change of changes) {
      put(run, change, staged.get(change))
      staged.delete(change)
      done.push(change)
    }
  } catch (error) {
    for (const file of staged.values()) discard(file)
    for (const change of done) undo(run, change)
    throw error
  }
}

function put(run: Run, change: Change, file: ReturnType<typeof stage> | undefined): void {
  if (!file) remove(run, change.path)
  else commit(file, change.before === null ? 'create' : 'replace')
}

function undo(run: Run, change: Change): void {
  if (change.before === null) remove(run, change.path)
  else commit(stage(run, change.path, change.before), 'replace')
}

const remove = (run: Run, path: string): void =>
  inDirectoryOf(run.bounds, path, (dir, name) => rmSync(dir.at(name)))

/** Does not wait: what is no regular file (a pipe that nobody writes to) is refused. */
function readIfThere(run: Run, path: string, name: string): string | null {
  const fd = openIfThere(run, path)
  if (fd === null) return null
  try {
    const stat = fstatSync(fd)
    if (!stat.isFile()) throw new ActionFault(`${name} is not a regular file`)
    if (stat.size > MAX_PATCHED) throw new ActionFault(`${name} is too large to be patched`)
    return readFileSync(fd, 'utf8')
  } finally {
    closeSync(fd)
  }
}

function openIfThere(run: Run, path: string): number | null {
  try {
    return openInside(run, path, constants.O_RDONLY | constants.O_NONBLOCK)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw error
  }
}
