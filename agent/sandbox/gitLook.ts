import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { lstatSync, mkdirSync, readdirSync, readFileSync, realpathSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { cleanGitConfig } from './gitConfig.ts'

/** Submodules below submodules, and how many repositories one look may be about. */
const MAX_DEPTH = 6
const MAX_REPOSITORIES = 200
const MAX_WORDS = 64

/** What a look at repositories needs: files of settings to stand in for theirs, and what would be started without. */
export type GitLook = {
  covers: { from: string; at: string }[]
  starts: string[]
  /** Why no settings can stand in for some. */
  problems: string[]
}

/**
 * Looks at the settings of the repositories that a command may read: those that hold its directory and the directories
 * its words name, with their submodules. `dir`: where files that stand in for theirs are put.
 */
export function gitLook(cwd: string, text: string, dir: string): GitLook {
  const look: GitLook = { covers: [], starts: [], problems: [] }
  const seen = new Set<string>()
  for (const place of placesOf(cwd, text))
    for (const above of upwards(place)) addRepository(look, seen, above, dir, 0)
  return look
}

/** The directory, and those that words of the command name. */
function placesOf(cwd: string, text: string): string[] {
  const words = text.split(/[\s'"`=;&|()<>{}]+/).filter((word) => word !== '' && word.length < 4096)
  const named = words.slice(0, MAX_WORDS).flatMap((word) => {
    const path = resolve(cwd, word)
    return isDirectory(path) ? [path] : []
  })
  return [...new Set([cwd, ...named].flatMap((path) => realOf(path) ?? []))]
}

const upwards = (path: string): string[] => (path === '/' ? [path] : [path, ...upwards(dirname(path))])

/** `top` may hold a repository (`.git`, a directory or a file that says where), or be one. */
function addRepository(look: GitLook, seen: Set<string>, top: string, dir: string, depth: number): void {
  for (const place of [join(top, '.git'), top]) {
    const gitDir = gitDirAt(place)
    if (gitDir === null || seen.has(gitDir)) continue
    if (seen.size >= MAX_REPOSITORIES) {
      look.problems.push('more repositories than are looked at')
      return
    }
    seen.add(gitDir)
    addSettings(look, seen, gitDir, dir, depth)
    for (const path of links(gitDir, top, look))
      if (depth < MAX_DEPTH) addRepository(look, seen, join(top, path), dir, depth + 1)
      else look.problems.push('submodules too deep')
  }
}

function gitDirAt(place: string): string | null {
  const real = realOf(place)
  if (real === null) return null
  if (isDirectory(real)) return isFile(join(real, 'HEAD')) ? real : null
  const to = /^gitdir: (.+?)\s*$/.exec(textOf(real) ?? '')?.[1]
  const gitDir = to === undefined ? null : realOf(resolve(dirname(real), to))
  return gitDir !== null && isDirectory(gitDir) ? gitDir : null
}

function addSettings(look: GitLook, seen: Set<string>, gitDir: string, dir: string, depth: number): void {
  const common = realOf(resolve(gitDir, (textOf(join(gitDir, 'commondir')) ?? '.').trim())) ?? gitDir
  const files = [join(common, 'config'), join(common, 'config.worktree'), join(gitDir, 'config.worktree')]
  for (const file of new Set(files)) addFile(look, file, dir, depth > 0)
  for (const module of modulesOf(join(common, 'modules'), 0)) {
    if (seen.has(module)) continue
    seen.add(module)
    addFile(look, join(module, 'config'), dir, true)
    addFile(look, join(module, 'config.worktree'), dir, true)
  }
}

function addFile(look: GitLook, file: string, dir: string, below: boolean): void {
  const stat = lstatSync(file, { throwIfNoEntry: false })
  if (!stat) return
  if (!stat.isFile()) {
    look.problems.push('settings that are no plain file')
    return
  }
  const cleaned = cleanGitConfig(file, below)
  if (cleaned === null) return
  look.starts.push(...cleaned.starts)
  const from = join(dir, createHash('sha256').update(cleaned.text).digest('hex').slice(0, 32))
  mkdirSync(dir, { recursive: true, mode: 0o700 })
  writeFileSync(from, cleaned.text, { mode: 0o600 })
  look.covers.push({ from, at: file })
}

/** Repositories of submodules, which lie below `modules` under names that may hold slashes. */
function modulesOf(dir: string, depth: number): string[] {
  if (depth > MAX_DEPTH || !isDirectory(dir)) return []
  return readdirSync(dir, { withFileTypes: true }).flatMap((entry) => {
    const path = join(dir, entry.name)
    if (!entry.isDirectory()) return []
    return isFile(join(path, 'HEAD'))
      ? [path, ...modulesOf(join(path, 'modules'), depth + 1)]
      : modulesOf(path, depth + 1)
  })
}

/** How the index says that a path is another repository. */
const GITLINK = Buffer.from([0, 0, 0xe0, 0])

/** Paths of the index that are repositories of their own. git is asked only where the index may hold any. */
function links(gitDir: string, top: string, look: GitLook): string[] {
  const indexes = readdirSync(gitDir).filter((name) => name === 'index' || name.startsWith('sharedindex.'))
  if (!indexes.some((name) => bytesOf(join(gitDir, name))?.includes(GITLINK))) return []
  try {
    const args = ['-c', 'core.fsmonitor=false', '-c', 'core.hooksPath=/dev/null', 'ls-files', '--stage', '-z']
    const env = {
      PATH: process.env.PATH,
      GIT_DIR: gitDir,
      GIT_WORK_TREE: top,
      GIT_OPTIONAL_LOCKS: '0',
      HOME: '/nowhere',
    }
    const text = execFileSync('git', args, {
      cwd: top,
      env,
      encoding: 'utf8',
      timeout: 10_000,
      maxBuffer: 256 * 1024 * 1024,
      stdio: ['ignore', 'pipe', 'ignore'],
    })
    return text
      .split('\0')
      .flatMap((line) => (line.startsWith('160000 ') ? [line.slice(line.indexOf('\t') + 1)] : []))
  } catch {
    look.problems.push('submodules that cannot be listed')
    return []
  }
}

const isDirectory = (path: string): boolean =>
  lstatSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false
const isFile = (path: string): boolean => {
  const stat = lstatSync(path, { throwIfNoEntry: false })
  return stat !== undefined && !stat.isDirectory()
}

function realOf(path: string): string | null {
  try {
    return realpathSync(path)
  } catch {
    return null
  }
}

function bytesOf(path: string): Buffer | null {
  try {
    return readFileSync(path)
  } catch {
    return null
  }
}

const textOf = (path: string): string | null => bytesOf(path)?.toString('utf8') ?? null
