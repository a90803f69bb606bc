import { posix } from 'node:path'
import { forEachChild, parse } from 'unbash'
import type { TaskSpec } from '../protocol/specs.ts'

/** Files that one task may rest on at most. */
export const MAX_FILES = 16

/** Programs that run a file they are given, with the options that take a word of their own. */
const interpreters: Readonly<Record<string, readonly string[]>> = {
  ...Object.fromEntries(
    ['sh', 'bash', 'dash', 'zsh', 'ksh'].map((name) => [name, ['-o', '+o', '-O', '--rcfile', '--init-file']]),
  ),
  ...Object.fromEntries(['python', 'python2', 'python3'].map((name) => [name, ['-W', '-X']])),
  node: ['-r', '--require', '--import', '--loader', '--env-file'],
  ruby: ['-r', '-I'],
  perl: ['-I', '-M'],
  php: ['-d', '-c'],
  ...Object.fromEntries(['source', '.', 'lua', 'deno', 'bun', 'tsx'].map((name) => [name, []])),
}

/** Programs that do what a file of the directory says; some take another one by an option. */
const manifests: Readonly<Record<string, readonly string[]>> = {
  make: ['GNUmakefile', 'makefile', 'Makefile'],
  gmake: ['GNUmakefile', 'makefile', 'Makefile'],
  ...Object.fromEntries(['npm', 'npx', 'pnpm', 'yarn', 'bun'].map((name) => [name, ['package.json']])),
  just: ['justfile', 'Justfile'],
  rake: ['Rakefile'],
  cargo: ['Cargo.toml', 'build.rs'],
  tox: ['tox.ini'],
  pytest: ['conftest.py', 'pytest.ini'],
}

/** Programs that run the rest of their words. */
const wrappers = new Set([
  'env',
  'nice',
  'nohup',
  'time',
  'timeout',
  'sudo',
  'command',
  'exec',
  'xvfb-run',
  'stdbuf',
])

const testFiles = ['package.json', 'Makefile', 'conftest.py', 'Cargo.toml', 'build.rs']

/**
 * The files that running this task runs, as far as its text tells: scripts that are named, and manifests of the tools
 * that read one. Absolute paths, each once; some may not be there. It may miss some (what a script runs in turn): it is
 * a second line, behind policy. Pure.
 */
export function scriptFiles({ action, params, cwd }: Pick<TaskSpec, 'action' | 'params' | 'cwd'>): string[] {
  if (action === 'run_tests') return testFiles.map((name) => posix.join(cwd, name))
  if (action !== 'shell' || typeof params.command !== 'string') return []
  const files = new Set<string>()
  const places = [cwd]
  for (const words of commandsOf(params.command)) {
    const into = words[0] === 'cd' ? words[1] : undefined
    if (into !== undefined) places.push(posix.resolve(places.at(-1) ?? cwd, into))
    for (const place of places) for (const file of filesOf(words)) files.add(posix.resolve(place, file))
  }
  return [...files].filter((file) => file.length <= 4096).slice(0, MAX_FILES)
}

/** The words of each simple command, quotes read; nothing of what cannot be parsed. */
function commandsOf(text: string): string[][] {
  const found: string[][] = []
  const visit = (node: Parameters<typeof forEachChild>[0]): void => {
    if (node.type === 'Command' && node.name)
      found.push([
        node.name.value,
        ...node.args.flatMap((word) =>
          'value' in word && typeof word.value === 'string' ? [word.value] : [],
        ),
      ])
    forEachChild(node, visit)
  }
  try {
    visit(parse(text))
    return found
  } catch {
    return []
  }
}

function filesOf(words: readonly string[], depth = 0): string[] {
  const [name = '', ...args] = words
  const program = posix.basename(name)
  const own = name.includes('/') ? [name] : []
  const named = optionFiles(args)
  const script = Object.hasOwn(interpreters, program) ? firstWord(args, interpreters[program] ?? []) : []
  const manifest = Object.hasOwn(manifests, program) ? [...(manifests[program] ?? []), ...named] : []
  const inner =
    wrappers.has(program) && depth < 4 ? wrapped(args).flatMap((rest) => filesOf(rest, depth + 1)) : []
  return [...own, ...script, ...manifest, ...inner]
}

/** What `-f FILE` and the like name. */
const optionFiles = (args: readonly string[]): string[] =>
  args.flatMap((word, i) =>
    ['-f', '--file', '--makefile', '--justfile', '--rakefile'].includes(word) && args[i + 1]
      ? [args[i + 1] ?? '']
      : [],
  )

/** The first word that is no option and belongs to none; with `-c` and the like there is none. */
function firstWord(args: readonly string[], taking: readonly string[]): string[] {
  for (let i = 0; i < args.length; i++) {
    const word = args[i] ?? ''
    if (taking.includes(word)) i++
    else if (/^(-c|-e|-m|-p|-r|--eval|--print)$/.test(word)) return []
    else if (!word.startsWith('-') && !word.startsWith('+')) return word === '' ? [] : [word]
  }
  return []
}

/** What a wrapper may run: from each word on that is no option and no assignment. */
const wrapped = (args: readonly string[]): string[][] => {
  const starts = args.flatMap((word, i) => (word.startsWith('-') || /^\w+=/.test(word) ? [] : [i]))
  return starts.slice(0, 3).map((from) => args.slice(from))
}
