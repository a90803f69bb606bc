import {
  accessSync,
  constants,
  lstatSync,
  readdirSync,
  readlinkSync,
  realpathSync,
  type Stats,
} from 'node:fs'
import { join } from 'node:path'
import { plainText } from './plainFile.ts'

const MAX_TEXT = 1024 * 1024

export type Kind = 'dir' | 'file' | 'link' | 'other' | 'none'

/** What is at a path; links are told and not followed. Never throws. */
export function kindOf(path: string): Kind {
  const stat = stats(path)
  if (!stat) return 'none'
  if (stat.isSymbolicLink()) return 'link'
  return stat.isDirectory() ? 'dir' : stat.isFile() ? 'file' : 'other'
}

/** Where a link leads, as written; null when it is none. */
export function linkAt(path: string): string | null {
  try {
    return readlinkSync(path)
  } catch {
    return null
  }
}

/** The real place of what is at a path; null when nothing is. */
export function placeOf(path: string): string | null {
  try {
    return realpathSync.native(path)
  } catch {
    return null
  }
}

/** A small file's text; null when it cannot be read, or is no small file. */
export const textOf = (path: string): string | null => plainText(path, MAX_TEXT)

/** Files and directories, two levels down, that this account can read and others cannot: keys, passwords. */
export function keptFromOthers(dir: string, depth = 2): string[] {
  return names(dir).flatMap((name) => {
    const path = join(dir, name)
    const stat = stats(path)
    if (!stat || stat.isSymbolicLink()) return []
    const open = stat.isDirectory() ? 0o005 : 0o004
    if ((stat.mode & open) !== open) return isReadable(path) ? [path] : []
    return stat.isDirectory() && depth > 0 ? keptFromOthers(path, depth - 1) : []
  })
}

function stats(path: string): Stats | null {
  try {
    return lstatSync(path)
  } catch {
    return null
  }
}

function names(dir: string): string[] {
  try {
    return readdirSync(dir)
  } catch {
    return []
  }
}

function isReadable(path: string): boolean {
  try {
    accessSync(path, constants.R_OK)
    return true
  } catch {
    return false
  }
}
