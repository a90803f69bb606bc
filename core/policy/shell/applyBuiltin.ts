import { resolvePath } from '../paths/resolvePath.ts'
import { HOLES, hasGlob, hasHole } from './marks.ts'
import { bindArguments, forgetAll, type ShellState } from './state.ts'

/** Changes the state as a builtin of the shell would: directory, variables, positional words. */
export function applyBuiltin(argv: readonly string[], state: ShellState, uncertain: boolean): void {
  const words = stripPrefixes(argv)
  const [name = '', ...args] = words
  if (hasHole(name) || uncertain) changeUnknown(name, state)
  else changeKnown(name, args, state)
}

function changeKnown(name: string, args: readonly string[], state: ShellState): void {
  switch (name) {
    case 'cd':
    case 'chdir':
      state.cwds = changeDirectory(args, state)
      return
    case 'pushd':
    case 'popd':
      state.cwds = []
      return
    case 'set':
      setPositional(args, state)
      return
    case 'read':
    case 'getopts':
    case 'mapfile':
    case 'readarray':
    case 'unset':
    case 'printf':
    case 'shift':
    case 'let':
      forgetNames(name, args, state)
      return
    case 'source':
    case '.':
      forgetAll(state)
      return
  }
}

const changers =
  /^(cd|chdir|pushd|popd|eval|source|\.|set|shift|read|unset|printf|let|getopts|mapfile|readarray|command|builtin)$/

/** True for a builtin after which variables or the directory may be others. */
export function changesState(name: string): boolean {
  return changers.test(name)
}

/** `command cd /` and `builtin cd /` change the directory as well. */
function stripPrefixes(argv: readonly string[]): readonly string[] {
  if (argv[0] !== 'command' && argv[0] !== 'builtin') return argv
  const from = argv.findIndex((word, i) => i > 0 && !/^-p?-?$/.test(word))
  return from < 0 ? [] : stripPrefixes(argv.slice(from))
}

function changeUnknown(name: string, state: ShellState): void {
  if (hasHole(name) || changesState(name)) forgetAll(state)
}

function changeDirectory(args: readonly string[], state: ShellState): readonly string[] {
  const target = args.filter((arg) => !/^-[LPe@]+$|^--$/.test(arg))[0] ?? state.vars.get('HOME')?.[0] ?? HOLES
  if (target === '-' || hasHole(target) || hasGlob(target)) return []
  return target.startsWith('/')
    ? [resolvePath(target, '/')]
    : state.cwds.map((cwd) => resolvePath(target, cwd))
}

function setPositional(args: readonly string[], state: ShellState): void {
  const from = args.indexOf('--')
  if (from >= 0) bindArguments(state.vars, args.slice(from + 1))
  else if (args[0] !== undefined && !/^[-+]/.test(args[0])) bindArguments(state.vars, args)
}

function forgetNames(builtin: string, args: readonly string[], state: ShellState): void {
  if (builtin === 'shift')
    for (const key of [...state.vars.keys()]) if (/^(\d+|[@*])$/.test(key)) state.vars.set(key, [HOLES])
  if (builtin === 'printf' && !args.some((arg) => arg.startsWith('-'))) return
  for (const arg of args) {
    const name = /^(?:-v)?([A-Za-z_]\w*)/.exec(arg)?.[1]
    if (name) state.vars.set(name, [HOLES])
    if (hasHole(arg)) forgetAll(state)
  }
}
