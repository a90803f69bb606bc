import type { Fact } from '../facts.ts'
import { coverSecrets, secretsFitting } from '../paths/secretNames.ts'
import { lookSearch } from '../programs/lookSearch.ts'
import { type Program, spreadNames } from '../programs/program.ts'
import { hasHole } from '../shell/marks.ts'
import type { Label } from './describeByTable.ts'
import { type Arguments, parseArguments } from './parseArguments.ts'

/** What of a search tool's options decides which files it shows. */
type Tool = {
  /** It goes through files that may hold secrets with one of these, or always. */
  wide: RegExp | 'always'
  /** Only names or numbers come out. */
  namesOnly: RegExp
  /** More than the lines that were looked for comes out. */
  shows: RegExp
  includes: RegExp
}

const context = /^(-[ABC0-9]|--(after-|before-)?context|--after|--before)$/
const tools: readonly (readonly [RegExp, Tool])[] = [
  [
    /^rg$/,
    {
      wide: /^(-\.|-u|--hidden|--unrestricted|--no-ignore.*)$/,
      namesOnly: /^(-[lcq]|--files|--files-with(out-match|-matches)|--count(-matches)?|--quiet)$/,
      shows: /^(-v|--invert-match|-U|--multiline.*|--null-data|--passthr.*)$/,
      includes: /^(-g|--glob|--iglob)$/,
    },
  ],
  [
    /^ag$/,
    {
      wide: /^(-[uUta]|--hidden|--unrestricted|--all-t.*|--skip-vcs-ignores)$/,
      namesOnly: /^(-[lLcg]|--files-with(out)?-matches|--count|--stats-only)$/,
      shows: /^(-v|--invert-match|--passthr.*|--print-all-files)$/,
      includes: /^$/,
    },
  ],
  [
    /^git$/,
    {
      wide: 'always',
      namesOnly: /^(-[lLcq]|--files-with(out-match|-matches)|--name-only|--count|--quiet)$/,
      shows: /^(-v|--invert-match|-W|--function-context|-p|--show-function)$/,
      includes: /^$/,
    },
  ],
  [
    /^(ack|ack-grep|rgrep)$/,
    {
      wide: 'always',
      namesOnly: /^(-[lLc]|--files-with(out)?-match(es)?|--count|--quiet|-q)$/,
      shows: /^(-v|--invert-match|-z|--null-data|--passthru)$/,
      includes: /^--include$/,
    },
  ],
  [
    /grep$/,
    {
      wide: /^(-[rRd]|--recursive|--dereference-recursive|--directories)$/,
      namesOnly: /^(-[lLcq]|--files-with(out-match|-matches)|--count|--quiet|--silent)$/,
      shows: /^(-v|--invert-match|-z|--null-data)$/,
      includes: /^--include$/,
    },
  ],
]

const shapes = spreadNames(lookSearch)

/** Judges a search by what may come out of it. Null: not a program that searches. */
export function searchFacts(name: string, args: readonly string[], label: Label): Fact[] | null {
  const program = shapes.get(name)
  return program ? searchedFacts(name, parseArguments(args, program), program, label) : null
}

/**
 * A search through many files shows keys and passwords when it shows everything, or is for them. One for a plain
 * piece of text does not, nor one that is kept to, or away from, certain names.
 */
export function searchedFacts(name: string, parsed: Arguments, program: Program, label: Label): Fact[] {
  const tool = tools.find(([names]) => names.test(name))?.[1]
  if (!tool) return []
  const has = (pattern: RegExp): boolean => parsed.options.some((option) => pattern.test(option.name))
  const values = (pattern: RegExp): string[] =>
    parsed.options.filter((option) => pattern.test(option.name)).map((option) => option.value ?? '')
  const aimed = values(tool.includes).some(aimsAtSecret)
    ? [{ ...label, effect: 'fs.read', place: 'secret' as const }]
    : []
  const wide =
    tool.wide === 'always' ||
    has(tool.wide) ||
    (name === 'rg' && values(tool.includes).some((value) => secretsWithin(value).length > 0))
  if (!wide) return aimed
  if (has(tool.namesOnly) && !has(/^--(passthr|vimgrep|json)/)) return aimed
  if (keptAway(parsed, tool)) return aimed
  const fixed = has(/^(-[FQ]|--fixed-strings|--literal)$/) || /^fgrep|^zfgrep/.test(name)
  const open =
    has(tool.shows) ||
    has(/^(-f|--file)$/) ||
    parsed.options.some((option) => context.test(option.name) && !fewLines(option.name, option.value)) ||
    patternsOf(parsed, program).some((pattern) => showsSecrets(pattern, fixed))
  return open ? [...aimed, { ...label, effect: 'fs.search-all' }] : aimed
}

