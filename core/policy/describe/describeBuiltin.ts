import type { Fact } from '../facts.ts'
import { assignmentFacts, assignmentWordFacts } from '../shell/assignmentFacts.ts'
import { isLiteral } from '../shell/marks.ts'

const builtins = new Set(
  'export declare typeset readonly local read mapfile readarray getopts unset let printf set shopt hash jobs'.split(
    ' ',
  ),
)
const describesNames = /^(export|declare|typeset|readonly|local|read|mapfile|readarray|getopts|unset)$/

/** Builtins of the shell that set variables or options. Null: not one of these. */
export function describeBuiltin(name: string, args: readonly string[]): Fact[] | null {
  if (!builtins.has(name)) return null
  const label = { program: name }
  const words = args.filter((arg) => !/^[-+]/.test(arg))
  const letters = args.filter((arg) => /^[-+]\w/.test(arg)).join('')
  const odd = args.some((arg) => /^[-+][^=]/.test(arg) && !/^([-+][A-Za-z]+\d*|--)$/.test(arg))
  if (odd && describesNames.test(name)) return [{ ...label, effect: 'shell.builtin-rare' }]
  switch (name) {
    case 'export':
    case 'declare':
    case 'typeset':
    case 'readonly':
    case 'local':
      if (words.length === 0 || /p/.test(letters)) return [{ ...label, effect: 'secrets.environment' }]
      // Read-only, by reference, other case: what is assigned later is then not what it says.
      return [
        {
          ...label,
          effect: name === 'readonly' || /[^xg+-]/.test(letters) ? 'shell.builtin-rare' : 'shell.builtin',
        },
        ...words.flatMap((word) => nameFacts(word)),
      ]
    case 'read':
    case 'mapfile':
    case 'readarray':
    case 'getopts':
    case 'unset':
      return [
        {
          ...label,
          effect: /[CcO]/.test(letters) && name !== 'read' ? 'shell.not-understood' : 'shell.builtin',
        },
        ...words.flatMap((word) => nameFacts(word)),
      ]
    case 'let':
      // Only bash has it, and reads the text of variables as sums.
      return [{ ...label, effect: 'shell.builtin-rare' }, ...args.flatMap((arg) => arithmeticFacts(arg))]
    case 'printf':
      // `printf "$X" PATH .` sets a variable when X is -v.
      if (args.length > 2 && !isLiteral(args[0]?.[0] ?? ''))
        return [{ ...label, effect: 'shell.unknown-word' }]
      return letters.includes('v') && /^-v/.test(args[0] ?? '')
        ? [
            { ...label, effect: 'shell.builtin' },
            ...nameFacts(args[0] === '-v' ? (args[1] ?? '') : (args[0] ?? '').slice(2)),
          ]
        : null
    case 'set':
      return setFacts(args, label)
    case 'shopt':
      return [
        { ...label, effect: args.every((arg) => /^-[pqsuo]+$/.test(arg)) ? 'info' : 'shell.builtin-rare' },
      ]
    case 'hash':
    case 'jobs':
      return [
        {
          ...label,
          effect: args.length === 0 || /^-[lrpn]$/.test(args.join(' ')) ? 'info' : 'shell.builtin-rare',
        },
      ]
    default:
      return null
  }
}

/** A variable that is set by its name, or by NAME=value in quotes. */
function nameFacts(word: string): Fact[] {
  if (!isLiteral(word.split('=')[0] ?? '')) return [{ effect: 'shell.unknown-word' }]
  if (/^[A-Za-z_]\w*\+?=/.test(word))
    return assignmentWordFacts(word.replace('+=', '=')).filter((fact) => fact.effect !== 'shell.env-set')
  return assignmentFacts(/^\w+/.exec(word)?.[0] ?? '', [word], false)
}

/** Arithmetic can assign as well: `$((PATH = 0))`. */
export function arithmeticFacts(text: string): Fact[] {
  const names = text.match(/[A-Za-z_]\w*/g) ?? []
  return names
    .flatMap((name) => assignmentFacts(name, [text], false))
    .filter((fact) => fact.effect !== 'shell.builtin')
    .slice(0, 1)
}

function setFacts(args: readonly string[], label: { program: string }): Fact[] {
  if (args.length === 0) return [{ ...label, effect: 'secrets.environment' }]
  const end = args.indexOf('--')
  const options = (end < 0 ? args : args.slice(0, end)).filter(
    (arg, i) => /^[-+]/.test(arg) || /^[-+]\w*o$/.test(args[i - 1] ?? ''),
  )
  const plain = options.every(
    (option) =>
      /^[-+][euxvfCnbo]+$/.test(option) ||
      /^(pipefail|errexit|nounset|xtrace|verbose|noglob|noclobber|errtrace|posix)$/.test(option),
  )
  return [{ ...label, effect: plain ? 'shell.builtin' : 'shell.builtin-rare' }]
}
