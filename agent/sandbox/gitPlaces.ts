import { realpathSync, statSync } from 'node:fs'
import { homedir } from 'node:os'
import { resolve } from 'node:path'
import { type GitBounds, TooMuch } from './gitBounds.ts'

const MAX_WORDS = 1000
const MAX_PLACES = 48
const MAX_WALK = 40

/** A command that may work elsewhere than where it is started. */
const moves = /(?:^|[^\w.-])(?:cd|pushd|env|find|fd|xargs)(?![\w.-])|-C|--chdir|--git-dir|--work-tree|GIT_/
/** And does not say as plain words where. */
const unclear = /[$`*?[\]\\~]|(?:^|[^\w.-])(?:find|fd|xargs)(?![\w.-])/

/**
 * The real directories that a command may work in: where it is started, those its words name, also one after the other,
 * and all below where it says so in a way that only a shell knows.
 */
export function placesOf(cwd: string, text: string, argv: readonly string[], bounds: GitBounds): string[] {
  const places = new Set([realOf(cwd) ?? cwd])
  const elsewhere = moves.test(text)
  if (elsewhere) places.add(realOf(homedir()) ?? '/')
  const words = wordsOf(text, argv)
  for (const from of elsewhere ? places : [...places])
    for (const word of words) {
      bounds.take('lookups')
      const path = directoryAt(resolve(from, word))
      if (path !== null) places.add(path)
      if (places.size > MAX_PLACES) throw new TooMuch('more directories than are looked at')
    }
  return elsewhere && unclear.test(text) ? [...places, ...below(realOf(cwd) ?? cwd, bounds)] : [...places]
}

/** Split where a shell may split, and as it takes quotes away. */
function wordsOf(text: string, argv: readonly string[]): string[] {
  const quoted = text.match(/(?:"(?:[^"\\]|\\[\s\S])*"|'[^']*'|\\[\s\S]|[^\s;&|()<>"'\\])+/g) ?? []
  const words = [
    ...argv,
    ...quoted.map((word) => word.replace(/\\([\s\S])|["']/g, '$1')),
    ...text.split(/[\s'"`=;&|()<>{}]+/),
  ]
  const named = new Set(words.flatMap((word) => [word, word.slice(word.indexOf('=') + 1)]))
  const all = [...named].filter((word) => word !== '' && word.length < 4096 && !word.includes('\0'))
  if (all.length > MAX_WORDS) throw new TooMuch('more words than are looked at')
  return all
}

/** Directories that hold a repository, at any depth. */
function below(dir: string, bounds: GitBounds, depth = 0): string[] {
  if (depth > MAX_WALK) throw new TooMuch('directories too deep')
  return bounds.directoriesIn(dir).flatMap((name) => {
    if (name === '.git') return []
    const path = `${dir}/${name}`
    const real = directoryAt(path)
    if (real === null) return []
    return real === path ? [path, ...below(path, bounds, depth + 1)] : [real]
  })
}

function directoryAt(path: string): string | null {
  try {
    return statSync(path).isDirectory() ? realOf(path) : null
  } catch {
    return null
  }
}

/** As the system follows links, `..` after one included; null when nothing is there. */
export function realOf(path: string): string | null {
  try {
    return realpathSync.native(path)
  } catch {
    return null
  }
}
