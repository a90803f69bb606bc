import { execFileSync } from 'node:child_process'
import fc from 'fast-check'
import { forEachChild, parse, type SyntaxNode } from 'unbash'
import { describe, expect, test } from 'vitest'
import { renderParams } from '../../../core/planning/fillPlaybook.ts'
import { loadPlaybooks } from '../../../core/planning/loadPlaybooks.ts'
import { matchPlaybook } from '../../../core/planning/matchPlaybook.ts'
import { readParameter } from '../../../core/planning/readParameters.ts'
import { placeholders, renderTemplate, shellQuote } from '../../../core/planning/renderTemplate.ts'
import { demo } from './places.ts'

const playbooks = await loadPlaybooks(null)
const commands = playbooks.flatMap((playbook) =>
  playbook.tasks.flatMap((task) =>
    typeof task.params.command === 'string' && placeholders(task.params.command).length > 0
      ? [{ playbook, command: task.params.command }]
      : [],
  ),
)

const nasty = fc.constantFrom(
  "'",
  '"',
  '`',
  '$(id)',
  '$HOME',
  ';',
  '&&',
  '|',
  '>',
  '<',
  '\n',
  '\\',
  '#',
  '*',
  '?',
  '!',
  '~',
  '{a,b}',
  '-rf',
  '--',
  '=',
  '%s',
  "$'\\x27'",
  '\u202e',
  '\t',
  '(',
  ')',
  '&',
  ' ',
  '..',
  '/',
  '\0',
)
const hostile = fc.oneof(
  fc
    .array(fc.oneof(nasty, fc.string({ unit: 'binary', maxLength: 4 })), { maxLength: 12 })
    .map((parts) => parts.join('')),
  fc.string({ unit: 'grapheme' }),
)

/** The shape of a command: its nodes, and the words as the shell understands them, passed through `say`. */
function shape(command: string, say: (word: string) => string): unknown {
  const script = parse(command)
  expect(script.errors ?? []).toEqual([])
  const walk = (node: SyntaxNode): unknown => {
    if (node.type === 'Word') return ['Word', say(node.value)]
    const inner: unknown[] = []
    forEachChild(node, (child) => void inner.push(walk(child)))
    return [node.type, ...inner]
  }
  return walk(script)
}

describe('a parameter of a request', () => {
  test('is one word with its own text for the shell itself', () => {
    fc.assert(
      fc.property(
        fc.array(
          hostile.filter((v) => !v.includes('\0') && !/[\ud800-\udfff]/.test(v)),
          { minLength: 1, maxLength: 5 },
        ),
        (values) => {
          const out = execFileSync('sh', ['-c', `printf '%s\\0' ${values.map(shellQuote).join(' ')}`], {
            encoding: 'utf8',
          })
          expect(out.split('\0').slice(0, -1)).toEqual(values)
        },
      ),
      { numRuns: 150 },
    )
  })

  test('cannot change the shape of any built-in command', () => {
    expect(commands.length).toBeGreaterThan(5)
    fc.assert(
      fc.property(fc.constantFrom(...commands), hostile, ({ playbook, command }, given) => {
        const read = Object.entries(playbook.parameters).map(
          ([name, p]) => [name, p.type === 'int' ? 7 : readParameter(given, p)] as const,
        )
        if (read.some(([, value]) => value === null)) return
        const values = Object.fromEntries(read.map(([name, value]) => [name, String(value)]))
        const marks = Object.fromEntries(read.map(([name]) => [name, `QQ${name}ZZ`]))
        const marked = (text: string) =>
          text.replace(/QQ([a-z]+)ZZ/g, (_, name: string) => values[name] ?? '')
        expect(shape(renderTemplate(command, values, 'shell'), (w) => w)).toEqual(
          shape(renderTemplate(command, marks, 'shell'), marked),
        )
      }),
      { numRuns: 3000 },
    )
  })

  test('sent as a request never becomes more than one argument', () => {
    const around = [
      (v: string) => `find ${v} in src`,
      (v: string) => `tail the log ${v}`,
      (v: string) => `note: ${v}`,
      (v: string) => `find the file ${v}`,
      (v: string) => `list the files in "${v}"`,
    ]
    fc.assert(
      fc.property(fc.constantFrom(...around), hostile, (request, given) => {
        const match = matchPlaybook(playbooks, request(given), demo())
        if (!match) return
        for (const value of Object.values(match.values)) expect(String(value)).not.toMatch(/^-|\0/)
        for (const task of match.playbook.tasks.filter((t) => typeof t.params.command === 'string')) {
          const { command } = renderParams(task, match.values)
          const values = Object.values(match.values).filter((v) => typeof v === 'string')
          const names = (text: string) => [...words(text)]
          expect(names(String(command)).length).toBe(
            names(
              String(
                renderParams(task, Object.fromEntries(Object.keys(match.values).map((k) => [k, 'x'])))
                  .command,
              ),
            ).length,
          )
          for (const name of placeholders(String(task.params.command)))
            expect(
              values.length === 0 ||
                names(String(command)).some((w) => w.includes(String(match.values[name]))),
            ).toBe(true)
        }
      }),
      { numRuns: 2000 },
    )
  })

  test('with a NUL byte or a leading dash is not taken', () => {
    const text = { type: 'string', max_words: 3 } as const
    expect([
      readParameter('-rf', text),
      readParameter('a\0b', text),
      readParameter('"-x"', text),
      readParameter('  ', text),
    ]).toEqual([null, null, null, null])
    expect([readParameter('-x', { type: 'path' }), readParameter('./-x', { type: 'path' })]).toEqual([
      null,
      './-x',
    ])
    expect(() => shellQuote('a\0b')).toThrow(TypeError)
  })
})

function* words(command: string): Generator<string> {
  const inner = function* (node: SyntaxNode): Generator<string> {
    if (node.type === 'Word') yield node.value
    const children: SyntaxNode[] = []
    forEachChild(node, (child) => void children.push(child))
    for (const child of children) yield* inner(child)
  }
  yield* inner(parse(command))
}
