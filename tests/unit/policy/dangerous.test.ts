import fc from 'fast-check'
import { describe, expect, it, vi } from 'vitest'
import { judge } from '../../../core/policy/judge.ts'
import { exampleContext, loadPolicy } from '../../../core/policy/loadPolicy.ts'
import { mildEffects } from '../../../core/policy/mild.ts'
import { dangerous, simpleReads } from './dangerous.ts'

const policy = await loadPolicy(null)
// Many thousand judgements: on a busy machine they take their time.
vi.setConfig({ testTimeout: 120_000 })
const check = (command: string): string =>
  judge({ action: 'shell', params: { command } }, exampleContext, policy).verdict

const octal = (word: string): string =>
  `$'${[...word].map((char) => `\\${char.charCodeAt(0).toString(8).padStart(3, '0')}`).join('')}'`
const lastWord = (command: string, change: (word: string) => string): string =>
  command.replace(/\S+$/, (word) => change(word.replace(/^~/, exampleContext.home)))
const firstWord = (command: string, change: (word: string) => string): string =>
  command.replace(/^\S+/, change)

/** Ways to write the same command that the shell undoes. */
const disguises: readonly ((command: string) => string)[] = [
  (c) => c.replaceAll(' ', '   '),
  (c) => c.replaceAll(' ', '\t'),
  (c) => ` ${c} `,
  (c) => lastWord(c, (word) => `'${word}'`),
  (c) => lastWord(c, (word) => `"${word}"`),
  (c) => lastWord(c, (word) => `${word.slice(0, 1)}''${word.slice(1)}`),
  (c) => lastWord(c, (word) => [...word].map((char) => `\\${char}`).join('')),
  (c) => lastWord(c, octal),
  (c) => lastWord(c, (word) => (word.startsWith('/') ? `/.${word}` : `./${word}`)),
  (c) => lastWord(c, (word) => (word.startsWith('/') ? `//${word}` : `x/../${word}`)),
  (c) => lastWord(c, (word) => `"$(echo ${word})"`),
  (c) => `F=${/\S+$/.exec(c)?.[0]}; ${lastWord(c, () => '$F')}`,
  (c) => firstWord(c, (word) => `\\${word}`),
  (c) => firstWord(c, (word) => `'${word}'`),
  (c) => firstWord(c, (word) => `/usr/bin/${word}`),
  (c) => firstWord(c, octal),
]
const wrapped: readonly ((command: string) => string)[] = [
  (c) => `command ${c}`,
  (c) => `env ${c}`,
  (c) => `env -u X ${c}`,
  (c) => `timeout 5 ${c}`,
  (c) => `timeout -k 1 -s KILL 5 ${c}`,
  (c) => `nice ${c}`,
  (c) => `nice -n 5 ${c}`,
  (c) => `nohup ${c}`,
  (c) => `setsid -w ${c}`,
  (c) => `stdbuf -oL ${c}`,
  (c) => `time ${c}`,
  (c) => `/usr/bin/time -f %U ${c}`,
  (c) => `xargs ${c}`,
  (c) => `xargs -0 -n 1 ${c}`,
  (c) => `sh -c '${c.replaceAll("'", "'\\''")}'`,
  (c) => `find . -maxdepth 0 -exec ${c.replaceAll(';', '')} \\;`,
  (c) => `watch -n 1 ${c}`,
  (c) => `(${c})`,
  (c) => `true && ${c} | head`,
  (c) => `for i in 1; do ${c}; done`,
  (c) => `echo "$( ${c} )"`,
]

describe('dangerous commands', () => {
  it('are many', () => {
    expect(dangerous.length).toBeGreaterThanOrEqual(700)
  })

  it('are never allowed', () => {
    expect(dangerous.filter((command) => check(command) === 'allow')).toEqual([])
  })

  it('are never allowed in a disguise', () => {
    const forms = simpleReads.flatMap((command) => disguises.map((disguise) => disguise(command)))
    expect(forms.filter((form) => check(form) === 'allow')).toEqual([])
  })

  it('are never allowed in a wrapper', () => {
    const forms = dangerous.flatMap((command) => wrapped.map((wrap) => wrap(command)))
    expect(forms.filter((form) => check(form) === 'allow')).toEqual([])
  })

  it('are never allowed in several of both', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...simpleReads),
        fc.constantFrom(...disguises),
        fc.array(fc.constantFrom(...wrapped), { minLength: 1, maxLength: 3 }),
        (command, disguise, wraps) => {
          const form = wraps.reduce((inner, wrap) => wrap(inner), disguise(command))
          expect(check(form), form).not.toBe('allow')
        },
      ),
      { numRuns: 4000 },
    )
  })
})

it('knows every effect that a rule of the built-in policy may allow', () => {
  const allowed = policy.rules
    .filter((rule) => rule.verdict === 'allow')
    .flatMap((rule) => rule.when.flatMap((when) => when.effect ?? ['*']))
  expect(allowed.filter((effect) => !mildEffects.has(effect))).toEqual([])
})
