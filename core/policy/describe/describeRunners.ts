import { type Fact, type Invocation, noStdin } from '../facts.ts'
import { resolvePath } from '../paths/resolvePath.ts'
import type { Wrapper } from '../programs/wrappers.ts'
import { overrideFacts } from '../shell/assignmentFacts.ts'
import { HOLE, HOLES, hasHole, isLiteral } from '../shell/marks.ts'
import { type Label, pathFacts } from './describeByTable.ts'
import { isFloor, runScriptText } from './describeShell.ts'
import { type Leading, type LeadingShape, leadingOptions } from './leadingOptions.ts'
import { mayBeFile } from './parseArguments.ts'

/** Describes the command that a wrapper starts. */
export type Describe = (invocation: Invocation) => readonly Fact[]

/** A program that starts another: its own effect, and all that the other does. */
export function describeWrapper(wrapper: Wrapper, invocation: Invocation, describe: Describe): Fact[] {
  const [name = '', ...args] = invocation.argv
  const label = { program: name }
  const { rest, facts, options, others } = leadingOptions(wrapper, args)
  const own: Fact[] = [
    ...otherFacts(others, invocation, describe),
    ...writtenBy(wrapper, options, label, invocation),
    ...(wrapper.effect ? [{ ...label, effect: wrapper.effect, network: wrapper.network === true }] : []),
  ]
  const text = wrapper.shellText ? shellTextIn(args, wrapper.shellText.split(' ')) : undefined
  if (text !== undefined) own.push(...runScriptText(text, 'sh', [], label, invocation))
  const command = rest.slice(wrapper.skip ?? 0)
  if (wrapper.creates) own.push(...createdBy(rest, options, label, invocation))
  // `watch -x` hands the words on as they are.
  if (wrapper.joins) own.push(...runScriptText(command.join(' '), 'sh', [], label, invocation))
  // `watch 'ls | wc -l'`: one word with blanks is a text for a shell, and no program.
  const textOnly =
    wrapper.joins && command.length === 1 && !options.some(({ name: option }) => /^-\w*x|^--e/.test(option))
  if (command.length === 0 || text !== undefined || textOnly)
    return [
      ...own,
      ...facts,
      ...(text !== undefined ? [] : [{ ...label, effect: wrapper.bare ?? 'info' }]),
      ...(text !== undefined || textOnly ? [] : onlyValues(options)),
    ]
  return [
    ...own,
    ...facts,
    ...describe({ ...enterBy(wrapper, options, invocation), argv: command, depth: invocation.depth + 1 }),
  ]
}

/** The file that it makes, also where that is taken for the value of an option. */
function createdBy(
  rest: readonly string[],
  options: Leading['options'],
  label: Label,
  invocation: Invocation,
): Fact[] {
  const values = options.map(({ name, value }) => value ?? /\/.*/s.exec(name)?.[0] ?? '').filter(mayBeFile)
  return [rest[0] ?? '', ...values].flatMap((path) => pathFacts('create', path, label, invocation))
}

/** No command at all, and a value that may be one: the option may have taken none. */
function onlyValues(options: Leading['options']): Fact[] {
  return options.some(({ value }) => value !== null && mayBeFile(value))
    ? [{ effect: 'shell.unknown-option' }]
    : []
}

/** Long options may be shortened. */
function isOneOf(name: string, names = ''): boolean {
  return names
    .split(' ')
    .some((full) => full === name || (name.length > 2 && name.startsWith('--') && full.startsWith(name)))
}

function writtenBy(
  wrapper: Wrapper,
  options: Leading['options'],
  label: Label,
  invocation: Invocation,
): Fact[] {
  return options.flatMap(({ name, value }) => [
    ...(isOneOf(name, wrapper.writes) ? pathFacts('write', value ?? HOLE, label, invocation) : []),
    ...(isOneOf(name, wrapper.enters) ? pathFacts('list', value ?? HOLE, label, invocation) : []),
  ])
}

/** `env -C / cat etc/shadow` starts in another directory. */
function enterBy(wrapper: Wrapper, options: Leading['options'], invocation: Invocation): Invocation {
  const entered = options.find((option) => isOneOf(option.name, wrapper.enters))?.value
  if (entered === undefined || entered === null) return invocation
  const cwds = isLiteral(entered)
    ? (invocation.state.cwds.length > 0 ? invocation.state.cwds : ['/']).map((cwd) =>
        resolvePath(entered, cwd),
      )
    : []
  return { ...invocation, state: { ...invocation.state, cwds } }
}

