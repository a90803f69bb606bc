import type { Fact, Invocation } from '../facts.ts'
import type { Program } from '../programs/program.ts'
import { HOLE, NET_HOLE } from '../shell/marks.ts'
import { describeByTable, type Label } from './describeByTable.ts'
import type { Describe } from './describeRunners.ts'
import { isFloor, runFile, runStandardInput } from './describeShell.ts'
import { scanCode } from './scanCode.ts'

/** Interpreters, and the options with which each takes code as text. */
const inlineOptions: readonly (readonly [RegExp, RegExp])[] = [
  [/^(python[\d.]*|pypy\d*)$/, /^-[a-zA-Z]*c/],
  [/^(node|nodejs|bun|deno|qjs)$/, /^(-[a-zA-Z]*[ep]|--eval|--print|eval)(=|$)/],
  [/^(perl[\d.]*)$/, /^-[a-zA-Z0-9]*[eE]/],
  [/^(ruby[\d.]*)$/, /^-[a-zA-Z]*e/],
  [/^(php[\d.]*)$/, /^-[rBERF]/],
  [/^(lua[\d.]*|luajit|Rscript|R|julia|scala|kotlin|groovy|raku|elixir|erl)$/, /^(-e|--eval|-E|-eval)/],
  [
    /^(tclsh|expect|guile|racket|sbcl|clojure|bb|iex|irb|ghci|gnuplot|octave|java|osascript)$/,
    /^(-c|-e|--eval|-r)/,
  ],
]

/** Options that make one of them say its version, and nothing else, by name. */
const versionOptions: readonly (readonly [RegExp, RegExp])[] = [
  [/./, /^(--version|--help)$/],
  [/^(python|pypy)/, /^-V{1,2}$/],
  [/^(node|nodejs|ruby|perl[\d.]*|php[\d.]*|lua[\d.]*|luajit)$/, /^-v$/],
  [/^(java|scala|kotlin|groovy)$/, /^-version$/],
]
const loadsCode =
  /^(-r|--require|--import|--loader|--experimental-loader|--inspect.*|-I|-M|-m|-W|-X|-d|--env-file.*|-P|-S|-C)$/

/** True for a program that runs code given to it. */
export function isInterpreter(name: string): boolean {
  return inlineOptions.some(([pattern]) => pattern.test(name))
}

/** Python, Node, Perl and their like: code as text, from a file, or from standard input. Never allowed. */
export function describeInterpreter(name: string, invocation: Invocation, describe: Describe): Fact[] {
  const args = invocation.argv.slice(1)
  const label: Label = { program: name, options: args.filter((arg) => arg.startsWith('-')) }
  const only = args.length === 1 ? (args[0] ?? '') : ''
  if (versionOptions.some(([names, option]) => names.test(name) && option.test(only)))
    return [{ ...label, effect: 'info' }]
  const inline = inlineOptions.find(([pattern]) => pattern.test(name))?.[1]
  const at = args.findIndex(
    (arg, i) => inline?.test(arg) && args.slice(0, i).every((before) => before.startsWith('-')),
  )
  if (at >= 0) return inlineFacts(args.slice(at), label, invocation)
  const module = args.findIndex((arg) => !/^-[bBdEIiOPqRsSuvx]+$/.test(arg))
  if (/^(python|pypy)/.test(name) && args[module] === '-m') {
    const facts = moduleFacts(args.slice(module + 1), label, invocation, describe)
    // Otherwise a file of that name in the directory is what runs.
    const letters = args.slice(0, module).join('')
    return /[IP]/.test(letters) && !/[dix]/.test(letters)
      ? facts
      : [{ ...label, effect: 'code.run-project', network: true }, ...facts]
  }
  if (args.some((arg) => /^--test/.test(arg)))
    return [{ ...label, effect: 'code.run-project', network: true }]
  return fileFacts(args, label, invocation)
}

/** The code may be in the option's own word (`-c'...'`) or in a later one; all of them are looked through. */
function inlineFacts(args: readonly string[], label: Label, invocation: Invocation): Fact[] {
  if (args.some((arg) => arg.includes(NET_HOLE)))
    return [{ ...label, effect: 'floor.pipe-to-shell', network: true }]
  const text = args.join('\n')
  return [
    { ...label, effect: 'code.inline', network: true },
    ...scanCode(text, invocation.context),
    ...commandsInCode(text, invocation),
  ]
}

/** Quoted texts in code that look like commands are judged as such, for the floor alone. */
export function commandsInCode(text: string, invocation: Pick<Invocation, 'runText'>): Fact[] {
  const quoted = [...text.slice(0, 65_536).matchAll(/(["'`])((?:\\.|(?!\1)[^\\\n]){4,400})\1/g)].slice(0, 200)
  return quoted
    .map((found) => (found[2] ?? '').trim())
    .filter((piece) => /^[\w./-]+\s+\S/.test(piece))
    .flatMap((piece) => [...invocation.runText(piece, { quiet: true })].filter(isFloor))
}

const jsonTool: Program = {
  operands: 'read',
  last: 'write',
  plain: '--sort-keys --no-ensure-ascii --json-lines --tab --no-indent --compact',
  takes: '--indent',
}

function moduleFacts(
  [module = '', ...args]: readonly string[],
  label: Label,
  invocation: Invocation,
  describe: Describe,
): Fact[] {
  if (module === 'pip')
    return [...describe({ ...invocation, argv: ['pip', ...args], depth: invocation.depth + 1 })]
  if (/^(http\.server|SimpleHTTPServer|pyftpdlib|twisted)$/.test(module))
    return [{ ...label, effect: 'network.listen', network: true }]
  if (module === 'json.tool') return describeByTable(jsonTool, args, label, invocation)
  return [{ ...label, subcommand: module, effect: 'code.run-project', network: true }]
}

function fileFacts(args: readonly string[], label: Label, invocation: Invocation): Fact[] {
  const file = args.find((arg) => !arg.startsWith('-') || arg === '-')
  const loads: Fact[] = args.some((arg) => loadsCode.test(arg))
    ? [{ ...label, effect: 'code.inline', network: true }]
    : []
  if (file === '-' || (file === undefined && invocation.stdin.given))
    return [...loads, ...runStandardInput(label, invocation, false)]
  if (file === undefined) return [...loads, { ...label, effect: 'code.interactive' }]
  return [...loads, ...runFile(file === '' ? HOLE : file, label, invocation)]
}
