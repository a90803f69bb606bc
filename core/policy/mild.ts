import type { Fact } from './facts.ts'

/** Effects that a policy may allow by themselves: a command with no other is only as harmless as its options. */
export const mildEffects: ReadonlySet<string> = new Set([
  'info',
  'text.decode',
  'file.touch',
  'fs.read',
  'fs.list',
  'git.read',
  'git.branch-or-tag',
  'git.config-read-or-write',
  'system.logs',
  'container.read',
  'cluster.read',
  'shell.builtin',
  'shell.function',
])

/** What an option nobody knows adds to a command that would else be only a look: it asks. */
export function unknownOption<L extends object>(label: L, facts: readonly Fact[]): (L & Fact)[] {
  return facts.every((fact) => mildEffects.has(fact.effect))
    ? [{ ...label, effect: 'shell.unknown-option' }]
    : []
}
