import fc from 'fast-check'
import { describe, expect, it, vi } from 'vitest'
import { judge, type Verdict } from '../../../core/policy/judge.ts'
import { exampleContext, loadPolicy } from '../../../core/policy/loadPolicy.ts'
import type { ActionCall } from '../../../core/protocol/actions.ts'
import { floor, looking, risky } from './commands.ts'

const policy = await loadPolicy(null)
// Many thousand judgements: on a busy machine they take their time.
vi.setConfig({ testTimeout: 120_000 })
const check = (command: string): Verdict =>
  judge({ action: 'shell', params: { command } }, exampleContext, policy)

const oneLine = (command: string): boolean => !command.includes('\n') && !command.endsWith('&')
const closed = (command: string): boolean =>
  oneLine(command) && !/unterminated|^[}!]$|^(for|if true|ls \)|ls &&|ls \||echo \$\(ls)/.test(command)
const harmless = fc.constantFrom(
  ...looking.filter((command) => oneLine(command) && !command.startsWith('X=')),
)
const denied = fc.constantFrom(...floor.filter(closed))
const dangerous = fc.constantFrom(...floor.filter(closed), ...risky.filter(closed))
const simpleDenied = fc.constantFrom(
  'rm -rf /',
  'rm -fr ~',
  'reboot',
  'mkfs.ext4 /dev/sda',
  'dd if=x of=/dev/sda',
  'chmod -R 777 /',
  'cat /etc/shadow',
  'rm -rf /etc',
  'kill -9 -1',
  'crontab -r',
)

const quote = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`
const wrappers: readonly ((command: string) => string)[] = [
  (c) => `sudo ${c}`,
  (c) => `sudo -u root -- ${c}`,
  (c) => `env ${c}`,
  (c) => `env -i A=1 ${c}`,
  (c) => `timeout 5 ${c}`,
  (c) => `nice -n 5 ${c}`,
  (c) => `nohup ${c}`,
  (c) => `setsid ${c}`,
  (c) => `stdbuf -oL ${c}`,
  (c) => `command ${c}`,
  (c) => `exec ${c}`,
  (c) => `doas ${c}`,
  (c) => `busybox ${c}`,
  (c) => `xargs ${c}`,
  (c) => `time ${c}`,
  (c) => `sh -c ${quote(c)}`,
  (c) => `bash -c ${quote(c)}`,
  (c) => `eval ${quote(c)}`,
  (c) => `su -c ${quote(c)}`,
  (c) => `script -qc ${quote(c)} x`,
  (c) => `find . -exec ${c} \\;`,
  (c) => `ssh host ${quote(c)}`,
  (c) => `watch ${quote(c)}`,
  (c) => `parallel ${c} ::: a`,
  (c) => `flock /tmp/x -c ${quote(c)}`,
  (c) => `strace -f ${c}`,
  (c) => `chroot / ${c}`,
  (c) => `trap ${quote(c)} EXIT`,
]
const joins: readonly ((a: string, b: string) => string)[] = [
  (a, b) => `${a}; ${b}`,
  (a, b) => `${a} && ${b}`,
  (a, b) => `${a} || ${b}`,
  (a, b) => `${a} | ${b}`,
  (a, b) => `${a} & ${b}`,
  (a, b) => `${a}\n${b}`,
  (a, b) => `${b}; ${a}`,
  (a, b) => `${a}; ls $( ${b} )`,
  (a, b) => `${a}; echo "$( ${b} )"`,
  (a, b) => `(${b}); ${a}`,
  (a, b) => `{ ${b}; }; ${a}`,
  (a, b) => `if ${b}; then ${a}; fi`,
  (a, b) => `for i in 1 2; do ${b}; done; ${a}`,
  (a, b) => `f() { ${b}; }; ${a}; f`,
  (a, b) => `${a}; cat <(${b})`,
  (a, b) => `${a} > /dev/null; X=$( ${b} )`,
  (_, b) => `cat <<EOF\n$( ${b} )\nEOF`,
  (a, b) => `while ${a}; do ${b}; done`,
]
const hidden = [
  '\u200b',
  '\u200d',
  '\u202e',
  '\u2066',
  '\ufeff',
  '\u00ad',
  '\u0000',
  '\u0001',
  '\u0007',
  '\u001b',
  '\u007f',
  '\u00a0',
  '\u2028',
  '\ufe0f',
  '\u{e0041}',
  '“',
  '’',
  '—',
  'е',
  'ѕ',
  'ο',
  'Ａ',
  '\ud800',
]

const shellish = fc.string({
  unit: fc.constantFrom(
    'a',
    ' ',
    '$',
    '(',
    ')',
    '`',
    '"',
    "'",
    '\\',
    '\n',
    '{',
    '}',
    '<',
    '>',
    '|',
    '&',
    ';',
    '/',
    '*',
    '~',
    '=',
    '-',
    '#',
    '!',
    '[',
    ']',
    'rm',
    'if',
    'do',
    'done',
    'EOF',
    '<<',
    '${',
    '$((',
  ),
  maxLength: 40,
})
const anyCall: fc.Arbitrary<ActionCall> = fc.oneof(
  fc
    .oneof(fc.string(), fc.string({ unit: 'binary', maxLength: 200 }), shellish)
    .map((command): ActionCall => ({ action: 'shell', params: { command } })),
  fc
    .record({
      interpreter: fc.constantFrom('sh' as const, 'bash' as const, 'python3' as const, 'node' as const),
      body: fc.oneof(fc.string(), shellish),
    })
    .map((params): ActionCall => ({ action: 'script', params })),
  fc.string({ unit: 'binary' }).map((path): ActionCall => ({ action: 'file_read', params: { path } })),
  fc
    .string({ unit: 'binary' })
    .map((path): ActionCall => ({ action: 'file_write', params: { path, content: '' } })),
  fc.string({ unit: 'binary' }).map((patch): ActionCall => ({ action: 'file_patch', params: { patch } })),
)

