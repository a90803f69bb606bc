import type { ActionName } from '../protocol/actions.ts'
import { resolvePath } from './resolvePath.ts'

type Place = { cwd: string; home: string }

const onlyReads: ReadonlySet<ActionName> = new Set([
  'file_read',
  'file_list',
  'git_status',
  'git_diff',
  'noop',
])

/** The files a unified diff names, `/dev/null` aside. */
function patchedFiles(patch: string): string[] {
  const named = [...patch.matchAll(/^(?:---|\+\+\+) (?:"?[ab]\/)?([^\t\n"]+)/gm)].flatMap(
    (m) => m[1]?.trim() ?? [],
  )
  return [...new Set(named)].filter((file) => file !== '/dev/null')
}

/**
 * The absolute paths a call owns while it runs when nobody says better: none for actions that only read, the files
 * of a write or a patch, else the whole directory. Pure.
 */
export function writtenFiles(
  call: { action: ActionName; params: Readonly<Record<string, unknown>> },
  place: Place,
): string[] {
  if (onlyReads.has(call.action)) return []
  const { path, patch } = call.params
  if (call.action === 'file_write' && typeof path === 'string') return [resolvePath(place, path)]
  const patched = call.action === 'file_patch' && typeof patch === 'string' ? patchedFiles(patch) : []
  return patched.length > 0 ? patched.map((file) => resolvePath(place, file)) : [resolvePath(place, '.')]
}
