import type { Fact, Invocation } from '../facts.ts'
import { coverSecrets } from '../paths/secretNames.ts'
import { lookCompare } from '../programs/lookCompare.ts'
import { spreadNames } from '../programs/program.ts'
import { hasGlob } from '../shell/marks.ts'
import { type Label, pathFacts } from './describeByTable.ts'
import { searchFacts } from './describeSearch.ts'
import { parseArguments } from './parseArguments.ts'

/** What a program that looks does beyond its table: by the meaning of an argument. Null: not one of these. */
export function describeLook(
  name: string,
  args: readonly string[],
  label: Label,
  invocation: Invocation,
): Fact[] | null {
  switch (name) {
    case 'less':
    case 'more':
    case 'zless':
    case 'zmore':
      return args.some((arg) => /^\+./.test(arg)) ? [{ ...label, effect: 'code.inline' }] : []
    case 'date':
    case 'gdate':
      return args.some((arg, i) => /^\d/.test(arg) && !/^(-d|--date|-r|-f|-I)$/.test(args[i - 1] ?? ''))
        ? [{ ...label, effect: 'system.admin' }]
        : []
    case 'jq':
    case 'gojq':
    case 'yq':
      return queryFacts(name, args, label, invocation)
    case 'ps':
      return showsEnvironment(args) ? [{ ...label, effect: 'secrets.environment' }] : []
    case 'man':
      return args.some((arg) => arg.includes('/')) ? [{ ...label, effect: 'code.inline' }] : []
    case 'strings':
    case 'gstrings':
    case 'readelf':
    case 'nm':
    case 'size':
    case 'objdump':
      return args.flatMap((arg) => listedFacts(arg, label, invocation))
    case 'diff':
    case 'gdiff':
    case 'colordiff':
      return compareFacts(args, label)
    case 'zip':
      return args.includes('-') ? [{ ...label, effect: 'fs.search-all' }] : []
    default:
      return searchFacts(name, args, label)
  }
}

function showsEnvironment(args: readonly string[]): boolean {
  return args.some(
    (arg, i) =>
      /^-[a-zA-Z]*E/.test(arg) ||
      arg.includes('environ') ||
      (/^[a-df-zA-DF-Z]*[eE]/.test(arg) &&
        !/^\d|=|,/.test(arg) &&
        !/^(-\w*[oOC]|--(format|sort|user|group))$/.test(args[i - 1] ?? '')),
  )
}

/** `@file`: more arguments stand in that file, so that its text is read and decides what else is. */
function listedFacts(arg: string, label: Label, invocation: Invocation): Fact[] {
  if (!arg.startsWith('@')) return []
  return [{ ...label, effect: 'shell.unknown-word' }, ...pathFacts('read', arg.slice(1), label, invocation)]
}

const compares = spreadNames(lookCompare).get('diff') ?? {}

/** A comparison of directories shows what is in each file that is not the same. */
function compareFacts(args: readonly string[], label: Label): Fact[] {
  const { options, operands } = parseArguments(args, compares)
  const whole =
    options.some((option) => /^(-r|--recursive)$/.test(option.name)) ||
    operands.some((operand) => /(^|\/)\.{0,2}\/?$/.test(operand))
  const brief = options.some((option) => /^(-q|--brief)$/.test(option.name))
  const excludes = options.filter((option) => /^(-x|--exclude)$/.test(option.name))
  const away = coverSecrets(excludes.map((option) => option.value ?? ''))
  return whole && !brief && !away ? [{ ...label, effect: 'fs.search-all' }] : []
}

/** Query languages that reach the environment or other files. */
function queryFacts(name: string, args: readonly string[], label: Label, invocation: Invocation): Fact[] {
  const reaches = args.some(
    (arg, i) =>
      /(?<![.\w])env\b|\$ENV|\b(import|include|input_filename)\b/.test(arg) ||
      (name === 'yq' && /load|eval|system|env|file/i.test(arg) && arg !== 'eval') ||
      (i === 0 && hasGlob(arg)),
  )
  const files = args.flatMap((arg, i) =>
    /^--(ra|sl|argf)/.test(arg) ? pathFacts('read', args[i + 2] ?? '', label, invocation) : [],
  )
  return reaches ? [...files, { ...label, effect: 'secrets.environment' }] : files
}