describe('judge', () => {
  it('never throws, and answers the same each time', () => {
    const contexts = [
      exampleContext,
      { cwd: '', roots: [], home: '', platform: 'linux' },
      { ...exampleContext, platform: 'win32', cwd: 'C:\\w', roots: ['C:\\w'], home: 'C:\\u' },
    ]
    fc.assert(
      fc.property(anyCall, fc.constantFrom(...contexts), (call, context) => {
        const verdict = judge(call, context, policy)
        expect(['allow', 'ask', 'deny']).toContain(verdict.verdict)
        expect(judge(call, context, policy)).toEqual(verdict)
      }),
      { numRuns: 3000 },
    )
  })

  it('never throws for what is not a call at all, and never allows it', () => {
    fc.assert(
      fc.property(
        fc.anything(),
        (call) => judge(call as ActionCall, exampleContext, policy).verdict !== 'allow',
      ),
      { numRuns: 500 },
    )
  })

  it('never allows a harmless command that a dangerous one was added to', () => {
    fc.assert(
      fc.property(harmless, dangerous, fc.constantFrom(...joins), (a, b, join) => {
        const command = join(a, b)
        expect(check(command).verdict, command).not.toBe('allow')
      }),
      { numRuns: 4000 },
    )
  })

  it('denies the floor wherever it stands beside a harmless command', () => {
    fc.assert(
      fc.property(harmless, simpleDenied, fc.constantFrom(...joins), (a, b, join) => {
        expect(check(join(a, b)).verdict, join(a, b)).toBe('deny')
      }),
      { numRuns: 3000 },
    )
  })

  it('never allows a floor command in any stack of wrappers', () => {
    fc.assert(
      fc.property(denied, fc.array(fc.constantFrom(...wrappers), { maxLength: 12 }), (command, stack) => {
        const wrapped = stack.reduce<string>((inner, wrap) => wrap(inner), command)
        expect(check(wrapped).verdict, wrapped).not.toBe('allow')
      }),
      { numRuns: 3000 },
    )
  })

  it('denies a plain floor command in up to three wrappers', () => {
    fc.assert(
      fc.property(
        simpleDenied,
        fc.array(fc.constantFrom(...wrappers), { maxLength: 3 }),
        (command, stack) => {
          const wrapped = stack.reduce<string>((inner, wrap) => wrap(inner), command)
          expect(check(wrapped).verdict, wrapped).toBe('deny')
        },
      ),
      { numRuns: 3000 },
    )
  })

  it('never allows a bad command that has hidden or look-alike characters', () => {
    fc.assert(
      fc.property(dangerous, fc.constantFrom(...hidden), fc.nat(), (command, mark, at) => {
        const where = at % (command.length + 1)
        const changed = command.slice(0, where) + mark + command.slice(where)
        expect(check(changed).verdict, changed).not.toBe('allow')
      }),
      { numRuns: 4000 },
    )
  })

  it('sees through quotes and backslashes in every place of a word', () => {
    const pieces = fc.array(fc.constantFrom("''", '""', '\\', '"', "'", '\\\n'), {
      minLength: 1,
      maxLength: 6,
    })
    fc.assert(
      fc.property(pieces, (marks) => {
        const hide = (word: string): string =>
          [...word].map((char, i) => disguise(char, marks[i % marks.length] ?? '')).join('')
        const command = ['rm', '-rf', '/'].map(hide).join(' ')
        expect(check(command).verdict, command).toBe('deny')
      }),
      { numRuns: 1000 },
    )
  })

  it('is quick', () => {
    const before = process.cpuUsage()
    for (const command of looking) check(command)
    const { user, system } = process.cpuUsage(before)
    expect((user + system) / 1000 / looking.length).toBeLessThan(1)
  })

  it.each([
    ['deep nesting', '$('.repeat(3000)],
    ['many commands', 'ls;'.repeat(10_000)],
    ['a long word', 'a'.repeat(32_000)],
    ['many stars', `ls ${'*'.repeat(2000)}/${'a*'.repeat(2000)}`],
    ['many braces', `rm ${'{a,b}'.repeat(500)}`],
    ['many alternatives', `${'for a in 1 2 3 4 5 6 7 8; do '.repeat(20)} rm $a$a$a$a ${'; done'.repeat(20)}`],
    [
      'many functions',
      'f() { f2; f2; }; f2() { f3; f3; }; f3() { f4; f4; }; f4() { f5; f5; }; f5() { f6; f6; }; f6() { f7; f7; }; f7() { ls; ls; }; f',
    ],
    ['find within find', `find a b c d e f g h ${'-exec find a b c d e f g h i j k l m '.repeat(12)} x +`],
    ['wrappers within wrappers', `x ${'env x sudo '.repeat(200)}`],
    ['options in doubt', 'timeout -s ls '.repeat(2000)],
    ['braces of a search', `rg foo -g '${'{a,b}'.repeat(3000)}'`],
    ['nested shells', 'sh -c "'.repeat(50)],
    ['values that double', 'x=$x$x;'.repeat(600)],
    ['values that grow', `a=b;${'a+=$a;'.repeat(600)} rm $a`],
    ['words that double', 'set -- $@ $@;'.repeat(300)],
    ['many programs as words', `x ${'rm '.repeat(1300)}`],
    ['commands of commands', `parallel ${'{} '.repeat(1300)}`],
    ['find after find', `x ${'find -exec find a '.repeat(230)}`],
    ['tests that do not end', '[[ a '.repeat(800)],
    ['a megabyte of words', `ls ${'a '.repeat(500_000)}`],
    ['a megabyte of commands', 'rm -rf x; '.repeat(100_000)],
  ])('comes to an end with %s', (_, command) => {
    const before = process.cpuUsage()
    expect(['ask', 'deny', 'allow']).toContain(check(command).verdict)
    const { user, system } = process.cpuUsage(before)
    expect((user + system) / 1000).toBeLessThan(1000)
  })

  it('asks for what is too long to be read', () => {
    expect(check(`ls ${'a '.repeat(20_000)}`)).toMatchObject({ verdict: 'ask', risk: 'high' })
    expect(check(`rm -rf /; ls ${'a '.repeat(20_000)}`).verdict).toBe('deny')
  })

  it('follows a value that doubles as far as it goes, and never takes it for short', () => {
    expect(check('x=/; rm -rf $x').verdict).toBe('deny')
    expect(check(`x=ab;${'x=$x$x;'.repeat(40)} cat $x`).verdict).toBe('ask')
  })
})

/** Puts one character of a word into a disguise that a shell takes off again. */
function disguise(char: string, mark: string): string {
  if (mark === '\\') return `\\${char}`
  if (mark === '"' || mark === "'") return `${mark}${char}${mark}`
  return char + mark
}
