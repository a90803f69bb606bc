import { describe, expect, it, vi } from 'vitest'
import { programs } from '../../../core/policy/describe/describeCommand.ts'
import { knownOptions } from '../../../core/policy/describe/parseArguments.ts'
import { judge } from '../../../core/policy/judge.ts'
import { exampleContext, loadPolicy } from '../../../core/policy/loadPolicy.ts'
import { git } from '../../../core/policy/programs/git.ts'
import { type Program, spreadNames } from '../../../core/policy/programs/program.ts'
import { wrappers } from '../../../core/policy/programs/wrappers.ts'

const policy = await loadPolicy(null)
// Many thousand judgements: on a busy machine they take their time.
vi.setConfig({ testTimeout: 120_000 })
const order = ['allow', 'ask', 'deny']
const rank = (command: string): number =>
  order.indexOf(judge({ action: 'shell', params: { command } }, exampleContext, policy).verdict)

const files = ['.env', '~/.ssh/id_rsa', '/etc/shadow']
const letters = [...'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ']
/** `git branch -l x` and `command -v x` ask what there is; without the option they make, set or run it. */
const asksInstead = /^(git (branch|tag|config)|command)$/
/** Their value is a pattern or a script in every version: no file is read by that name. */
const texts = /^(-e|--regexp|--expression)$/

type Tried = { name: string; options: readonly string[] }

const bare: readonly string[] = [
  'sed',
  'awk',
  'tar',
  'find',
  'xargs',
  'sh',
  'bash',
  'zsh',
  'eval',
  'python3',
  'ssh',
]
/** Those of the table, and two letters that are not in it: all of these are treated alike. */
function optionsOf(program: Program | undefined): readonly string[] {
  const known = knownOptions(program ?? {}).kinds
  const others = letters.map((letter) => `-${letter}`).filter((option) => !known.has(option))
  return [...known.keys(), ...others.slice(0, 2)]
}
const tried: readonly Tried[] = [
  ...[...programs].map(([name, program]) => ({ name, options: optionsOf(program) })),
  ...[...wrappers].map(([name, { plain = '', takes = '' }]) => ({
    name,
    options: optionsOf({ plain, takes }),
  })),
  ...bare.map((name) => ({ name, options: optionsOf(undefined) })),
  ...[...spreadNames(git)].map(([name, program]) => ({ name: `git ${name}`, options: optionsOf(program) })),
  ...[...spreadNames(git), ...programs].flatMap(([name, program]) =>
    Object.entries(program.subcommands ?? {}).flatMap(([subs, sub]) =>
      subs.split(' ').map((word) => ({
        name: `${git[name]?.subcommands === program.subcommands ? 'git ' : ''}${name} ${word}`,
        options: optionsOf(sub),
      })),
    ),
  ),
].filter(({ name }) => !/ -/.test(name))

const compared = tried.filter(({ name }) => !asksInstead.test(name))

/** `echo --x` prints it, `let --x` counts down. */
const takesAnything = new Set([...programs].filter(([, program]) => program.free).map(([name]) => name)).add(
  'let',
)

const expandHome = (file: string): string => file.replace('~', exampleContext.home)

function forms(name: string, option: string, file: string): string[] {
  return [
    `${name} ${option} ${file}`,
    `${name} ${option} -- ${file}`,
    ...(/^-[^-]$/.test(option) ? [`${name} ${option}${expandHome(file)}`] : []),
  ]
}

describe('options', () => {
  it('are tried on every program', () => {
    expect(tried.length).toBeGreaterThan(700)
  })

  it.each(files)(
    'never make what is done with %s milder',
    (file) => {
      const milder = compared.flatMap(({ name, options }) => {
        const without = rank(`${name} ${file}`)
        return options.flatMap((option) => forms(name, option, file).filter((form) => rank(form) < without))
      })
      expect(milder).toEqual([])
    },
    120_000,
  )

  it.each(files)(
    'never make what is done with %s after another word milder',
    (file) => {
      const milder = compared.flatMap(({ name, options }) => {
        const without = rank(`${name} x ${file}`)
        return options
          .filter((option) => !texts.test(option))
          .map((option) => `${name} x ${option} ${file}`)
          .filter((form) => rank(form) < without)
      })
      expect(milder).toEqual([])
    },
    120_000,
  )

  it('that nobody knows are never allowed', () => {
    const odd = ['--nonesuch', '--nonesuch=x', '-é', '--nonesuch --']
    const allowed = tried
      .filter(({ name }) => !takesAnything.has(name.split(' ')[0] ?? ''))
      .flatMap(({ name }) =>
        odd.flatMap((option) => [`${name} ${option}`, `${name} ${option} a`, `${name} a ${option}`]),
      )
      .filter((form) => rank(form) === 0)
    expect(allowed).toEqual([])
  })

  it('are exact: a shortened one asks', () => {
    const allowed = tried
      .filter(({ name }) => !takesAnything.has(name.split(' ')[0] ?? ''))
      .flatMap(({ name, options }) =>
        options
          .filter((option) => /^--[a-z-]{5,}$/.test(option) && !options.includes(option.slice(0, -2)))
          .map((option) => `${name} ${option.slice(0, -2)}`)
          .filter((form) => rank(form) === 0),
      )
    expect(allowed).toEqual([])
  }, 60_000)
})
