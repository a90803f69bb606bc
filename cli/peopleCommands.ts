import type { Env } from '../core/config/settings.ts'
import { commandLine } from '../core/people/actor.ts'
import {
  actEverywhere,
  type EntitlementKind,
  entitlementKinds,
  entitlementsOf,
  setEntitlement,
  whereWords,
} from '../core/people/entitlements.ts'
import { listPeople, type Person, type Role, roles, setRole } from '../core/people/people.ts'
import type { Sql } from '../core/storage/sql.ts'
import { type Ledger, withLedger } from './openLedger.ts'
import { newPairingCode } from './pairingCode.ts'
import { printTable } from './printTable.ts'
import { UsageError } from './reportError.ts'

/** `skynet people list`: everybody the bot has met. */
export async function listPeopleCommand(env: Env): Promise<void> {
  const [people, where] = await withLedger(env, async ({ db }) => {
    const all = await listPeople(db)
    const each = await Promise.all(all.map(async ({ id }) => whereWords(await entitlementsOf(db, id))))
    return [all, each] as const
  })
  if (people.length === 0)
    return console.log('Nobody yet. `skynet people pair` prints a code that makes its sender an owner.')
  printTable(
    ['ID', 'NAME', 'ROLE', 'ACTS'],
    people.map((person, i) => [
      String(person.telegramId),
      person.name,
      person.role ?? 'none',
      person.role ? (where[i] ?? '') : '',
    ]),
  )
}

/** `skynet people role ID ROLE`: gives a role to somebody the bot has met. */
export async function setRoleCommand(env: Env, id: string, role: string): Promise<void> {
  const known = roles.find((name) => name === role)
  if (!known) throw new UsageError(`${role} is no role; there are ${roles.join(', ')}.`)
  await changeRole(env, id, known)
}

/** `skynet people revoke ID`: takes every right away, at once. */
export const revokeCommand = (env: Env, id: string): Promise<void> => changeRole(env, id, null)

async function changeRole(env: Env, id: string, role: Role | null): Promise<void> {
  await withLedger(env, async (ledger) => {
    const person = await findPerson(ledger.db, id)
    await ledger.db.tx((tx) => setRole(tx, person.id, role, commandLine()))
    console.log(role ? `${person.name} is ${role} now.` : `${person.name} may do nothing any more.`)
    await warn(ledger, person, role)
  })
}

async function warn({ db, config }: Ledger, person: Person, role: Role | null): Promise<void> {
  if (role && role !== 'owner' && config.ownerIds.includes(person.telegramId))
    console.log(`Mind: TELEGRAM_OWNER_IDS names ${person.telegramId}: it makes an owner again. Take it out.`)
  const people = await listPeople(db)
  if (!people.some((other) => other.role === 'owner'))
    console.log('Nobody is owner now. `skynet people pair` prints a code that makes its sender one.')
}

/** By Telegram id, or by name where only one has it. */
export async function findPerson(sql: Sql, id: string): Promise<Person> {
  const people = await listPeople(sql)
  const found = people.filter((p) => String(p.telegramId) === id || p.id === id)
  const named = people.filter((p) => p.name.toLowerCase() === id.toLowerCase())
  const [person, other] = found.length > 0 ? found : named
  if (!person)
    throw new UsageError(`there is nobody with the id ${id}. \`skynet people list\` shows the ids.`)
  if (other)
    throw new UsageError(`${id} is the name of several people; say the id that \`skynet people list\` shows.`)
  return person
}

type EntitleOptions = { chat?: string[]; machine?: string[]; remove?: boolean; everywhere?: string[] }

/**
 * `skynet people entitle ID --chat ID --machine NAME`: names where a person may act; with `remove`, not any more, and in
 * none once the last is gone; `everywhere chat` or `machine` takes every restriction of that kind away.
 */
export async function entitleCommand(
  env: Env,
  id: string,
  { chat = [], machine = [], remove = false, everywhere = [] }: EntitleOptions,
): Promise<void> {
  await withLedger(env, async ({ db }) => {
    const person = await findPerson(db, id)
    const targets: [EntitlementKind, string][] = [
      ...chat.map((one): [EntitlementKind, string] => ['chat', chatId(one)]),
      ...(await Promise.all(
        machine.map(async (name): Promise<[EntitlementKind, string]> => ['machine', await agentId(db, name)]),
      )),
    ]
    const kinds = everywhere.map(kindOf)
    await db.tx(async (tx) => {
      for (const kind of kinds) await actEverywhere(tx, person.id, kind, commandLine())
      for (const [kind, target] of targets)
        await setEntitlement(tx, person.id, { kind, target, on: !remove }, commandLine())
    })
    console.log(`${person.name} ${whereWords(await entitlementsOf(db, person.id))}`)
  })
}

function kindOf(text: string): EntitlementKind {
  const kind = entitlementKinds.find((one) => one === text)
  if (!kind) throw new UsageError(`--everywhere takes ${entitlementKinds.join(' or ')}; got ${text}.`)
  return kind
}

function chatId(text: string): string {
  if (!/^-?\d{1,16}$/.test(text)) throw new UsageError(`${text} is no id of a chat; it is a number.`)
  return text
}

async function agentId(sql: Sql, name: string): Promise<string> {
  const [row] = await sql.query<{ id: string }>('SELECT id FROM agent WHERE lower(name) = lower($1)', [name])
  if (!row) throw new UsageError(`there is no machine ${name}. /agents in the chat shows their names.`)
  return row.id
}

/** `skynet people pair`: a code that makes its sender an owner. */
export async function pairCommand(env: Env): Promise<void> {
  const code = await withLedger(env, ({ db }) => newPairingCode(db, commandLine()))
  console.log(`Send this to the bot, once and within 24 h, to become its owner:\n\n  /pair ${code}\n`)
}
