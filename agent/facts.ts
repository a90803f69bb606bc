import type { Dirent } from 'node:fs'
import { opendir } from 'node:fs/promises'
import { availableParallelism, homedir, loadavg, platform } from 'node:os'
import { basename, delimiter, dirname, join } from 'node:path'
import { setImmediate as others } from 'node:timers/promises'
import { type ActionName, actionNames } from '../core/protocol/actions.ts'
import { type AgentFacts, MAX_LINKS, type PathAlias, type Repository } from '../core/protocol/frames.ts'
import { MAX_MANIFEST, testToolsIn } from './execute/runTests.ts'
import { realName } from './sandbox/aliases.ts'
import { findProgram, searchPath } from './sandbox/environment.ts'
import { plainText } from './sandbox/plainFile.ts'

const DEPTH = 3
const MAX_DIRECTORIES = 5000
const MAX_REPOSITORIES = 200
/** Of one directory. */
const MAX_ENTRIES = 10_000

/** Actions this machine can do: git's only where git is. */
export function capabilitiesOf(env: NodeJS.ProcessEnv): Set<ActionName> {
  const git = findProgram('git', searchPath(env.PATH).split(delimiter)) !== null
  return new Set(actionNames.filter((name) => git || !name.startsWith('git_')))
}

export const currentLoad = (running: number): AgentFacts['load'] => ({
  running,
  cores: availableParallelism(),
  average: Math.round((loadavg()[0] ?? 0) * 100) / 100,
})

export const machinePlatform = (): { platform: string; home: string } => ({
  platform: `${platform()}-${process.arch}`,
  home: homedir(),
})

/** What there is under the roots: git repositories, and links with where they lead. */
export type Found = { repositories: Repository[]; links: PathAlias[] }

/**
 * Looks under the roots, at most three levels down; directories with a leading dot and node_modules are passed over,
 * links are told and not followed. Names of repositories are made different by their parent's where two are the same.
 */
export async function lookAround(roots: string[]): Promise<Found> {
  const budget = { left: MAX_DIRECTORIES }
  const found: Walked = { repositories: [], links: [] }
  for (const root of roots) await walk(root, DEPTH, budget, found)
  return { repositories: await named(found.repositories), links: found.links.slice(0, MAX_LINKS).map(follow) }
}

/** Others work meanwhile: each is looked at by itself. */
async function named(paths: string[]): Promise<Repository[]> {
  const names = paths.map((path) => basename(path))
  const repositories: Repository[] = []
  for (const [i, path] of paths.slice(0, MAX_REPOSITORIES).entries()) {
    const twice = names.indexOf(names[i] ?? '') !== names.lastIndexOf(names[i] ?? '')
    const name = twice ? `${basename(dirname(path))}/${basename(path)}` : basename(path)
    repositories.push(describe(path, name))
    await others()
  }
  return repositories
}

const follow = (path: string): PathAlias => ({ path, to: realName(path) })

type Walked = { repositories: string[]; links: string[] }

async function walk(dir: string, depth: number, budget: { left: number }, found: Walked): Promise<void> {
  if (budget.left-- <= 0) return
  const entries = await entriesOf(dir)
  if (entries.some((entry) => entry.name === '.git')) found.repositories.push(dir)
  if (depth === 0) return
  for (const entry of entries) {
    if (entry.name.startsWith('.') || entry.name === 'node_modules') continue
    if (entry.isSymbolicLink() && found.links.length < MAX_LINKS) found.links.push(join(dir, entry.name))
    else if (entry.isDirectory()) await walk(join(dir, entry.name), depth - 1, budget, found)
  }
}

/** The first of them, in no order; none where it cannot be read. */
async function entriesOf(dir: string): Promise<Dirent[]> {
  const entries: Dirent[] = []
  try {
    for await (const entry of await opendir(dir, { bufferSize: 256 })) {
      entries.push(entry)
      if (entries.length >= MAX_ENTRIES) break
    }
  } catch {} // directories come and go
  return entries
}

const describe = (path: string, name: string): Repository => ({
  name: name.slice(0, 100),
  path,
  test_tools: testToolsIn(path),
  scripts: scriptsIn(path),
})

function scriptsIn(dir: string): string[] {
  try {
    const manifest: unknown = JSON.parse(plainText(join(dir, 'package.json'), MAX_MANIFEST) ?? '')
    const scripts = (manifest as { scripts?: unknown }).scripts
    const names = typeof scripts === 'object' && scripts !== null ? Object.keys(scripts) : []
    return names.filter((name) => name.length <= 100).slice(0, 50)
  } catch {
    return []
  }
}
