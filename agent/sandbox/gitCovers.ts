import { createHash, randomUUID } from 'node:crypto'
import {
  lstatSync,
  mkdirSync,
  opendirSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'

/** What no look asked for so long is removed. */
const KEEP_MS = 24 * 3600_000
const SWEEP_MS = 3600_000
const MAX_SWEPT = 5000

/**
 * Writes settings that stand in for a repository's own, under a name that says what they are; returns the file. One that is
 * there is never written to: a command may have it before its eyes.
 */
export function writeCover(dir: string, text: string, now = Date.now()): string {
  const file = join(dir, createHash('sha256').update(text).digest('hex').slice(0, 32))
  if (statSync(file, { throwIfNoEntry: false })?.size === Buffer.byteLength(text)) {
    utimesSync(file, now / 1000, now / 1000)
    return file
  }
  mkdirSync(dir, { recursive: true, mode: 0o700 })
  const draft = join(dir, `draft-${randomUUID()}`)
  writeFileSync(draft, text, { mode: 0o600, flag: 'wx' })
  renameSync(draft, file)
  return file
}

const swept = new Map<string, number>()

/** Removes what was written for looks long ago, once an hour. Never throws. */
export function sweepCovers(dir: string, now = Date.now()): void {
  if (now - (swept.get(dir) ?? -Infinity) < SWEEP_MS) return
  swept.set(dir, now)
  for (const path of some(dir)) {
    try {
      if (now - lstatSync(path).mtimeMs > KEEP_MS) rmSync(path)
    } catch {} // the next time, then
  }
}

function some(dir: string): string[] {
  try {
    const names: string[] = []
    const open = opendirSync(dir)
    for (let left = MAX_SWEPT; left > 0; left--) {
      const entry = open.readSync()
      if (!entry) break
      names.push(join(dir, entry.name))
    }
    open.closeSync()
    return names
  } catch {
    return []
  }
}
