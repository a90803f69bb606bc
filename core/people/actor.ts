import { hostname, userInfo } from 'node:os'

/** Who does something: a person's id, or whoever uses the command line; null: SKYNET itself. */
export type Actor = string | { cli: string } | null

/** As an event tells it, and the audit trail reads it. */
export const toldBy = (actor: Actor): { by: string | null; cli?: string } =>
  typeof actor === 'string' || actor === null ? { by: actor } : { by: null, cli: actor.cli }

/** Whoever runs this command. */
export const commandLine = (): { cli: string } => ({ cli: `${userName()}@${hostname()}` })

function userName(): string {
  try {
    return userInfo().username
  } catch {
    return `uid ${process.getuid?.() ?? 'unknown'}`
  }
}