/** `su root -c text`, `script -qc text`: the option may stand anywhere. */
function shellTextIn(args: readonly string[], names: readonly string[]): string | undefined {
  const at = args.findIndex((arg) => names.includes(arg) || /^-[a-z]*c$/.test(arg))
  const joined = args
    .map((arg) => /^(?:--command=|-c)(.+)$/s.exec(arg)?.[1])
    .find((text) => text !== undefined)
  return joined ?? (at < 0 ? undefined : (args[at + 1] ?? ''))
}

/** What would run if the command began at the value of an option: only where that is a program. */
function otherFacts(others: Leading['others'], invocation: Invocation, describe: Describe): readonly Fact[] {
  if (others.length > 2 || (others.length > 0 && invocation.depth > 1)) return [{ effect: 'shell.too-deep' }]
  return others.flatMap((argv) => {
    const facts = describe({ ...invocation, argv, depth: invocation.depth + 1 })
    return facts.some((fact) => /^(shell\.unknown-program|code\.run-file)$/.test(fact.effect)) ? [] : facts
  })
}

/** What stands before the command: options with their values, and assignments. */
function ownOptions(args: readonly string[]): readonly string[] {
  const end = args.findIndex(
    (arg, i) =>
      !/^-.|^[A-Za-z_]\w*=/.test(arg) && !/^(-[iv0]*[uCaP]|--(unset|chdir|argv0))$/.test(args[i - 1] ?? ''),
  )
  return end < 0 ? args : args.slice(0, end)
}

