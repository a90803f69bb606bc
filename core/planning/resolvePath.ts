import { posix, win32 } from 'node:path'

type Place = { cwd: string; home: string }

/** Paths of the agent's machine, which need not be of this one's kind. */
const pathsOf = (dir: string) => (/^[A-Za-z]:[\\/]|^\\\\/.test(dir) ? win32 : posix)

/** A path a person or a model gave, as an absolute one of the place's machine. `~` is the agent's home. Pure. */
export function resolvePath(place: Place, path: string): string {
  const { resolve } = pathsOf(place.cwd)
  if (path === '~' || path.startsWith('~/')) return resolve(place.home, `.${path.slice(1)}`)
  return resolve(place.cwd, path)
}

/** Whether `path` is one of the directories or below one. By name only: links are the agent's business. */
export function isInside(path: string, directories: readonly string[]): boolean {
  const { relative, isAbsolute } = pathsOf(path)
  return directories.some((directory) => {
    const rest = relative(directory, path)
    return rest === '' || (rest !== '..' && !/^\.\.[\\/]/.test(rest) && !isAbsolute(rest))
  })
}

/** The last part of a directory's path, for its name. */
export const nameOf = (path: string): string => pathsOf(path).basename(path) || path
