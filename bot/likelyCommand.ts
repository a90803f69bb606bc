import { nearest } from '../core/config/nearest.ts'
import type { Person } from '../core/people/people.ts'
import { type CommandName, commandsFor } from './commands.ts'

/** Names under which people look for a command that is called otherwise. */
const otherNames: Readonly<Record<string, CommandName>> = {
  ...{ stop: 'cancel', kill: 'cancel', abort: 'cancel', quit: 'cancel', exit: 'cancel' },
  ...{ exec: 'run', sh: 'run', bash: 'run', cmd: 'run', ask: 'plan', do: 'plan', task: 'plan' },
  ...{ history: 'runs', list: 'runs', output: 'logs', machines: 'agents', machine: 'agents', cd: 'use' },
  ...{ continue: 'resume', yes: 'approve', no: 'deny', cost: 'usage', costs: 'usage', info: 'help' },
  ...{ commands: 'help', menu: 'help', playbooks: 'skills', memories: 'memory', remember: 'memory' },
}

/** Shorter names are near too much with two slips; the beginning of one may be shorter. */
const LONG = 5
const MIN_BEGINNING = 2
/** Longest text after a command that is offered again with it. */
const MAX_REST = 200

/**
 * The command, with all that was written after it, that an unknown one was likely meant for: by another name, by its
 * beginning, or by a slip of the thumb; only one that this person may use. Null when none is near. Pure.
 */
export function likelyCommand(text: string, person: Pick<Person, 'role'>): string | null {
  const [, written = '', rest = ''] = /^\/(\w+)(?:@\w+)?(?:\s+(.*))?$/s.exec(text.trim()) ?? []
  const name = written.toLowerCase()
  if (name === '') return null
  const names: CommandName[] = commandsFor(person).map((command) => command.name)
  const meant = nameFor(name, names)
  if (meant === null) return null
  return rest === '' || rest.length > MAX_REST ? `/${meant}` : `/${meant} ${rest}`
}

function nameFor(name: string, names: readonly CommandName[]): CommandName | null {
  const same = names.find((known) => known === name || known === name.replaceAll(/[_\d]/g, ''))
  if (same) return same
  const other = Object.hasOwn(otherNames, name) ? otherNames[name] : undefined
  if (other) return names.includes(other) ? other : null
  const begun = name.length >= MIN_BEGINNING ? names.filter((known) => known.startsWith(name)) : []
  if (begun.length === 1) return begun[0] ?? null
  return nearest(name, names, name.length < LONG ? 1 : 2) ?? begun[0] ?? null
}
