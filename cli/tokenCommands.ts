import type { Env } from '../core/config/settings.ts'
import { commandLine } from '../core/people/actor.ts'
import { listApiTokens, newApiToken, revokeApiToken, scopes } from '../core/people/apiTokens.ts'
import { withLedger } from './openLedger.ts'
import { findPerson } from './peopleCommands.ts'
import { printTable } from './printTable.ts'
import { UsageError } from './reportError.ts'

const day = (at: Date): string => at.toISOString().slice(0, 10)

/** Scopes that a person's token may have: a person is neither gateway nor agent. */
const personal: readonly string[] = ['read', 'operate', 'admin']

/** `skynet token new --name NAME --scope SCOPE... [--person ID]`: prints a new bearer token, this once. */
export async function newTokenCommand(
  env: Env,
  name: string,
  wanted: readonly string[],
  personId: string | null = null,
): Promise<void> {
  const unknown = wanted.find((scope) => !scopes.some((known) => known === scope))
  if (unknown) throw new UsageError(`${unknown} is no scope; there are ${scopes.join(', ')}.`)
  if (!/^[\w.@ -]{1,64}$/.test(name))
    throw new UsageError('--name takes 1 to 64 letters, digits, spaces or . _ @ -')
  const impersonal = personId === null ? undefined : wanted.find((scope) => !personal.includes(scope))
  if (impersonal) throw new UsageError(`a person's token has no scope ${impersonal}.`)
  const granted = scopes.filter((scope) => wanted.includes(scope))
  const token = await withLedger(env, async ({ db }) => {
    const taken = (await listApiTokens(db)).some((row) => row.name === name && row.revoked_at === null)
    if (taken) throw new UsageError(`there is a token called ${name}; take another name, or revoke that one.`)
    const person = personId === null ? null : await findPerson(db, personId)
    return newApiToken(db, name, granted, person?.id ?? null, commandLine())
  })
  console.error(`Token ${name} (${granted.join(', ')}); it is shown this once:`)
  console.log(token)
}

/** `skynet token list`: names and scopes, never the tokens. */
export async function listTokensCommand(env: Env): Promise<void> {
  const rows = await withLedger(env, ({ db }) => listApiTokens(db))
  printTable(
    ['NAME', 'SCOPES', 'PERSON', 'MADE', 'REVOKED', 'ID'],
    rows.map((row) => [
      row.name,
      row.scopes.join(','),
      row.person ?? '',
      day(row.created_at),
      row.revoked_at ? day(row.revoked_at) : '',
      row.id,
    ]),
  )
}

/** `skynet token revoke NAME`: it stops working within 5 s. */
export async function revokeTokenCommand(env: Env, nameOrId: string): Promise<void> {
  const count = await withLedger(env, ({ db }) => revokeApiToken(db, nameOrId, commandLine()))
  if (count === 0)
    throw new UsageError(`there is no working token ${nameOrId}. \`skynet token list\` shows them.`)
  console.log(`Revoked ${count} token${count === 1 ? '' : 's'}; it stops working within 5 s.`)
}
