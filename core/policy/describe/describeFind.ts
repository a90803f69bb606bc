import type { Fact, Invocation } from '../facts.ts'
import { mildEffects } from '../mild.ts'
import { secretsFitting } from '../paths/secretNames.ts'
import { HOLE, HOLES, hasGlob, hasHole, QUERY, STAR } from '../shell/marks.ts'
import { type Label, pathFacts } from './describeByTable.ts'
import type { Describe } from './describeRunners.ts'

const words = (list: string): ReadonlySet<string> => new Set(list.split(' '))

const plainTests = words(
  '( ) ! , -a -and -o -or -not -daystart -depth -d -follow -ignore_readdir_race -noignore_readdir_race -mount -xdev -x -noleaf -nowarn -warn -empty -executable -readable -writable -false -true -nogroup -nouser -print -print0 -ls -prune -quit --help --version -help -version',
)
const valueTests = words(
  '-maxdepth -mindepth -regextype -amin -anewer -atime -Bmin -Btime -Bnewer -cmin -cnewer -ctime -fstype -gid -group -ilname -iname -inum -ipath -iregex -iwholename -links -lname -mmin -mtime -name -newer -path -perm -regex -samefile -size -type -uid -used -user -wholename -xtype -context -printf -flags -since',
)

type Find = {
  starts: readonly string[]
  expression: readonly string[]
  label: Label
  invocation: Invocation
  describe: Describe
}

/** What `find` does besides looking: `-exec`, `-delete`, `-fprint`. `{}` stands for something under the start. */
export function describeFind(invocation: Invocation, describe: Describe): Fact[] {
  const label: Label = { program: 'find' }
  const { starts, expression } = splitFind(invocation.argv.slice(1))
  const find: Find = { starts, expression, label, invocation, describe }
  const lists = starts
    .flatMap((start) => pathFacts('list', start, label, invocation))
    .map((fact) => (fact.place === 'facts' ? { ...fact, place: 'outside' as const } : fact))
  const facts: Fact[] = [{ ...label, effect: 'info' }, ...lists]
  // `find *`: a file may be called -delete.
  if (starts.some((start) => hasGlob(start[0] ?? ''))) facts.push({ ...label, effect: 'shell.unknown-word' })
  for (let i = 0; i < expression.length; ) {
    const read = readTest(find, i)
    facts.push(...read.facts)
    i += read.length
  }
  return facts
}

