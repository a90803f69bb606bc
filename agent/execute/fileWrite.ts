import { lstatSync } from 'node:fs'
import { resolveInside } from '../sandbox/roots.ts'
import { type Action, ActionFault, succeeded } from './run.ts'
import { commit, discard, stage } from './writeWhole.ts'

/** Writes a file whole: readers see the old content or the new one. */
export const fileWrite: Action<'file_write'> = async (run, { path, content, mode = 'replace' }) => {
  run.started(null)
  const real = resolveInside(run.bounds, run.cwd, path)
  const there = lstatSync(real, { throwIfNoEntry: false })
  if (there && mode === 'create') throw new ActionFault(`${path} is already there`)
  if (there && !there.isFile()) throw new ActionFault(`${path} is not a regular file`)
  const staged = stage(run, real, content)
  try {
    commit(staged, mode)
  } catch (error) {
    discard(staged)
    throw error
  }
  return succeeded({
    summary: `${there ? 'replaced' : 'created'} ${path}, ${Buffer.byteLength(content)} bytes`,
    changed: [real],
  })
}
