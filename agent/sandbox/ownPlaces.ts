import { createHash } from 'node:crypto'
import { mkdirSync, readdirSync, statSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { cachesInHome } from './places.ts'
import { cacheName } from './view.ts'

/** How long temporary files of a run stay after its last step began. */
const KEEP_MS = 24 * 3_600_000

/** Where commands find what they left behind: temporary files by run, caches by root. Not in reach of file actions. */
export class OwnPlaces {
  readonly #dir: string
  readonly #made = new Set<string>()

  /** `dir`: the agent's own directory. */
  constructor(dir: string) {
    this.#dir = dir
  }

  /** The `/tmp` of a run's commands: its steps share it, other runs do not see it. */
  temp(runId: string): string {
    return this.#make(join(this.#dir, 'tmp', digest(runId)))
  }

  /** The caches of the commands in a root. */
  caches(root: string): string {
    const dir = this.#make(join(this.#dir, 'caches', digest(root)))
    for (const name of cachesInHome) this.#make(join(dir, cacheName(name)))
    return dir
  }

  /** Removes temporary files of runs that began no step for a day, without `alive`. Never rejects. */
  async prune(alive: readonly string[], now = Date.now()): Promise<void> {
    const keep = new Set(alive.map(digest))
    for (const name of names(join(this.#dir, 'tmp'))) {
      const path = join(this.#dir, 'tmp', name)
      if (keep.has(name) || now - (statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0) < KEEP_MS)
        continue
      this.#made.delete(path)
      await rm(path, { recursive: true, force: true }).catch(() => {}) // the next time, then
    }
  }

  #make(path: string): string {
    if (!this.#made.has(path)) mkdirSync(path, { recursive: true, mode: 0o700 })
    this.#made.add(path)
    return path
  }
}

const digest = (text: string): string => createHash('sha256').update(text).digest('hex').slice(0, 24)

function names(dir: string): string[] {
  try {
    return readdirSync(dir)
  } catch {
    return []
  }
}
