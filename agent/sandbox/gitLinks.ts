import { isUtf8 } from 'node:buffer'
import { lstatSync } from 'node:fs'
import { type GitBounds, Limit, TooMuch } from './gitBounds.ts'
import { type GitIndex, readGitIndex } from './gitIndex.ts'
import { readPlain } from './plainFile.ts'

const MAX_INDEX = 128 * 1024 * 1024
const MAX_WALK = 40

/**
 * The directories that are repositories of their own in one whose files are at `tops`, as its index says. Throws where it
 * cannot tell.
 */
export function linksOf(gitDir: string, tops: readonly string[], bounds: GitBounds): string[] {
  const index = indexAt(`${gitDir}/index`, bounds)
  if (!index) return []
  const bases = index.bases.flatMap(
    (id) => indexAt(`${gitDir}/sharedindex.${id}`, bounds, index.nameless) ?? [],
  )
  const all = [index, ...bases]
  // Which of the shared index's paths it is, is not asked: any that is a repository.
  const links = all.flatMap((one) => [...one.links, ...(index.nameless ? one.names : [])])
  const sparse = all.flatMap((one) => one.directories)
  return tops.flatMap((top) => [
    ...links.map((path) => under(top, path)).filter((path) => holds(path, bounds)),
    ...sparse.flatMap((path) => below(under(top, path), bounds, 0)),
  ])
}

function indexAt(path: string, bounds: GitBounds, withNames = false): GitIndex | null {
  const content = readPlain(path, MAX_INDEX)
  if (content.kind === 'none') return null
  if (content.kind === 'odd') throw new TooMuch('an index that is no plain file')
  if (content.bytes.length === 0) return null
  bounds.take('bytes', content.bytes.length)
  const index = readGitIndex(content.bytes, withNames)
  if (!index) throw new TooMuch('an index that cannot be read')
  return index
}

function under(top: string, path: Buffer): string {
  if (!isUtf8(path)) throw new TooMuch('submodules whose names are no text')
  return `${top}/${path.toString('utf8').replace(/\/+$/, '')}`
}

/** What a sparse index does not tell may be there all the same. */
function below(dir: string, bounds: GitBounds, depth: number): string[] {
  if (!isDirectory(dir)) return []
  if (depth > MAX_WALK) throw new Limit('directories too deep')
  const own = holds(dir, bounds) ? [dir] : []
  const names = bounds.directoriesIn(dir).filter((name) => name !== '.git')
  return [...own, ...names.flatMap((name) => below(`${dir}/${name}`, bounds, depth + 1))]
}

function holds(dir: string, bounds: GitBounds): boolean {
  bounds.take('lookups')
  try {
    return lstatSync(`${dir}/.git`) !== undefined
  } catch {
    return false
  }
}

function isDirectory(path: string): boolean {
  try {
    return lstatSync(path).isDirectory()
  } catch {
    return false
  }
}
