import type { Fact, Invocation } from '../facts.ts'
import { resolvePath } from '../paths/resolvePath.ts'
import { secretsFitting } from '../paths/secretNames.ts'
import { git } from '../programs/git.ts'
import { gitLook } from '../programs/gitLook.ts'
import { type Program, spreadNames } from '../programs/program.ts'
import { hasHole, isLiteral, QUERY, STAR } from '../shell/marks.ts'
import { describeByTable, type Label, pathFacts } from './describeByTable.ts'
import { searchedFacts } from './describeSearch.ts'
import { isFloor } from './describeShell.ts'
import { parseArguments } from './parseArguments.ts'

const subcommands = spreadNames(git)
const harmlessSettings =
  /^(color\.|core\.(quotepath|abbrev|autocrlf|filemode|ignorecase|precomposeunicode)|user\.(name|email)|advice\.|log\.(date|decorate|abbrevcommit|follow|graphcolors|showroot)=|diff\.(renames|algorithm|context|noprefix|mnemonicprefix|colormoved)|column\.|status\.(short|branch|showstash|showuntrackedfiles|relativepaths|aheadbehind)=|init\.defaultbranch|commit\.gpgsign=false|pull\.(rebase|ff)|push\.default|gc\.auto)/i

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
    ...(showsContent.test(subcommand) ? contentFacts(program, args, label, at) : []),
    ...(runsBySetting(subcommand, args) ? [{ ...label, effect: 'git.runs-config' }] : []),
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
    /^(--no-pager|-P|--no-optional-locks|--literal-pathspecs|--glob-pathspecs|--noglob-pathspecs|--icase-pathspecs|--no-replace-objects|--no-lazy-fetch|--no-advice|--exec-path|--html-path|--info-path|--man-path)$/
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
      return { ...fact, effect: subcommand === 'tag' ? tagEffect(args) : branchEffect(args) }
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

/** Settings that hold passwords and tokens, or may. */
const secretSetting =
  /token|secret|passw|credential|helper|extraheader|key|^(http|url|sendemail|imap)\b|^\W*$/i

/** A name makes a branch, unless an option asks for those that fit it. */
function branchEffect(args: readonly string[]): string {
  const { operands, options } = parseArguments(args, gitLook.branch ?? {})
  const has = (pattern: RegExp): boolean => options.some((option) => pattern.test(option.name))
  if (has(/^(-d|-D|-M|-C|-f|--delete|--force)$/)) return 'git.discard'
  if (
    has(
      /^(-[mcut]|--move|--copy|--set-upstream-to|--unset-upstream|--edit-description|--(no-)?track|--create-reflog)$/,
    )
  )
    return 'git.change'
  const lists = has(/^(-[lar]|--list|--all|--remotes|--show-current|--(no-)?(contains|merged)|--points-at)$/)
  return operands.length > 0 && !lists ? 'git.change' : 'git.read'
}

function tagEffect(args: readonly string[]): string {
  const { operands, options } = parseArguments(args, gitLook.tag ?? {})
  const has = (pattern: RegExp): boolean => options.some((option) => pattern.test(option.name))
  if (has(/^(-d|-f|--delete|--force)$/)) return 'git.discard'
  if (has(/^(-[asmFue]|--annotate|--sign|--message|--file|--local-user|--create-reflog)$/))
    return 'git.change'
  const lists = has(/^(-[ln]|--list|--(no-)?(contains|merged)|--points-at)$/)
  return operands.length > 0 && !lists ? 'git.change' : 'git.read'
}

