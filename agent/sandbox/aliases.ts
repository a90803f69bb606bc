import { lstatSync, readlinkSync, realpathSync } from 'node:fs'
import { basename, dirname, resolve } from 'node:path'
import { canonicalPath } from '../../core/protocol/canonicalPath.ts'
import type { PathAlias } from '../../core/protocol/frames.ts'

/** Links to links are followed this often. */
const MAX_LINKS = 40

/** The path with every link in it followed, also a last one that leads to nothing yet; parts that are not there stay. */
export function realName(path: string, followed = 0): string {
  try {
    return realpathSync(path)
  } catch {
    if (dirname(path) === path) return path
    const target = followed < MAX_LINKS ? linkTarget(path) : null
    if (target !== null) return realName(resolve(dirname(path), target), followed + 1)
    return resolve(realName(dirname(path), followed), basename(path))
  }
}

function linkTarget(path: string): string | null {
  try {
    return lstatSync(path).isSymbolicLink() ? readlinkSync(path) : null
  } catch {
    return null
  }
}

/**
 * The links by which one of the paths is another file than its name says; none when each is what it is called. The
 * paths are canonical, as the ledger knows them.
 */
export function findAliases(paths: readonly string[], platform: string): PathAlias[] {
  return paths.flatMap((path) =>
    aliasesOf(path, (name) => canonicalPath(name, { cwd: '/', home: '/', platform })),
  )
}

function aliasesOf(path: string, name: (path: string) => string): PathAlias[] {
  const found: PathAlias[] = []
  let at = path
  while (found.length < MAX_LINKS && name(realName(at)) !== name(at)) {
    const link = firstLink(at, name)
    if (!link) break
    found.push(link)
    at = link.to + at.slice(link.path.length)
  }
  return found
}

/** The shortest beginning of the path that is another directory or file than it is called. */
function firstLink(path: string, name: (path: string) => string): PathAlias | null {
  const parts = path.split('/')
  for (let count = 2; count <= parts.length; count++) {
    const prefix = parts.slice(0, count).join('/')
    const to = realName(prefix)
    if (name(to) !== name(prefix)) return { path: prefix, to }
  }
  return null
}
