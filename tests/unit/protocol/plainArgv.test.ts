import { execFileSync } from 'node:child_process'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { judge } from '../../../core/policy/judge.ts'
import { exampleContext, loadPolicy } from '../../../core/policy/loadPolicy.ts'
import { argvFits, plainArgv } from '../../../core/protocol/plainArgv.ts'

const policy = await loadPolicy(null)

/** What a real shell makes of the words of many commands: its arguments, each with a NUL behind. */
function inShell(shell: string, options: string[], commands: readonly string[]): string[][] {
  const script = commands.map((command) => `show ${command}`).join('\n')
  const show = "show() { printf '%s\\0' \"$@\"; printf '\\n\\0'; }"
  const out = execFileSync(shell, [...options, '-c', `${show}\n${script}`], {
    env: { PATH: process.env.PATH ?? '' },
    stdio: ['ignore', 'pipe', 'pipe'],
    maxBuffer: 64 << 20,
  }).toString()
  return out
    .split('\n\0')
    .slice(0, -1)
    .map((words) => words.split('\0').slice(0, -1))
}

const words = fc
  .array(
    fc.oneof(
      fc.constantFrom(
        '-la',
        'a',
        'x=1',
        './x',
        '/etc/passwd',
        '{}',
        '!',
        '\\;',
        '\\(',
        "'a b'",
        '"a b"',
        "''",
      ),
      fc.constantFrom(
        `'$(id)'`,
        `'"'`,
        `"'"`,
        `a'b'"c"`,
        `--x="y z"`,
        'a\\ b',
        '%1',
        '@',
        ',',
        '+x',
        ':',
        'é',
      ),
      fc.constantFrom(
        '$X',
        '*',
        '~',
        '"$X"',
        '`id`',
        'a#b',
        '#',
        ';',
        '&',
        '|',
        '>x',
        '{a,b}',
        '\\',
        '\n',
        "'",
      ),
      fc.constantFrom(
        '~/x',
        'a=~',
        '^',
        '[a]',
        '?',
        '\\n',
        '\\\n',
        '$',
        '<x',
        '(',
        '"\\"',
        '\r',
        '"!"',
        '{}a',
      ),
      fc.string({ maxLength: 6 }),
    ),
    { maxLength: 6 },
  )
  .chain((list) => fc.constantFrom(' ', '  ', '\t').map((gap) => `ls${gap}${list.join(gap)}`))

describe('plainArgv', () => {
  it.each([
    ['git status', ['git', 'status']],
    [`  rg -n 'a b' "c d"\te\\ f `, ['rg', '-n', 'a b', 'c d', 'e f']],
    ['find . ! -name x -exec wc -l {} \\;', ['find', '.', '!', '-name', 'x', '-exec', 'wc', '-l', '{}', ';']],
    [`awk '{print $1}' a`, ['awk', '{print $1}', 'a']],
    [`./run.sh ''`, ['./run.sh', '']],
    ['grep -e--x="$"', null],
  ])('%s', (command, argv) => {
    expect(plainArgv(command)).toEqual(argv)
  })

  it.each([
    ...['', ' ', 'cd x', 'echo hi', 'test -f x', 'X=1 ls', 'ls | cat', 'ls; ls', 'ls &', 'ls > x', 'ls < x'],
    ...[
      'ls $X',
      'ls *',
      'ls ~',
      'ls ~/x',
      'ls a=~/x',
      'ls {a,b}',
      'ls #x',
      'ls "$(id)"',
      'ls `id`',
      "l's' x",
    ],
    ...['\\ls x', '"ls"', 'ls\nls', "ls 'a\nb'", 'ls "a\\"b"', "ls 'a", 'ls \\', 'if x', 'time ls', '! ls'],
    ...['{ ls', '[ -f x', 'eval ls', '. x', 'ls $', 'ls a?', 'ls [a]', 'ls a\rb', 'ls \u00a0', 'ls é', '-x'],
  ])('takes a shell: %j', (command) => {
    expect(plainArgv(command)).toBeNull()
  })

  it.each([
    ['sh', []],
    ['bash', []],
    ['bash', ['--posix']],
  ])('reads words as %s %j does', (shell, options) => {
    const commands = fc
      .sample(words, { numRuns: 4000, seed: 7 })
      .filter((command) => plainArgv(command) !== null)
    expect(commands.length).toBeGreaterThan(400)
    expect(inShell(shell, options, commands)).toEqual(commands.map((command) => plainArgv(command)))
  })

  it('is what the judge sees: an argument that it would deny stays denied', () => {
    const quotes = [(w: string) => w, (w: string) => `'${w}'`, (w: string) => `"${w}"`]
    for (const quote of quotes)
      for (const command of [`cat ${quote('/etc/shadow')}`, `rm -rf ${quote('/')}`]) {
        const argv = plainArgv(command)
        expect(argv).not.toBeNull()
        expect(
          judge({ action: 'shell', params: { command, argv: argv ?? [] } }, exampleContext, policy).verdict,
        ).toBe('deny')
      }
  })
})

describe('argv beside a command', () => {
  it('must be what the command says', () => {
    expect(argvFits('ls -la', ['ls', '-la'])).toBe(true)
    expect(argvFits('ls -la', undefined)).toBe(true)
    expect(argvFits('ls -la', ['ls', '-l', 'a'])).toBe(false)
    expect(argvFits('ls -la', ['ls'])).toBe(false)
    expect(argvFits('ls | cat', ['ls'])).toBe(false)
  })

  it('that says something else is denied, whatever a policy says', () => {
    const check = (argv: string[]) =>
      judge({ action: 'shell', params: { command: 'git status', argv } }, exampleContext, policy)
    expect(check(['git', 'status']).verdict).toBe('allow')
    for (const argv of [['rm', '-rf', '.'], ['git'], ['git', 'push'], ['git', 'status', ''], ['git status']])
      expect(check(argv)).toMatchObject({ verdict: 'deny', rule: 'floor.other-command' })
  })
})