function configEffect(args: readonly string[]): string {
  const { operands, options } = parseArguments(args, { takes: '--type --default --file --blob -f' })
  const names = options.map((option) => option.name)
  const asked = operands.filter((operand) => !/^(get|list|set)$/.test(operand))
  if (asked.some((operand) => hasHole(operand) || secretSetting.test(operand))) return 'git.config'
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

const showsContent =
  /^(log|whatchanged|show|diff|diff-tree|diff-index|diff-files|range-diff|blame|annotate|cat-file|grep|stash|reflog|rev-list)$/
/** Formats that make git start the program that checks signatures, also as `%+GK` and `--sort=signature`. */
const signature = /%[-+ ]?G|%\(\*?signature/
const sortsBySignature = /^(--sort=?)?-?\*?(version:|v:)?\*?signature/
/** Any other name is one of the repository's own: a format that is not seen here. */
const ownFormat =
  /^--(pretty|format)=(?!(oneline|short|medium|full|fuller|reference|email|mboxrd|raw)$|t?format:|.*%|$)/

/** True for words with which git starts what its settings name. */
function runsBySetting(subcommand: string, args: readonly string[]): boolean {
  const shows = /^(log|show|rev-list|diff-tree|stash|reflog|shortlog)$/.test(subcommand)
  return args.some(
    (arg, i) =>
      signature.test(arg) ||
      (/^(branch|tag|for-each-ref)$/.test(subcommand) && sortsBySignature.test(arg)) ||
      (shows && (ownFormat.test(arg) || /^--diff-merges=r/.test(arg))) ||
      (shows && args[i - 1] === '--format' && ownFormat.test(`--format=${arg}`)),
  )
}

/**
 * What git shows of files: `git show HEAD:.env`, `git log -p -- .env` and `git diff /dev/null x` read as `cat` does.
 * A word may be a branch or a path; only those that name a secret, or a place outside, count.
 */
function contentFacts(program: Program, args: readonly string[], label: Label, at: Invocation): Fact[] {
  const parsed = parseArguments(args, program)
  const lines = parsed.options.filter((option) => option.name === '-L').map((option) => option.value ?? '')
  const skipsFirst =
    label.subcommand === 'grep' && !parsed.options.some((option) => /^-[ef]$/.test(option.name))
  const named = [...parsed.operands.slice(skipsFirst ? 1 : 0), ...parsed.doubtful, ...lines]
  const searched = label.subcommand === 'grep' ? searchedFacts('git', parsed, program, label) : []
  const compares =
    /^diff/.test(label.subcommand ?? '') &&
    named.some((word) => word === '-' || /^\/dev(\/|$)/.test(resolvePath(word, '/')))
  return [
    ...searched,
    ...(compares ? [{ ...label, effect: 'fs.search-all' }] : []),
    ...named.flatMap((word) => pathsIn(word)).flatMap((path) => shownFacts(path, label, at)),
  ]
}

/** `HEAD:.env`, `:0:.env`, `1,5:.env`, `:(glob)*.env`: every part after a colon may be a path, and so may the whole. */
function pathsIn(word: string): readonly string[] {
  const magic = word.replace(/^:(\([^)]*\)|[/!^]+)/, '')
  const parts = magic.split(':')
  return parts.map((_, i) => parts.slice(i).join(':')).filter((part) => part !== '')
}

function shownFacts(path: string, label: Label, at: Invocation): Fact[] {
  const pattern = path.replace(/\[[^\]]*\]|\?/g, QUERY).replace(/\*+/g, STAR)
  const name = path.slice(path.lastIndexOf('/') + 1)
  const secret: Fact[] =
    isLiteral(path) &&
    !/^\*+$/.test(name) &&
    secretsFitting(name).some((secret) => !/\.(json|yaml)$/.test(secret) || secret === name)
      ? [{ ...label, effect: 'fs.read', place: 'secret' }]
      : []
  const found = pathFacts('read', pattern, label, at).filter(
    (fact) =>
      fact.place === 'secret' ||
      fact.place === 'credential' ||
      ((/^[/~]|(^|\/)\.\.(\/|$)/.test(path) || isLiteral(path) === false) && fact.place !== 'inside'),
  )
  return [...secret, ...found]
}
