import { posix, win32 } from 'node:path'
import type { PathAlias } from './frames.ts'

/** What the ledger knows of the machine a path is on. `platform` as agents tell it: `linux-x64`, `darwin-arm64`. */
export type PathPlace = {
  cwd: string
  platform: string
  home: string
  links?: readonly PathAlias[] | undefined
}

/** Links that lead to links are followed this often, as a kernel does; a circle ends there. */
const MAX_LINKS = 40

/**
 * The one name under which a file is owned: absolute, `.` and `..` resolved by name, without a last `/`, links that
 * are known followed, and in one case where the platform does not tell cases apart (darwin, win32). Windows paths get
 * `/` between their parts and lose the dots and spaces that Windows ignores at their ends. Two paths with one
 * canonical form are one file; two files may share one form only where that errs to the safe side. Pure.
 */
export function canonicalPath(path: string, { cwd, platform, home, links = [] }: PathPlace): string {
  const isWindows = platform.startsWith('win32')
  const plain = (text: string): string => plainPath(text, { cwd, home }, isWindows)
  const fold = isWindows || platform.startsWith('darwin') ? foldCase : (text: string) => text
  const targets = new Map(links.map((link) => [fold(plain(link.path)), plain(link.to)]))
  return fold(targets.size === 0 ? plain(path) : follow(plain(path), targets, fold))
}

function plainPath(path: string, { cwd, home }: Pick<PathPlace, 'cwd' | 'home'>, isWindows: boolean): string {
  const { resolve } = isWindows ? win32 : posix
  const isHome = path === '~' || path.startsWith('~/') || (isWindows && path.startsWith('~\\'))
  const full = isHome ? resolve(home, `.${path.slice(1)}`) : resolve(cwd, path)
  return isWindows ? windowsName(full) : full
}

/** `C:\Work\x. ` is `C:/Work/x` to Windows. */
const windowsName = (full: string): string =>
  full
    .split('\\')
    .map((part) => part.replace(/[. ]+$/, '') || part)
    .join('/')

/** Upper case first: some letters differ as small ones only (`ß` and `ss`, `ſ` and `s`). */
const foldCase = (path: string): string =>
  path.normalize('NFD').toUpperCase().normalize('NFD').toLowerCase().normalize('NFD')

/** The first part that is a link leads elsewhere; from there the rest goes on. */
function follow(path: string, targets: ReadonlyMap<string, string>, fold: (text: string) => string): string {
  let at = path
  for (let followed = 0; followed < MAX_LINKS; followed++) {
    const next = followOnce(at, targets, fold)
    if (next === null) return at
    at = next
  }
  return at
}

function followOnce(
  path: string,
  targets: ReadonlyMap<string, string>,
  fold: (text: string) => string,
): string | null {
  const parts = path.split('/')
  for (let count = 1; count <= parts.length; count++) {
    const prefix = parts.slice(0, count).join('/') || '/'
    const to = targets.get(fold(prefix))
    if (to !== undefined && fold(to) !== fold(prefix))
      return [to.replace(/\/$/, ''), ...parts.slice(count)].join('/') || '/'
  }
  return null
}
