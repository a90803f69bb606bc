import { opendirSync } from 'node:fs'
import { setImmediate as others } from 'node:timers/promises'

/** Looking has its limits; what lies beyond them is not looked at, and the command is not let through as a look. */
export class TooMuch extends Error {
  override name = 'TooMuch'
}

/** There is simply more than a look goes through: that says nothing against what is there. */
export class Limit extends TooMuch {}

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
/** What a person is told of that there is more of. */
const words: Record<keyof typeof LIMITS | 'entries', string> = {
  repositories: '200 repositories',
  directories: '5,000 directories',
  lookups: '50,000 names to look up',
  bytes: '256 MB of indexes',
  settings: '100 files of settings',
  entries: '100,000 names in directories',
}

/** What one look may still do. */
export class GitBounds {
  readonly #left = { ...LIMITS, entries: MAX_ENTRIES }
  readonly #until = performance.now() + MAX_MS

  /** Throws TooMuch when there is not so much left. */
  take(what: keyof typeof LIMITS | 'entries', count = 1): void {
    this.#left[what] -= count
    if (this.#left[what] < 0) throw new Limit(`more than ${words[what]}`)
    if (performance.now() > this.#until) throw new Limit('a look that takes too long')
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