/** `env -S "a b"` splits one word into a command. */
export function describeEnv(wrapper: Wrapper, invocation: Invocation, describe: Describe): Fact[] {
  const args = invocation.argv.slice(1)
  const removed = removedFacts(args)
  const at = ownOptions(args).findIndex((arg) => /^(-[iv0]*S|--s)/.test(arg))
  if (at < 0) return [...describeWrapper(wrapper, invocation, describe), ...removed]
  const arg = args[at] ?? ''
  const joined = /^(-[iv0]*S|--s[a-z-]*=?)(.*)$/s.exec(arg)?.[2] ?? ''
  const text = joined === '' ? (args[at + 1] ?? '') : joined
  const rest = args.slice(at + (joined === '' ? 2 : 1))
  const words = [
    ...text
      .split(/\s+/)
      .map((word) => word.replace(/["'\\]/g, ''))
      .filter(Boolean),
    ...rest,
  ]
  const inner = describeWrapper(
    wrapper,
    { ...invocation, argv: ['env', ...args.slice(0, at), ...words], depth: invocation.depth + 1 },
    describe,
  )
  const whole = [...inner, ...removed, ...removedFacts(words)]
  return /[\\"'$]/.test(text) ? [...whole, { program: 'env', effect: 'shell.not-understood' }] : whole
}

/** What the agent's environment keeps git and pagers from starting is taken away with it. */
function removedFacts(args: readonly string[]): Fact[] {
  const own = ownOptions(args)
  const names = own.flatMap((arg, i) => {
    const joined = /^(?:-[i0v]*u|--u[a-z]*=)(.+)$/.exec(arg)?.[1]
    return /^(-[i0v]*u|--u[a-z]*)$/.test(arg) ? [args[i + 1] ?? HOLE] : joined ? [joined] : []
  })
  const all = args.some((arg, i) => i <= own.length && /^(-|-[0v]*i.*|--i[a-z-]*)$/.test(arg))
  const runsGit = args.some((arg) => /\bgit\b/.test(arg))
  return [
    ...names.flatMap((name) => (hasHole(name) ? [dropped] : overrideFacts(name))),
    ...(all && runsGit ? [dropped] : []),
  ]
}

const dropped: Fact = { program: 'env', effect: 'shell.env-override' }

const xargsShape: LeadingShape = {
  plain: '-0optrx --null --open-tty --interactive --no-run-if-empty --verbose --exit --show-limits',
  maybe: '-i -e -l --eof --replace --max-lines',
  takes:
    '-a -d -E -I -L -n -P -s -J -R -S --arg-file --delimiter --max-args --max-procs --max-chars --process-slot-var',
}

/** `xargs cmd`: the command gets words from standard input. Where those are plain text, the floor is tried on them. */
export function describeXargs(invocation: Invocation, describe: Describe): Fact[] {
  const label: Label = { program: 'xargs' }
  const { options, rest, facts, others } = leadingOptions(xargsShape, invocation.argv.slice(1))
  const files = options
    .filter((option) => isOneOf(option.name, '-a --arg-file'))
    .flatMap((option) => pathFacts('read', option.value ?? HOLE, label, invocation))
  const replaced = options.find((option) => /^-[IJi]/.test(option.name) || isOneOf(option.name, '--replace'))
  const command = rest.length > 0 ? rest : ['echo']
  if (rest.length === 0) facts.push(...onlyValues(options))
  const pattern = replaced ? (replaced.value ?? '{}') : null
  const run = (words: readonly string[]): readonly Fact[] =>
    describe({
      ...invocation,
      argv: fillIn(command, words, pattern),
      stdin: noStdin,
      depth: invocation.depth + 1,
    })
  const words = plainWords(invocation.stdin.text ?? '')
  const guessed = words.length > 0 ? run(words).filter(isFloor) : []
  const asCode =
    pattern !== null && /^(.*\/)?(ba|da|z|k)?sh$/.test(command[0] ?? '')
      ? [{ ...label, effect: 'shell.dynamic-code' }]
      : []
  return [
    ...facts,
    ...files,
    ...asCode,
    ...guessed,
    ...otherFacts(others, invocation, describe),
    ...run([HOLES]),
  ]
}

function plainWords(text: string): string[] {
  return text
    .split(/\s+/)
    .map((word) => word.replace(/["'\\]/g, ''))
    .filter(Boolean)
    .slice(0, 32)
}

function fillIn(
  command: readonly string[],
  words: readonly string[],
  pattern: string | null,
): readonly string[] {
  if (pattern === null) return [...command, ...words]
  return command.flatMap((word) =>
    word.includes(pattern) ? words.map((one) => word.replaceAll(pattern, () => one)) : [word],
  )
}

/** GNU parallel and its like: a command template, filled from standard input or after `:::`. */
export function describeParallel(invocation: Invocation, describe: Describe): Fact[] {
  const { rest } = leadingOptions(
    { takes: '-j -P -N -n -I -S -a --jobs --colsep --delay --timeout --joblog --sshlogin' },
    invocation.argv.slice(1),
  )
  const at = rest.findIndex((word) => /^::::?\+?$/.test(word))
  const command = at >= 0 ? rest.slice(0, at) : rest
  const given = at >= 0 ? rest.slice(at + 1) : [HOLES]
  const filled = command.some((word) => word.includes('{'))
    ? command.flatMap((word) =>
        word.includes('{}') ? given.map((one) => word.replaceAll('{}', () => one)) : [word],
      )
    : [...command, ...given]
  const label = { program: 'parallel' }
  const inner =
    filled.length > 0 ? describe({ ...invocation, argv: filled, depth: invocation.depth + 1 }) : []
  const asText = runScriptText(filled.filter(isLiteral).join(' '), 'sh', [], label, invocation)
  return [{ ...label, effect: 'code.inline' }, ...[...inner, ...asText].filter(isFloor)]
}

/** Judges what comes after a program that hands it to somebody else (ssh, docker, an unknown one): floor only. */
export function sweepForFloor(args: readonly string[], invocation: Invocation, describe: Describe): Fact[] {
  const next = {
    ...invocation,
    stdin: { ...invocation.stdin, text: null, network: false, decoded: false },
    depth: invocation.depth + 1,
  }
  const quiet: Invocation = {
    ...next,
    runText: (text, options) => invocation.runText(text, { ...options, quiet: true }),
  }
  const asCommands = args
    .slice(0, 24)
    .flatMap((arg, i) => (dangerousName.test(arg) ? [...describe({ ...quiet, argv: args.slice(i) })] : []))
  const asText = args
    .slice(0, 24)
    .flatMap((arg) => (isLiteral(arg) && /[\s;&|$`]/.test(arg) ? [...quiet.runText(arg, {})] : []))
  return [...asCommands, ...asText].filter((fact) => isFloor(fact) && fact.effect !== 'floor.skynet-data')
}

const dangerousName =
  /^(.*\/)?(rm|dd|mkfs(\.\w+)?|shred|wipefs|chmod|chown|shutdown|reboot|poweroff|halt|init|kill|find|sudo|doas|env|xargs|sh|bash|zsh|dash|ksh|busybox|nohup|timeout|tee|mv|cp|iptables|crontab|fdisk|blkdiscard|cat|command|exec|eval|nice|userdel|git|tar|sed)$/
