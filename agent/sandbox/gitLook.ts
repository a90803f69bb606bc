import { isUtf8 } from 'node:buffer'
import { lstatSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import type { ActionCall } from '../../core/protocol/actions.ts'
import { GitBounds, Limit, TooMuch } from './gitBounds.ts'
import { cleanGitConfig } from './gitConfig.ts'
import { sweepCovers, writeCover } from './gitCovers.ts'
import { linksOf } from './gitLinks.ts'
import { placesOf, realOf } from './gitPlaces.ts'
import { readPlain } from './plainFile.ts'

/** Submodules below submodules. */
const MAX_DEPTH = 6
const MAX_SETTINGS = 1024 * 1024
/** Of the files that say where a repository is; git reads no larger one either. */
const MAX_POINTER = 1024 * 1024

/** What a look at repositories needs: files of settings to stand in for theirs, and what would be started without. */
export type GitLook = {
  covers: { from: string; at: string }[]
  starts: string[]
  /** Why no settings can stand in for some. */
  problems: string[]
  /** Those of the problems that are a limit of looking, and say nothing against a repository. */
  limits: string[]
}

type Looking = {
  found: GitLook
  bounds: GitBounds
  /** Where files that stand in for settings are put. */
  dir: string
  /** Directories that the command may work in. */
  places: string[]
  /** Repositories, and files of settings, that were looked at. */
  seen: Set<string>
  settings: Map<string, string[]>
}

/**
 * Looks at the settings of the repositories that a command may read: those that hold its directory and the directories
 * its words name, with their submodules. Starts nothing of theirs: files are read as bytes, a bounded number of them, and
 * settings that are not plain are given to git as text. `dir`: where files that stand in for theirs are put.
 */
export async function gitLook(cwd: string, call: ActionCall, dir: string): Promise<GitLook> {
  const found: GitLook = { covers: [], starts: [], problems: [], limits: [] }
  const bounds = new GitBounds()
  sweepCovers(dir)
  try {
    const [text, argv] = call.action === 'shell' ? [call.params.command, call.params.argv ?? []] : ['', []]
    const places = placesOf(cwd, text, argv, bounds)
    const looking = { found, bounds, dir, places, seen: new Set<string>(), settings: new Map() }
    const tops = new Set(places.flatMap(upwards))
    for (const top of tops) await addRepository(looking, top, 0)
  } catch (error) {
    if (error instanceof Limit) found.limits.push(error.message)
    found.problems.push(error instanceof TooMuch ? error.message : 'files that cannot be looked at')
  }
  return found
}

const upwards = (path: string): string[] => (path === '/' ? [path] : [path, ...upwards(dirname(path))])

/** `top` may hold a repository (`.git`, a directory or a file that says where), or be one. */
async function addRepository(looking: Looking, top: string, depth: number): Promise<void> {
  const { bounds, found, seen } = looking
  for (const place of [`${top}/.git`, top]) {
    bounds.take('lookups')
    const gitDir = gitDirAt(place)
    // One repository may have its files at several places.
    if (gitDir === null || seen.has(`${gitDir}\n${top}`)) continue
    seen.add(`${gitDir}\n${top}`)
    await bounds.pause()
    bounds.take('repositories')
    const worktrees = await addSettings(looking, gitDir, depth)
    const tops = new Set([top, ...worktrees, ...(depth === 0 ? looking.places : [])])
    for (const below of linksOf(gitDir, [...tops], bounds))
      if (depth < MAX_DEPTH) await addRepository(looking, below, depth + 1)
      else found.problems.push('submodules too deep')
  }
}

function gitDirAt(place: string): string | null {
  const real = realOf(place)
  if (real === null) return null
  if (isDirectory(real)) return isThere(`${real}/HEAD`) ? real : null
  const pointer = readPlain(real, MAX_POINTER)
  if (pointer.kind !== 'bytes' || pointer.bytes.toString('latin1', 0, 8) !== 'gitdir: ') return null
  if (!isUtf8(pointer.bytes)) throw new TooMuch('a repository whose name is no text')
  const gitDir = realOf(besides(dirname(real), lineOf(pointer.bytes.toString('utf8').slice(8))))
  return gitDir !== null && isDirectory(gitDir) ? gitDir : null
}

/** As git takes what is in its files: to the end, without the last ends of lines. */
const lineOf = (text: string): string => (text.split('\0')[0] ?? '').replace(/[\r\n]+$/, '')
/** The system is to follow `..`: behind a link it is another directory than the text says. */
const besides = (dir: string, path: string): string => (path.startsWith('/') ? path : `${dir}/${path}`)

/** Returns where they say that files are. */
async function addSettings(looking: Looking, gitDir: string, depth: number): Promise<string[]> {
  const common = commonOf(gitDir)
  const files = [`${common}/config`, `${common}/config.worktree`, `${gitDir}/config.worktree`]
  const worktrees: string[] = []
  for (const file of new Set(files)) worktrees.push(...(await addFile(looking, file, depth > 0)))
  for (const dir of new Set([common, gitDir])) await addModules(looking, `${dir}/modules`, 0)
  return worktrees.flatMap((path) => realOf(besides(gitDir, path)) ?? [])
}

function commonOf(gitDir: string): string {
  const file = `${gitDir}/commondir`
  const content = readPlain(file, MAX_POINTER)
  if (content.kind === 'none') return gitDir
  const text = content.kind === 'bytes' && isUtf8(content.bytes) ? content.bytes.toString('utf8') : null
  if (text === null) throw new TooMuch('a repository whose parts are no plain files')
  return realOf(besides(gitDir, lineOf(text))) ?? gitDir
}

async function addFile(looking: Looking, file: string, below: boolean): Promise<string[]> {
  const { found, bounds, settings } = looking
  const before = settings.get(`${below} ${file}`)
  if (before) return before
  const content = readPlain(file, MAX_SETTINGS, { follow: false })
  if (content.kind === 'odd') found.problems.push('settings that are no plain file')
  if (content.kind !== 'bytes') return []
  bounds.take('settings')
  const cleaned = await cleanGitConfig(content.bytes, below)
  found.starts.push(...cleaned.starts)
  settings.set(`${below} ${file}`, cleaned.worktrees)
  if (cleaned.text !== null && !found.covers.some(({ at }) => at === file))
    found.covers.push({ from: writeCover(looking.dir, cleaned.text), at: file })
  return cleaned.worktrees
}

/** Repositories of submodules, which lie below `modules` under names that may hold slashes. */
async function addModules(looking: Looking, dir: string, depth: number): Promise<void> {
  const { bounds } = looking
  if (!isDirectory(dir)) return
  if (depth > MAX_DEPTH) throw new Limit('submodules too deep')
  for (const name of bounds.directoriesIn(dir)) {
    const path = realOf(resolve(dir, name))
    if (path === null || !isDirectory(path)) continue
    await bounds.pause()
    if (!isThere(`${path}/HEAD`)) {
      await addModules(looking, path, depth + 1)
      continue
    }
    const common = commonOf(path)
    for (const file of new Set([`${common}/config`, `${common}/config.worktree`, `${path}/config.worktree`]))
      await addFile(looking, file, true)
    await addModules(looking, `${path}/modules`, depth + 1)
  }
}

const isDirectory = (path: string): boolean => kindOf(path) === 'directory'
const isThere = (path: string): boolean => kindOf(path) === 'file'

function kindOf(path: string): 'directory' | 'file' | 'none' {
  try {
    return lstatSync(path).isDirectory() ? 'directory' : 'file'
  } catch {
    return 'none'
  }
}