function splitFind(args: readonly string[]): { starts: string[]; expression: readonly string[] } {
  const from = args.findIndex((arg) => !/^-([HLPEXsx]+|O\d?|D)$/.test(arg))
  const rest = from < 0 ? [] : args.slice(from)
  const at = rest.findIndex((arg) => /^[-(!,]/.test(arg))
  const starts = at < 0 ? rest : rest.slice(0, at)
  return { starts: starts.length > 0 ? [...starts] : ['.'], expression: at < 0 ? [] : rest.slice(at) }
}

/** One test or action of the expression, and how many words it has. */
function readTest(find: Find, at: number): { facts: Fact[]; length: number } {
  const { expression, label, invocation } = find
  const word = expression[at] ?? ''
  const value = expression[at + 1] ?? HOLE
  if (/^-(exec|execdir|ok|okdir)$/.test(word)) return findExec(find, at)
  if (word === '-delete') return { facts: deletes(find), length: 1 }
  if (/^-(fprint0?|fprintf|fls)$/.test(word))
    return { facts: pathFacts('write', value, label, invocation), length: word === '-fprintf' ? 3 : 2 }
  if (word === '-files0-from')
    return {
      facts: [{ ...label, effect: 'shell.unknown-word' }, ...pathFacts('read', value, label, invocation)],
      length: 2,
    }
  if (valueTests.has(word) || /^-newer[aBcmt][aBcmt]$/.test(word))
    return { facts: value.includes(HOLES) ? [{ ...label, effect: 'shell.unknown-word' }] : [], length: 2 }
  if (plainTests.has(word)) return { facts: [], length: 1 }
  const effect = hasHole(word) ? 'shell.unknown-word' : 'shell.unknown-option'
  return { facts: [{ ...label, effect }], length: 1 }
}

function deletes({ starts, label, invocation }: Find): Fact[] {
  return starts
    .flatMap((start) => pathFacts('delete-tree', `${start}/${STAR}`, label, invocation))
    .map((fact) => ({ ...fact, effect: 'fs.delete-many' }))
}

function findExec(find: Find, at: number): { facts: Fact[]; length: number } {
  const { starts, expression, label, invocation, describe } = find
  const rest = expression.slice(at + 1)
  const end = rest.findIndex((arg, i) => arg === ';' || (arg === '+' && rest[i - 1] === '{}'))
  const command = end < 0 ? rest : rest.slice(0, end)
  const length = command.length + 2
  if (command.length === 0) return { facts: [{ ...label, effect: 'shell.not-understood' }], length }
  const inThere = expression[at]?.endsWith('dir') === true
  const state = inThere ? { ...invocation.state, cwds: [] } : invocation.state
  const facts = starts.flatMap((start) => {
    const found = start.startsWith('-') ? HOLE : `${start}/${STAR}`
    const argv = asSearch(command).map((arg) => arg.replaceAll('{}', () => found))
    return [...describe({ ...invocation, state, argv, depth: invocation.depth + 1 })]
  })
  const shows =
    !(countsOnly.test(command[0] ?? '') && !readsLists(command)) && !findsNoSecrets(expression.slice(0, at))
  const mild = facts.every((fact) => mildEffects.has(fact.effect))
  return { facts: shows && mild ? [...facts, { ...label, effect: 'fs.search-all' }] : facts, length }
}

/** Programs that tell something of a file and never what is in it; and searches, which are judged by their pattern. */
const countsOnly =
  /^(\/usr)?(\/bin\/)?(wc|ls|du|stat|file|echo|printf|basename|dirname|realpath|readlink|md5sum|sha\d+sum|cksum|b2sum|test|\[|true|false|rg|ag|[ef]?grep)$/

/** `file -f list` tells what is in the list. */
const readsLists = (command: readonly string[]): boolean =>
  command.some((arg) => /^(-\w*[fX]|--(files|exclude)-?f)/.test(arg))

/** `find -exec grep x` is `grep -r x`, whatever the names. */
function asSearch([name = '', ...args]: readonly string[]): readonly string[] {
  if (/(^|\/)[ef]?grep$/.test(name)) return [name, '-r', ...args]
  return /(^|\/)(rg|ag)$/.test(name) ? [name, '--hidden', ...args] : [name, ...args]
}

/** True when every way through the tests before an action asks for a name that no secret has. */
function findsNoSecrets(tests: readonly string[]): boolean {
  if (tests.some((word, i) => word === ',' || (/^(!|-not)$/.test(word) && tests[i + 1] === '('))) return false
  const ways: string[][] = [[]]
  for (const word of tests)
    if (/^-or?$/.test(word)) ways.push([])
    else ways.at(-1)?.push(word)
  return ways.every((way) =>
    way.some(
      (word, i) =>
        /^-(i?name|i?path|i?wholename)$/.test(word) &&
        !/^(!|-not)$/.test(way[i - 1] ?? '') &&
        isHarmlessName(way[i + 1] ?? HOLE, word.endsWith('name') && !word.endsWith('wholename')),
    ),
  )
}

/** In a path a star takes slashes as well, so that only what follows the last one says anything. */
function isHarmlessName(pattern: string, nameOnly: boolean): boolean {
  const plain = pattern.replaceAll(STAR, '*').replaceAll(QUERY, '?')
  const name = nameOnly
    ? plain
    : plain.replace(/^.*\/(?=[^*?[]*$)|^.*[*?[]/s, (head) => (head.endsWith('/') ? '' : '*'))
  return !hasHole(plain) && !plain.includes('\\') && name !== '' && secretsFitting(name).length === 0
}
