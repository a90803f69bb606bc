import { lstatSync, realpathSync, statSync } from 'node:fs'
import { homedir } from 'node:os'
import { join, relative, resolve } from 'node:path'
import { type GitBounds, Limit } from './gitBounds.ts'
import { outermost } from './mounts.ts'

const MAX_WORDS = 1000
const MAX_PLACES = 48
const MAX_WALK = 40

/** A command that may work elsewhere than where it is started. */
const moves = /(?:^|[^\w.-])(?:cd|pushd|env|find|fd|xargs)(?![\w.-])|-C|--chdir|--git-dir|--work-tree|GIT_/
/** `cd` alone. */
const goesHome = /~|(?:^|[^\w.-])cd\s*(?:$|[;&|)}\n])/
/** And does not say as plain words where: patterns elsewhere in it say what is looked for. */
const unclear =
  /[$`]|(?:^|[^\w.-])(?:find|fd|xargs)(?![\w.-])|(?:^|[^\w.-])(?:cd|pushd)\s[^;&|\n]*[*?[\\~]|(?:-C|--chdir)[=\s]*(?:"[^"]*|'[^']*|[^\s;&|"'])*[*?[\\~]/

/**
 * The real directories that a command may work in: where it is started, those its words name, also one after the other,
 * and all below where it says so in a way that only a shell knows.
 */
export function placesOf(cwd: string, command: string, argv: readonly string[], bounds: GitBounds): string[] {
  const text = command.replace(/\$(?:PWD\b|\{PWD\})/g, '.')
  const elsewhere = moves.test(text)
  const places = new Set([realOf(cwd) ?? cwd])
  if (elsewhere && goesHome.test(text)) places.add(realOf(homedir()) ?? '/')
  const words = wordsOf(text, argv)
  // Each `..` leads up once, whatever it comes after.
  const ups = text.split('..').length - 1
  const [start = cwd] = places
  const tooHigh = (path: string) =>
    /^\.\.(\/\.\.)*$/.test(relative(start, path)) &&
    relative(start, path).split('/').length > ups &&
    !words.includes(path)
  for (const from of elsewhere ? places : [...places])
    for (const word of words) {
      bounds.take('lookups')
      // A shell takes `..` from the name, git from where a link leads.
      for (const named of new Set([resolve(from, word), word.startsWith('/') ? word : `${from}/${word}`])) {
        const path = directoryAt(named)
        if (path !== null && !tooHigh(path)) places.add(path)
      }
      if (places.size > MAX_PLACES) throw new Limit('more directories than are looked at')
    }
  if (!elsewhere || !unclear.test(text)) return [...places]
  const walked = new Set<string>()
  for (const place of outermost([...places])) for (const path of below(place, bounds)) walked.add(path)
  return [...new Set([...places, ...walked])]
}

/** Split where a shell may split, and as it takes quotes away. */
function wordsOf(text: string, argv: readonly string[]): string[] {
  const quoted = text.match(/(?:"(?:[^"\\]|\\[\s\S])*"|'[^']*'|\\[\s\S]|[^\s;&|()<>"'\\])+/g) ?? []
  const words = [
    ...argv,
    ...quoted.map((word) => word.replace(/\\([\s\S])|["']/g, '$1')),
    ...text.split(/[\s'"`=;&|()<>{}]+/),
  ]
  const values = words.flatMap((word) => [word, word.slice(word.indexOf('=') + 1)])
  // What a pattern begins with: `../o*`.
  const named = new Set(values.flatMap((word) => [word, word.replace(/[^/]*[$`*?[\\~].*$/s, '')]))
  const all = [...named].filter((word) => word !== '' && word.length < 4096 && !word.includes('\0'))
  if (all.length > MAX_WORDS) throw new Limit('more words than are looked at')
  return all
}

/** Directories that hold a repository, at any depth. */
function below(dir: string, bounds: GitBounds, depth = 0): string[] {
  if (depth > MAX_WALK) throw new Limit('directories too deep')
  return bounds.directoriesIn(dir).flatMap((name) => {
    if (name === '.git') return []
    const path = join(dir, name)
    const real = directoryAt(path)
    if (real === null) return []
    const own = isThere(join(real, '.git'), bounds) ? [real] : []
    return real === path ? [...own, ...below(path, bounds, depth + 1)] : own
  })
}

function isThere(path: string, bounds: GitBounds): boolean {
  bounds.take('lookups')
  try {
    return lstatSync(path) !== undefined
  } catch {
    return false
  }
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
