import type { Fact, Invocation } from '../facts.ts'
import { isInside } from '../paths/classifyPath.ts'
import { resolvePath, segmentMatches } from '../paths/resolvePath.ts'
import { build } from '../programs/build.ts'
import { change } from '../programs/change.ts'
import { containers } from '../programs/containers.ts'
import { look } from '../programs/look.ts'
import { network } from '../programs/network.ts'
import { spreadNames } from '../programs/program.ts'
import { wrappers } from '../programs/wrappers.ts'
import { hasGlob, hasHole, NET_HOLE } from '../shell/marks.ts'
import { describeBuiltin } from './describeBuiltin.ts'
import { describeByTable } from './describeByTable.ts'
import { describeFind } from './describeFind.ts'
import { describeGit } from './describeGit.ts'
import { describeInterpreter, isInterpreter } from './describeInterpreter.ts'
import { describeMachine } from './describeMachine.ts'
import {
  describeEnv,
  describeParallel,
  describeWrapper,
  describeXargs,
  sweepForFloor,
} from './describeRunners.ts'
import { describeEval, describeShell, isFloor } from './describeShell.ts'
import { describeAwk, describeSed, describeTar } from './describeText.ts'

/** Every program that has an entry in the tables. */
export const programs = spreadNames({ ...look, ...change, ...network, ...build, ...containers })

const maxDepth = 8
/** Programs of the machine, by their whole path: `bin/ls` is one of the project's own. */
const systemBins =
  /^\/(usr\/|usr\/local\/|opt\/homebrew\/|opt\/local\/|run\/current-system\/sw\/)?s?bin\/[^/]+$/

/** Says what one simple command does, looking through whatever starts another. */
export function describeCommand(invocation: Invocation): readonly Fact[] {
  const [word = '', ...args] = invocation.argv
  invocation.budget.left -= 1 + Math.floor(invocation.argv.length / 8)
  if (invocation.budget.left < 0) return [{ effect: 'shell.too-long' }]
  if (invocation.depth > maxDepth) return [{ effect: 'shell.too-deep' }, ...guessFloor(invocation)]
  if (word.includes(NET_HOLE)) return [{ effect: 'floor.pipe-to-shell', network: true }]
  if (word === '') return [{ effect: 'shell.dynamic-command' }]
  if (hasHole(word))
    return [{ effect: 'shell.dynamic-command' }, ...sweepForFloor(args, invocation, describeCommand)]
  if (hasGlob(word)) return [{ effect: 'shell.dynamic-command' }, ...guessName(word, invocation)]
  if (word.includes('/') && !(word.startsWith('/') && systemBins.test(resolvePath(word, '/'))))
    return describeLocal(word, invocation)
  return describeNamed(programName(word, invocation.context.platform), invocation)
}

function programName(word: string, platform: string): string {
  const name = word.slice(word.lastIndexOf('/') + 1)
  return platform === 'darwin' || platform === 'win32' ? name.toLowerCase() : name
}

/** After too many wrappers only the floor is looked for, in the words as they stand. */
function guessFloor(invocation: Invocation): readonly Fact[] {
  const last = invocation.argv.findIndex((word) =>
    /(^|\/)(rm|dd|mkfs.*|shutdown|reboot|halt|poweroff|chmod|chown|wipefs)$/.test(word),
  )
  if (last < 0 || invocation.depth > maxDepth + 1) return []
  return describeCommand({ ...invocation, argv: invocation.argv.slice(last), depth: 0 }).filter(isFloor)
}

/** `/bin/r?`: tried on the names that matter. */
function guessName(word: string, invocation: Invocation): readonly Fact[] {
  const pattern = word.slice(word.lastIndexOf('/') + 1)
  const names = [
    'rm',
    'dd',
    'shutdown',
    'reboot',
    'halt',
    'poweroff',
    'mkfs',
    'chmod',
    'chown',
    'cat',
    'shred',
    'wipefs',
    'sh',
    'bash',
    'find',
    'kill',
    'sudo',
    'mv',
    'tee',
    'crontab',
    'curl',
    'init',
  ]
  const fits = names.filter((name) => segmentMatches(pattern, name))
  return fits.flatMap((name) => [...describeNamed(name, invocation)]).filter(isFloor)
}

