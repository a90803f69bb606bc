import type { Fact, Invocation } from '../facts.ts'
import { resolvePath } from '../paths/resolvePath.ts'
import { git } from '../programs/git.ts'
import { spreadNames } from '../programs/program.ts'
import { hasHole, isLiteral } from '../shell/marks.ts'
import { describeByTable, type Label, pathFacts } from './describeByTable.ts'
import { isFloor } from './describeShell.ts'
import { parseArguments } from './parseArguments.ts'

const subcommands = spreadNames(git)
const harmlessSettings =
  /^(color\.|core\.(quotepath|abbrev|autocrlf|filemode|ignorecase|precomposeunicode)|user\.(name|email)|advice\.|log\.|diff\.(renames|algorithm|context|noprefix|mnemonicprefix|colormoved)|column\.|status\.|init\.defaultbranch|commit\.gpgsign=false|pull\.(rebase|ff)|push\.default|safe\.directory|gc\.auto)/i

/** Git: options that come before the subcommand, the subcommand by its table, and what its operands decide. */
export function describeGit(invocation: Invocation): Fact[] {
  const { facts, rest, at } = readGlobals(invocation)
  const [subcommand, ...args] = rest
  if (subcommand === undefined) return facts.length > 0 ? facts : [{ program: 'git', effect: 'git.read' }]
  const label: Label = { program: 'git', subcommand }
  const program = subcommands.get(subcommand)
  if (!program)
    return [
      ...facts,
      { ...label, effect: hasHole(subcommand) ? 'shell.dynamic-command' : 'shell.unknown-program' },
    ]
  const found = describeByTable(program, args, label, at)
  return [
    ...facts,
    ...found.map((fact) => refine(fact, subcommand, args, invocation)),
    ...secretsInside(args, label, at),
    ...outsidePaths(program.effect ?? '', args, label, at),
  ]
}

type Globals = { facts: Fact[]; rest: readonly string[]; at: Invocation }

function readGlobals(invocation: Invocation): Globals {
  const args = invocation.argv.slice(1)
  const facts: Fact[] = []
  let at = invocation
  for (let i = 0; i < args.length; i++) {
    const arg = args[i] ?? ''
    if (!arg.startsWith('-') || /^(--version|--help|-v|-h)$/.test(arg))
      return { facts, rest: args.slice(i), at }
    if (arg === '-C') {
      facts.push(...pathFacts('list', args[i + 1] ?? '', { program: 'git' }, at))
      at = enter(at, args[++i] ?? '')
    } else if (arg === '-c') facts.push(...settingFacts(args[++i] ?? ''))
    else facts.push(...globalFacts(arg))
    if (/^--(git-dir|work-tree|namespace|exec-path|config-env|super-prefix)$/.test(arg)) i++
  }
  return { facts, rest: [], at }
}

function settingFacts(setting: string): Fact[] {
  return harmlessSettings.test(setting) && isLiteral(setting)
    ? []
    : [{ program: 'git', effect: 'git.runs-config' }]
}

function globalFacts(arg: string): Fact[] {
  const harmless =
    /^(--no-pager|-P|--no-optional-locks|--bare|--literal-pathspecs|--glob-pathspecs|--noglob-pathspecs|--icase-pathspecs|--no-replace-objects|--no-lazy-fetch|--no-advice|--exec-path|--html-path|--info-path|--man-path)$/
  return harmless.test(arg) ? [] : [{ program: 'git', effect: 'git.runs-config' }]
}

function enter(invocation: Invocation, directory: string): Invocation {
  const known = isLiteral(directory) ? invocation.state.cwds.map((cwd) => resolvePath(directory, cwd)) : []
  return { ...invocation, state: { ...invocation.state, cwds: known } }
}

