import { execFile } from 'node:child_process'
import { access, mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const run = promisify(execFile)
const TEMPLATE = fileURLToPath(new URL('./template/', import.meta.url))
/** The files carry this ending, so that no tool of this repository takes them for its own. */
const ENDING = '.template'
const HALF_MADE = '.skynet-demo-'
/** Whose half-made directory it is: the process, told from an earlier one of the same number by when it began. */
const own = `${HALF_MADE}${process.pid}-${Math.floor(performance.timeOrigin)}-`
const GIT_TIMEOUT_MS = 20_000

const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  )

const targetOf = (file: string): string =>
  file.slice(0, -ENDING.length).replace(/(^|[\\/])gitignore$/, '$1.gitignore')

async function copyTemplate(to: string): Promise<void> {
  const files = await readdir(TEMPLATE, { recursive: true })
  for (const file of files.filter((name) => name.endsWith(ENDING))) {
    const target = join(to, targetOf(file))
    await mkdir(dirname(target), { recursive: true })
    await writeFile(target, await readFile(join(TEMPLATE, file)))
  }
}

/** Git on one directory alone, whatever repository, hooks or signing the person's own settings name. */
async function git(dir: string, args: string[], env: NodeJS.ProcessEnv = {}): Promise<string> {
  const plain = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('GIT_')))
  const { stdout } = await run('git', args, { cwd: dir, timeout: GIT_TIMEOUT_MS, env: { ...plain, ...env } })
  return stdout.trim()
}

const author = ['-c', 'user.name=SKYNET', '-c', 'user.email=demo@skynet.invalid']
const noSettings = { GIT_CONFIG_GLOBAL: '/dev/null', GIT_CONFIG_NOSYSTEM: '1' }

async function commitAll(dir: string): Promise<void> {
  await git(dir, ['-c', 'init.defaultBranch=main', 'init', '--quiet', '--template='], noSettings)
  await git(dir, ['-c', 'core.autocrlf=false', 'add', '--all'], noSettings)
  await git(dir, [...author, 'commit', '--quiet', '--message', 'A basket with a bug'], noSettings)
  // Later commits need an author too; who has a name of their own keeps it.
  const named = await git(dir, ['config', 'user.email']).catch(() => '')
  if (named) return
  await git(dir, ['config', '--local', 'user.name', 'SKYNET demo'])
  await git(dir, ['config', '--local', 'user.email', 'demo@skynet.invalid'])
}

function isAlive(pid: number): boolean {
  try {
    return pid !== process.pid && process.kill(pid, 0)
  } catch (error) {
    return error instanceof Error && Reflect.get(error, 'code') === 'EPERM'
  }
}

/** What crashed processes left; another one may be building at this moment. */
async function removeHalfMade(workspace: string): Promise<void> {
  const names = (await readdir(workspace)).filter(
    (name) => name.startsWith(HALF_MADE) && !name.startsWith(own),
  )
  const left = names.filter(
    (name) => !isAlive(Number.parseInt(name.slice(HALF_MADE.length), 10) || process.pid),
  )
  await Promise.all(left.map((name) => rm(join(workspace, name), { recursive: true, force: true })))
}

/** Builds beside the target and moves it there whole; false when something of that name is there by then. */
async function build(workspace: string, demo: string): Promise<boolean> {
  const half = await mkdtemp(join(workspace, own))
  try {
    await copyTemplate(half)
    await commitAll(half).catch(() => rm(join(half, '.git'), { recursive: true, force: true }))
    if (await exists(demo)) return false
    await rename(half, demo)
    return true
  } catch (error) {
    if (await exists(demo)) return false
    throw error
  } finally {
    await rm(half, { recursive: true, force: true })
  }
}

/**
 * Makes the directory `demo` in the workspace: a small JavaScript project with one failing test, in git where git
 * is there. Once only: a marker in `stateDir` remembers it, so that a demo that was deleted stays deleted. Returns
 * its path when this call made it, else null. Safe to repeat after a crash at any point.
 */
export async function makeDemo(workspaceRoot: string, stateDir: string): Promise<string | null> {
  const marker = join(stateDir, 'demo-made')
  if (await exists(marker)) return null
  await mkdir(workspaceRoot, { recursive: true })
  await mkdir(stateDir, { recursive: true })
  await removeHalfMade(workspaceRoot)
  const demo = join(workspaceRoot, 'demo')
  const made = !(await exists(demo)) && (await build(workspaceRoot, demo))
  await writeFile(marker, `${new Date().toISOString()}\n`)
  return made ? demo : null
}