/** A file that is started by its path: what it does is not known. */
function describeLocal(word: string, invocation: Invocation): readonly Fact[] {
  const path = resolvePath(word, invocation.state.cwds[0] ?? '/nowhere')
  const name = programName(word, invocation.context.platform)
  const inside = isInside(path, invocation.context) && invocation.state.cwds.length > 0
  const fact: Fact = {
    program: name,
    effect: 'code.run-file',
    place: inside ? 'inside' : 'outside',
    network: true,
  }
  const tool =
    /\/node_modules\/\.bin\/|\/\.venv\/bin\/|\/venv\/bin\//.test(path) || /^(gradlew|mvnw)$/.test(name)
  const looksLike = [
    ...describeNamed(name, { ...invocation, argv: [name, ...invocation.argv.slice(1)] }),
  ].filter(isFloor)
  return [
    inside && tool ? { ...fact, effect: 'code.run-project' } : fact,
    ...looksLike,
    ...sweepForFloor(invocation.argv.slice(1), invocation, describeCommand),
  ]
}

function describeNamed(name: string, invocation: Invocation): readonly Fact[] {
  const args = invocation.argv.slice(1)
  const runner = describeRunner(name, { ...invocation, argv: [name, ...args] })
  if (runner) return runner
  const machine = describeMachine(name, invocation, describeCommand)
  // Of some only certain words are known: with any other it is as unknown as the rest.
  if (machine) return machine.length > 0 ? machine : [{ program: name, effect: 'shell.unknown-program' }]
  const program = programs.get(name)
  if (!program)
    return [
      { program: name, effect: 'shell.unknown-program', network: true },
      ...sweepForFloor(args, invocation, describeCommand),
    ]
  const facts = describeByTable(program, args, { program: name }, invocation)
  const runsOthers = facts.some((fact) =>
    /^(code\.|container\.run|package\.run|cloud\.|system\.admin|schedule\.)/.test(fact.effect),
  )
  return runsOthers ? [...facts, ...sweepForFloor(args, invocation, describeCommand)] : facts
}

/** Programs that start others, and those with a language of their own. */
function describeRunner(name: string, invocation: Invocation): readonly Fact[] | null {
  const args = invocation.argv.slice(1)
  if (
    /^(sh|bash|dash|ash|zsh|ksh|ksh93|mksh|yash|fish|csh|tcsh|rbash|pwsh|powershell|nu|xonsh|elvish)$/.test(
      name,
    )
  )
    return describeShell(name, args, invocation)
  if (/^(eval|source|\.|trap|alias)$/.test(name)) return describeEval(name, args, invocation)
  const builtin = describeBuiltin(name, args)
  if (builtin) return builtin
  if (isInterpreter(name)) return describeInterpreter(name, invocation, describeCommand)
  switch (name) {
    case 'xargs':
    case 'gxargs':
      return describeXargs(invocation, describeCommand)
    case 'parallel':
    case 'rush':
      return describeParallel(invocation, describeCommand)
    case 'find':
    case 'gfind':
      return describeFind(invocation, describeCommand)
    case 'git':
      return describeGit(invocation)
    case 'sed':
    case 'gsed':
      return describeSed(args, invocation)
    case 'awk':
    case 'gawk':
    case 'mawk':
    case 'nawk':
      return describeAwk(args, invocation)
    case 'tar':
    case 'gtar':
    case 'bsdtar':
      return describeTar(args, invocation)
    case 'command':
      if (/^-\w*[vV]/.test(args[0] ?? '')) return [{ program: 'command', effect: 'info' }]
  }
  const wrapper = wrappers.get(name)
  if (!wrapper) return null
  return name === 'env'
    ? describeEnv(wrapper, invocation, describeCommand)
    : describeWrapper(wrapper, invocation, describeCommand)
}