/** Some subcommands look or change depending on their operands. */
function refine(fact: Fact, subcommand: string, args: readonly string[], invocation: Invocation): Fact {
  if (isFloor(fact)) return fact
  switch (fact.effect) {
    case 'git.branch-or-tag':
      return { ...fact, effect: branchEffect(args) }
    case 'git.config-read-or-write':
      return { ...fact, effect: configEffect(args) }
    case 'git.change':
      return { ...fact, effect: changeEffect(subcommand, args) }
    case 'git.unstage':
      return {
        ...fact,
        effect: subcommand === 'restore' && !args.includes('--staged') ? 'git.discard' : 'git.change',
      }
    case 'git.push':
      return {
        ...fact,
        effect: args.some(
          (arg) => /^[+:]|^.+:$|^--(fo|del|mir|pru)/.test(arg) || (hasHole(arg) && invocation.depth >= 0),
        )
          ? 'git.force-push'
          : 'git.push',
      }
    default:
      return fact
  }
}

function branchEffect(args: readonly string[]): string {
  const { operands, options } = parseArguments(args, {
    takes:
      '--contains --no-contains --merged --no-merged --sort --format --points-at -n -u --set-upstream-to -m-none',
  })
  const names = options.map((option) => option.name)
  if (names.some((name) => /^(-d|-D|-M|-C|-f|--delete|--force)$/.test(name))) return 'git.discard'
  const lists = names.some((name) =>
    /^(-l|--list|--contains|--merged|--no-merged|--no-contains|--points-at|-a|-r|--all|--remotes|--show-current|-v|--verbose|-n|--verify)$/.test(
      name,
    ),
  )
  const changes = names.some((name) =>
    /^(-m|-c|-u|--move|--copy|--set-upstream-to|--unset-upstream|--edit-description|-s|-F|-e|--edit|--sign)/.test(
      name,
    ),
  )
  return changes || (operands.length > 0 && !lists) ? 'git.change' : 'git.read'
}

function configEffect(args: readonly string[]): string {
  const { operands, options } = parseArguments(args, { takes: '--type --default --file --blob -f' })
  const names = options.map((option) => option.name)
  if (
    names.some((name) =>
      /^(-l|--list|--get|--get-all|--get-regexp|--get-urlmatch|--get-color|--get-colorbool)$/.test(name),
    )
  )
    return 'git.read'
  const changes = names.some((name) => /^(-e|--edit|--add|--unset|--replace|--rename|--remove)/.test(name))
  if (!changes && (operands[0] === 'get' || operands[0] === 'list')) return 'git.read'
  return !changes &&
    operands.length === 1 &&
    !/^(set|unset|edit|remove-section|rename-section)$/.test(operands[0] ?? '')
    ? 'git.read'
    : 'git.config'
}

function changeEffect(subcommand: string, args: readonly string[]): string {
  const forced = args.some((arg) =>
    /^(-f|--force|--discard-changes|--hard|-\w*f\w*|--amend|--orphan)$/.test(arg),
  )
  if (/^(checkout|switch)$/.test(subcommand) && (forced || args.includes('--') || args.includes('.')))
    return 'git.discard'
  if (/^(gc|prune-packed|update-ref|rm|worktree|bisect)$/.test(subcommand) && forced) return 'git.discard'
  return 'git.change'
}

/** Given a path outside the repository, `git diff` and `git grep` read it like any other program. */
function outsidePaths(effect: string, args: readonly string[], label: Label, invocation: Invocation): Fact[] {
  if (effect !== 'git.read') return []
  const paths = args.filter((arg) => /^[/~]|(^|\/)\.\.(\/|$)/.test(arg) && !arg.includes(':'))
  return paths.flatMap((path) => pathFacts('read', path, label, invocation))
}

/** `git show HEAD:.env` reads a secret as `cat .env` does. */
function secretsInside(args: readonly string[], label: Label, invocation: Invocation): Fact[] {
  return args.flatMap((arg) => {
    const path = /^[^:-][^:]*:(?!\/\/)(.+)$/.exec(arg)?.[1]
    const found =
      path && /^(show|cat-file|grep|diff|blame)$/.test(label.subcommand ?? '')
        ? pathFacts('read', path, label, invocation)
        : []
    return found.filter((fact) => fact.place === 'secret' || fact.place === 'credential')
  })
}