/** `--include=.env` looks into what it names; `*.json` does not say so much. */
function aimsAtSecret(value: string): boolean {
  return !/^\**$/.test(value) && secretsWithin(value).some((name) => !/\.(json|yaml)$/.test(name))
}

function secretsWithin(value: string): readonly string[] {
  if (value.startsWith('!')) return []
  return expandBraces(value.slice(value.lastIndexOf('/') + 1)).flatMap(secretsFitting)
}

/** `*.{ts,env}`; what is nested counts as anything. */
function expandBraces(value: string): readonly string[] {
  const found = /^([^{]*)\{([^{}]*)\}(.*)$/s.exec(value)
  if (!found) return [value.replace(/\{.*/s, '*')]
  const [, head = '', middle = '', tail = ''] = found
  const tails = expandBraces(tail)
  const all = middle.split(',')
  if (all.length * tails.length > 256) return ['*']
  return all.flatMap((one) => tails.map((rest) => head + one + rest))
}

/** True when its own options keep it to names that are no secrets, or away from those that are. */
function keptAway(parsed: Arguments, tool: Tool): boolean {
  const kept = parsed.options.filter(
    (option) => tool.includes.test(option.name) || option.name === '--exclude',
  )
  if (kept.length === 0) return false
  const excludes = kept.filter((option) => option.name === '--exclude')
  if (kept[0]?.name === '--exclude')
    return excludes.length === kept.length && coverSecrets(excludes.map((option) => option.value ?? ''))
  return kept.every(
    (option) =>
      option.name === '--exclude' ||
      (option.value !== null && !option.value.startsWith('!') && secretsWithin(option.value).length === 0),
  )
}

const fewLines = (name: string, value: string | null): boolean =>
  /^-\d$/.test(name)
    ? Number(name.slice(1)) <= 5
    : value !== null && /^\d+$/.test(value) && Number(value) <= 5

function patternsOf(parsed: Arguments, program: Program): readonly string[] {
  const given = parsed.options
    .filter((option) => option.name === '-e' || option.name === '--regexp')
    .map((option) => option.value ?? '')
  const [first] = parsed.operands
  return given.length > 0 && program.firstUnless !== undefined ? given : first === undefined ? [] : [first]
}

const secretWords =
  /(?:^|[^a-z])(?:api|secret|private|access|signing|encryption|ssh|ssl)?[_ -]?keys?(?:$|[^a-z])|_key|apikey|privkey|token|secret|passw|pwd|passphrase|begin|credential|bearer|akia|ghp_|sk-|eyj/i

/** True for a pattern that every line may fit, and for one that asks for secrets. */
function showsSecrets(pattern: string, fixed: boolean): boolean {
  if (hasHole(pattern) || secretWords.test(pattern) || /KEY/.test(pattern)) return true
  return pattern.split('\n').some((line) => (fixed ? line.trim().length < 3 : !needsText(line)))
}

/** Lookups by name, sets within sets, and whatever else differs among kinds of regular expressions. */
const unusual = /\(\?(?![:=!<])|\\(?![bBwWsSdD<>nrt])\w|\[[^\]]*(?:\[(?!:)|\\\])/

/**
 * True when a line must hold at least three letters in a row to fit: those outside of groups, brackets and what may
 * be left out, in each branch. Of several ways to read a regular expression, the one that asks for least counts.
 */
function needsText(pattern: string): boolean {
  const simple = pattern.slice(0, 2000).replace(/\[:\w+:\]/g, '')
  if (pattern.length > 2000 || unusual.test(simple)) return false
  const plain = withoutGroups(simple.replace(/\[\^?\]?[^\]]*\]/g, '\u0001'))
  return plain.split(/\\?\|/).every((branch) => longestRun(branch) >= 3)
}

/** Groups, with what is in them, become a mark for anything. One that is not closed takes the rest. */
function withoutGroups(text: string): string {
  let depth = 0
  let out = ''
  for (let i = 0; i < text.length; i++) {
    const char = text[i] ?? ''
    const escaped = char === '\\' ? (text[i + 1] ?? '') : ''
    if (escaped !== '') i++
    if (char === '(' || escaped === '(') depth++
    else if (char === ')' || escaped === ')') {
      depth = Math.max(0, depth - 1)
      out += '\u0001'
    } else if (depth === 0) out += char + escaped
  }
  return out
}

function longestRun(branch: string): number {
  const chars = [...branch]
  let longest = 0
  let run = 0
  for (let i = 0; i < chars.length; i++) {
    const char = chars[i] ?? ''
    const optional = /^\\?[*?{]/.test(`${chars[i + 1] ?? ''}${chars[i + 2] ?? ''}`)
    const counts = /[\p{L}\p{N}_]/u.test(char)
    run = (counts || /[\s/:;,'"=<>@#%&~`!-]/.test(char)) && !optional ? run + (counts ? 1 : 0) : 0
    if (char === '\\') i++
    longest = Math.max(longest, run)
  }
  return longest
}
