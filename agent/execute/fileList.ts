import { type Dirent, readdirSync } from 'node:fs'
import { HeldDirectory } from '../sandbox/heldDirectory.ts'
import { resolveInside } from '../sandbox/roots.ts'
import { type Action, type Run, succeeded } from './run.ts'

const MAX_ENTRIES = 2000

/** Lists a directory, directories with a slash; links are named and not followed. */
export const fileList: Action<'file_list'> = async (run, { path = '.', depth = 1 }) => {
  run.started(null)
  const dir = HeldDirectory.open(run.bounds, resolveInside(run.bounds, run.cwd, path))
  try {
    const names = list(run, dir, '', depth, { left: MAX_ENTRIES })
    run.output.write('stdout', Buffer.from(names.map((name) => `${name}\n`).join('')))
    if (names.length >= MAX_ENTRIES) run.output.note(`[the first ${MAX_ENTRIES} entries]`)
    return succeeded()
  } finally {
    dir.close()
  }
}

function list(
  run: Run,
  dir: HeldDirectory,
  prefix: string,
  depth: number,
  budget: { left: number },
): string[] {
  const found: string[] = []
  for (const entry of entries(dir)) {
    if (budget.left-- <= 0) break
    const name = prefix + entry.name
    found.push(entry.isDirectory() ? `${name}/` : entry.isSymbolicLink() ? `${name}@` : name)
    if (!entry.isDirectory() || depth <= 1 || entry.name === '.git') continue
    found.push(...below(run, dir, entry.name, (inner) => list(run, inner, `${name}/`, depth - 1, budget)))
  }
  return found
}

/** Nothing for what may not be entered, or is no directory any more. */
function below(
  run: Run,
  dir: HeldDirectory,
  name: string,
  look: (inner: HeldDirectory) => string[],
): string[] {
  let inner: HeldDirectory
  try {
    inner = dir.enter(run.bounds, name)
  } catch {
    return []
  }
  try {
    return look(inner)
  } finally {
    inner.close()
  }
}

const entries = (dir: HeldDirectory): Dirent[] =>
  readdirSync(dir.at('.'), { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1))
