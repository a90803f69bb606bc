import { isAbsolute, relative } from 'node:path'
import { HeldDirectory } from '../sandbox/heldDirectory.ts'
import { resolveInside } from '../sandbox/roots.ts'
import { type Action, type Run, succeeded } from './run.ts'
import { runCommand } from './runCommand.ts'

/** Reading must not run what a repository's own settings name. */
const readOnly = [
  '-c',
  'core.fsmonitor=false',
  '-c',
  'core.hooksPath=/dev/null',
  '--no-optional-locks',
  '--no-pager',
]

const inside = (run: Run, path: string): string => {
  const rel = relative(run.cwd, resolveInside(run.bounds, run.cwd, path))
  return rel === '' || isAbsolute(rel) ? '.' : rel
}

export const gitInit: Action<'git_init'> = async (run, { path = '.' }) => {
  const dir = resolveInside(run.bounds, run.cwd, path)
  HeldDirectory.open(run.bounds, dir, { make: true }).close()
  const ended = await runCommand(run, 'git', ['init', '--initial-branch', 'main', '--', dir])
  return { ...ended, changed: ended.exitCode === 0 ? [dir] : [] }
}

export const gitStatus: Action<'git_status'> = (run) =>
  runCommand(run, 'git', [...readOnly, 'status', '--short', '--branch'])

export const gitDiff: Action<'git_diff'> = (run, { ref, staged, path }) => {
  const what = [...(staged ? ['--staged'] : []), ...(ref ? [ref] : [])]
  const where = path ? [inside(run, path)] : []
  return runCommand(run, 'git', [
    ...readOnly,
    'diff',
    '--no-ext-diff',
    '--no-textconv',
    '--no-color',
    ...what,
    '--',
    ...where,
  ])
}

/** Arguments: the message, then the paths. A person's own name stays; SKYNET's fills the place of none. */
const commitScript = `message=$1; shift
git config user.name >/dev/null || { GIT_AUTHOR_NAME=SKYNET; GIT_COMMITTER_NAME=SKYNET; export GIT_AUTHOR_NAME GIT_COMMITTER_NAME; }
git config user.email >/dev/null || { GIT_AUTHOR_EMAIL=skynet@localhost; GIT_COMMITTER_EMAIL=skynet@localhost; export GIT_AUTHOR_EMAIL GIT_COMMITTER_EMAIL; }
git add -A -- "$@" || exit
[ "$1" = . ] && set --
git commit --quiet --cleanup=strip -m "$message" -- "$@" && git --no-pager show --stat --oneline --no-color HEAD`

export const gitCommit: Action<'git_commit'> = async (run, { message, paths }) => {
  const places = paths ? paths.map((path) => inside(run, path)) : ['.']
  const ended = await runCommand(run, 'sh', ['-c', commitScript, 'git_commit', message, ...places])
  return ended.exitCode === 0 ? { ...succeeded(), summary: run.output.summary() } : ended
}
