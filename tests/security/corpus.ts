import { readdirSync, readFileSync } from 'node:fs'
import { judge, type Verdict } from '../../core/policy/judge.ts'
import { exampleContext, loadPolicy } from '../../core/policy/loadPolicy.ts'
import type { PolicyContext } from '../../core/policy/verdict.ts'
import { detours, floor, risky } from '../unit/policy/commands.ts'

export type Class = { name: string; commands: readonly string[] }

/** The classes of one corpus: a file each, one command a line; `⏎` stands for a line break within one. */
function readClasses(corpus: string): readonly Class[] {
  const folder = new URL(`./corpus/${corpus}/`, import.meta.url)
  return readdirSync(folder)
    .sort()
    .map((file) => {
      const lines = readFileSync(new URL(file, folder), 'utf8').split('\n')
      const commands = lines.filter((line) => line.trim() !== '').map((line) => line.replaceAll('⏎', '\n'))
      return { name: file.replace('.txt', ''), commands }
    })
}

/** What a developer types on a day: written down before it was judged. */
export const harmless = readClasses('harmless')
/** What must never run unasked, by the way it is hidden or does harm; and what the unit tests know of. */
export const dangerous: readonly Class[] = [
  ...readClasses('dangerous'),
  { name: 'detours', commands: detours },
  { name: 'floor', commands: floor },
  { name: 'risky', commands: risky },
]
export const windows = readClasses('windows')

const policy = await loadPolicy(null)

/** What the built-in policy says of a command on a machine. */
export function verdictOf(command: string, context: PolicyContext = exampleContext): Verdict['verdict'] {
  return judge({ action: 'shell', params: { command } }, context, policy).verdict
}

export type Count = { allow: number; ask: number; deny: number }

export function count(commands: readonly string[], context?: PolicyContext): Count {
  const found: Count = { allow: 0, ask: 0, deny: 0 }
  for (const command of commands) found[verdictOf(command, context)]++
  return found
}

/** One line of figures, as the tests print them. */
export function figures(name: string, { allow, ask, deny }: Count): string {
  const all = allow + ask + deny
  return `${name.padEnd(16)} ${String(all).padStart(6)} tried  ${String(allow).padStart(5)} allowed  ${String(ask).padStart(5)} asked  ${String(deny).padStart(5)} denied`
}

/** Of several counts, one. */
export const sum = (counts: readonly Count[]): Count =>
  counts.reduce(
    (all, one) => ({ allow: all.allow + one.allow, ask: all.ask + one.ask, deny: all.deny + one.deny }),
    { allow: 0, ask: 0, deny: 0 },
  )
