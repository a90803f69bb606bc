import type { Stdin } from '../facts.ts'
import { isLiteral } from './marks.ts'

/**
 * What a command prints, when that stands in its own words (`echo`, `printf`, `cat` of a here-document) or is a plain
 * decoding of those. Null otherwise. Used to see what is piped into a shell, never to allow anything.
 */
export function plainOutput(argv: readonly string[], stdin: Stdin): string | null {
  if (!argv.every(isLiteral)) return null
  const [name = '', ...args] = argv
  switch (name.replace(/^\/(usr\/)?bin\//, '')) {
    case 'echo':
      return `${decodeEscapes(args.filter((arg, i) => i > 0 || !/^-[neE]+$/.test(arg)).join(' '))}\n`
    case 'printf':
      return printed(args.filter((arg, i) => i > 0 || arg !== '--'))
    case 'cat':
    case 'tee':
      return args.length === 0 ? stdin.text : null
    case 'rev':
      return (
        stdin.text
          ?.split('\n')
          .map((line) => [...line].reverse().join(''))
          .join('\n') ?? null
      )
    case 'base64':
      return stdin.text !== null && args.some((arg) => /^(-d|-D|--d.*)$/.test(arg))
        ? Buffer.from(stdin.text, 'base64').toString()
        : null
    case 'xxd':
      return stdin.text !== null && args.join(' ').includes('-r')
        ? Buffer.from(stdin.text.replace(/\s/g, ''), 'hex').toString()
        : null
    default:
      return null
  }
}

function printed([format = '', ...args]: string[]): string | null {
  if (!format.includes('%')) return decodeEscapes(format)
  return /^(%[sb](\\n| )?)+$/.test(format)
    ? decodeEscapes(args.join(format.includes('\\n') ? '\n' : format.includes(' ') ? ' ' : ''))
    : null
}

const simple: Record<string, string> = { n: '\n', t: '\t', r: '\r', '\\': '\\', e: '\u001b' }

function decodeEscapes(text: string): string {
  return text.replace(
    /\\(?:x([0-9a-fA-F]{1,2})|0?([0-7]{1,3})|u([0-9a-fA-F]{1,4})|([ntre\\]))/g,
    (_, hex, octal, unicode, letter) => {
      if (letter !== undefined) return simple[letter] ?? ''
      return String.fromCharCode(
        hex || unicode ? Number.parseInt(hex ?? unicode, 16) : Number.parseInt(octal, 8),
      )
    },
  )
}
