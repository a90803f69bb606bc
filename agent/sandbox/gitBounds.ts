import { opendirSync } from 'node:fs'
import { setImmediate as others } from 'node:timers/promises'

/** Looking has its limits; what lies beyond them is not looked at, and the command is not let through as a look. */
export class TooMuch extends Error {
  override name = 'TooMuch'
}

const LIMITS = {
  repositories: 200,
  directories: 5000,
  /** Names that are looked up. */
  lookups: 50_000,
  /** Of indexes, in all. */
  bytes: 256 * 1024 * 1024,
  settings: 100,
}
const MAX_MS = 10_000
const MAX_ENTRIES = 100_000

/** What one look may still do. */
export class GitBounds {
  readonly #left = { ...LIMITS, entries: MAX_ENTRIES }
  readonly #until = performance.now() + MAX_MS

  /** Throws TooMuch when there is not so much left. */
  take(what: keyof typeof LIMITS | 'entries', count = 1): void {
    this.#left[what] -= count
    if (this.#left[what] < 0) throw new TooMuch(`more ${what} than are looked at`)
    if (performance.now() > this.#until) throw new TooMuch('a look that takes too long')
  }

  /** Lets others work meanwhile. */
  async pause(): Promise<void> {
    await others()
    this.take('lookups')
  }

  /** The names in a directory that may be directories; none where it cannot be read. */
  directoriesIn(dir: string): string[] {
    this.take('directories')
    const open = opened(dir)
    const names: string[] = []
    try {
      for (let entry = open?.readSync(); entry; entry = open?.readSync()) {
        this.take('entries')
        if (entry.isDirectory() || entry.isSymbolicLink()) names.push(entry.name)
      }
    } finally {
      open?.closeSync()
    }
    return names
  }
}

function opened(dir: string) {
  try {
    return opendirSync(dir)
  } catch {
    return null
  }
}
