import type { Fact, Invocation } from '../facts.ts'
import { findFloor } from '../floor.ts'
import { classifyPath } from '../paths/classifyPath.ts'
import { HOLE, hasHole, isLiteral, NET_HOLE, showWord } from '../shell/marks.ts'
import type { Label } from './describeByTable.ts'
import { scanCode } from './scanCode.ts'

const takesValue = new Set(['-o', '-O', '+o', '+O', '--rcfile', '--init-file'])

/** `sh`, `bash` and their like: a script given as text is read as a script, a file or standard input is not known. */
export function describeShell(name: string, args: readonly string[], invocation: Invocation): Fact[] {
  const label = { program: name }
  const { letters, rest, words } = splitShellOptions(args)
  if (args.length === 1 && /^--(version|help)$/.test(args[0] ?? '')) return [{ ...label, effect: 'info' }]
  const odd: Fact[] = words.some((word) => /^--(rcfile|init-file|login)/.test(word))
    ? [{ ...label, effect: 'code.inline' }]
    : []
  if (!/^(sh|bash|dash|ash)$/.test(name)) odd.push({ ...label, effect: 'shell.other-shell' })
  if (letters.includes('c'))
    return [...odd, ...runScriptText(rest[0], name, rest.slice(1), label, invocation)]
  const file = rest[0]
  if (file === undefined || file === '-' || letters.includes('s'))
    return [...odd, ...runStandardInput(label, invocation)]
  return [...odd, ...runFile(file, label, invocation)]
}

/** Options end at the first word that is none; those after it belong to the script. */
function splitShellOptions(args: readonly string[]): {
  letters: string
  rest: readonly string[]
  words: readonly string[]
} {
  let letters = ''
  const words: string[] = []
  for (let i = 0; i < args.length; i++) {
    const arg = args[i] ?? ''
    if (arg === '--') return { letters, rest: args.slice(i + 1), words }
    if (!/^[-+]./.test(arg)) return { letters, rest: args.slice(i), words }
    words.push(arg)
    if (!arg.startsWith('--')) letters += arg.slice(1)
    if (takesValue.has(arg) || /^-\w*o$/.test(arg)) i++
  }
  return { letters, rest: [], words }
}

/** Judges text that is handed to a shell; `words` are its `$0`, `$1` and so on. */
export function runScriptText(
  text: string | undefined,
  shell: string,
  words: readonly string[],
  label: Label,
  invocation: Invocation,
): Fact[] {
  if (text === undefined) return [{ ...label, effect: 'shell.not-understood' }]
  if (text.includes(NET_HOLE)) return [{ ...label, effect: 'floor.pipe-to-shell', network: true }]
  const inner = invocation.runText(showLiteral(text), {
    shell: shell === 'sh' || shell === 'dash' ? 'sh' : 'bash',
    words,
  })
  return hasHole(text) ? [{ ...label, effect: 'shell.dynamic-code' }, ...inner.filter(isFloor)] : []
}

/** The unknown pieces of a script, as a variable that nobody knows. */
function showLiteral(text: string): string {
  return isLiteral(text) ? text : showWord(text.replace(/[\u0000\u0003\u0006\u0007]/g, '$SKYNET_UNKNOWN'))
}

/** True for a fact that is denied whatever the policy says. */
export function isFloor(fact: Fact): boolean {
  return findFloor(fact) !== undefined
}

/** Code that comes in on standard input. */
export function runStandardInput(label: Label, invocation: Invocation, isShell = true): Fact[] {
  const { stdin } = invocation
  if (stdin.network) return [{ ...label, effect: 'floor.pipe-to-shell', network: true }]
  const seen =
    stdin.text === null
      ? []
      : isShell
        ? invocation.runText(stdin.text, {})
        : scanCode(stdin.text, invocation.context)
  if (seen.some(isFloor)) return seen.filter(isFloor)
  if (stdin.decoded) return [{ ...label, effect: 'floor.hidden-code' }]
  return [{ ...label, effect: stdin.given ? 'code.stdin' : 'code.interactive' }]
}

/** A program file is started: what is in it is not known. */
export function runFile(file: string, label: Label, invocation: Invocation): Fact[] {
  if (file.includes(NET_HOLE)) return [{ ...label, effect: 'floor.pipe-to-shell', network: true }]
  if (/^\/dev\/(stdin|fd\/0)$|^\/proc\/self\/fd\/0$/.test(file)) return runStandardInput(label, invocation)
  const place = classifyPath(file, invocation.state.cwds, 'read', invocation.context)
  return [
    {
      ...label,
      effect: 'code.run-file',
      place: file.startsWith('/dev/fd/') ? 'unknown' : place,
      network: true,
    },
  ]
}

/** `eval`, `source`, `.`, `trap` and `alias`: text or files that the same shell goes on with. */
export function describeEval(name: string, args: readonly string[], invocation: Invocation): Fact[] {
  const label = { program: name }
  const words = args[0] === '--' ? args.slice(1) : args
  if (name === 'source' || name === '.')
    return words[0] === undefined
      ? [{ ...label, effect: 'shell.not-understood' }]
      : runFile(words[0], label, invocation)
  if (name === 'trap') return describeTrap(words, invocation)
  if (name === 'alias')
    return words.flatMap((word) => [
      { ...label, effect: word.includes('=') ? 'shell.alias' : 'info' },
      ...runScriptText(word.slice(word.indexOf('=') + 1), 'bash', [], label, invocation),
    ])
  if (words.some((word) => word.includes(NET_HOLE)))
    return [{ ...label, effect: 'floor.pipe-to-shell', network: true }]
  const text = words.join(' ')
  const inner = invocation.runText(hasHole(text) ? showLiteral(text) : text, { sameShell: true })
  return [{ ...label, effect: 'shell.eval' }, ...inner.filter(isFloor)]
}

function describeTrap(words: readonly string[], invocation: Invocation): Fact[] {
  const [code = '-'] = words
  if (code === '-' || code === '' || code === '-l' || words.length < 2)
    return [{ program: 'trap', effect: 'shell.builtin' }]
  return [
    { program: 'trap', effect: 'shell.trap' },
    ...runScriptText(code === HOLE ? undefined : code, 'bash', [], { program: 'trap' }, invocation),
  ]
}
