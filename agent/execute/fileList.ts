import { type Dirent, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { isWithin, resolveInside } from '../sandbox/roots.ts'
import { type Action, type Run, succeeded } from './run.ts'

const MAX_ENTRIES = 2000

/** Lists a directory, directories with a slash; links are named and not followed. */
export const fileList: Action<'file_list'> = async (run, { path = '.', depth = 1 }) => {
  run.started(null)
  const names = list(run, resolveInside(run.bounds, run.cwd, path), '', depth, { left: MAX_ENTRIES })
  run.output.write('stdout', Buffer.from(names.map((name) => `${name}\n`).join('')))
  if (names.length >= MAX_ENTRIES) run.output.note(`[the first ${MAX_ENTRIES} entries]`)
  return succeeded()
}

function list(run: Run, dir: string, prefix: string, depth: number, budget: { left: number }): string[] {
  const found: string[] = []
  for (const entry of entries(dir)) {
    if (budget.left-- <= 0) break
    const name = prefix + entry.name
    found.push(entry.isDirectory() ? `${name}/` : entry.isSymbolicLink() ? `${name}@` : name)
    const below = join(dir, entry.name)
    const hidden = entry.name === '.git' || isWithin(run.bounds.hidden, below)
    if (entry.isDirectory() && depth > 1 && !hidden)
      found.push(...list(run, below, `${name}/`, depth - 1, budget))
  }
  return found
}

const entries = (dir: string): Dirent[] =>
  readdirSync(dir, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1))
