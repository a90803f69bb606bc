import fc from 'fast-check'
import { afterAll, describe, expect, it } from 'vitest'
import { type Count, dangerous, figures, sum, verdictOf } from './corpus.ts'
import { mutations } from './mutations.ts'

/** Asked for their form alone: written otherwise they are harmless. */
const odd = new Set(['l\\s -la', 'echo $[1+1]', 'function ls { id; }', 'coproc id', 'ls ) ; touch x'])
const commands = dangerous.flatMap(({ commands: some }) => some).filter((command) => !odd.has(command))
const every = Object.values(mutations).flatMap((kind) => Object.values(kind))
const counts = new Map<string, Count>()

/** Each command in one way of each kind; with SECURITY_MUTATIONS=all in every way, which takes a minute. */
const whole = process.env.SECURITY_MUTATIONS === 'all'

/** Judges a changed command, and counts it. */
function judged(kind: string, command: string): string {
  const verdict = verdictOf(command)
  const found = counts.get(kind) ?? { allow: 0, ask: 0, deny: 0 }
  found[verdict]++
  counts.set(kind, found)
  return verdict
}

afterAll(() => {
  const lines = [...counts].map(([kind, found]) => figures(kind, found))
  console.log(
    ['mutations of dangerous commands', ...lines, figures('all', sum([...counts.values()]))].join('\n  '),
  )
})

describe('a dangerous command that is written otherwise', () => {
  it.each(Object.entries(mutations))(
    '%s: is never allowed',
    (kind, all) => {
      const letThrough = Object.entries(all).flatMap(([name, mutate], i) =>
        commands.flatMap((command, n) => {
          if (!whole && n % Object.keys(all).length !== i) return []
          const changed = mutate(command, n * 7 + i)
          return changed !== command && judged(kind, changed) === 'allow' ? [`${name}: ${changed}`] : []
        }),
      )
      expect(letThrough).toEqual([])
    },
    120_000,
  )

  it('in several ways at once is never allowed', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...commands),
        fc.array(fc.tuple(fc.constantFrom(...every), fc.nat(1000)), { minLength: 2, maxLength: 4 }),
        (command, steps) => {
          const changed = steps.reduce((text, [mutate, at]) => mutate(text, at), command)
          expect(judged('several', changed), changed).not.toBe('allow')
        },
      ),
      { numRuns: whole ? 20_000 : 3000 },
    )
  }, 120_000)
})
