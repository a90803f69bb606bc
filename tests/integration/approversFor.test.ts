import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { approversFor, mayDecideAbout } from '../../core/approvals/approversFor.ts'
import { setEntitlement } from '../../core/people/entitlements.ts'
import { type Role, setRole } from '../../core/people/people.ts'
import { openTestControl, type TestControl } from '../support/control.ts'
import { newDatabase, type TestDatabase } from '../support/database.ts'
import { addMachine, addPerson, startRun, type TestMachine } from '../support/fleet.ts'

const GROUP = -77

let database: TestDatabase
let control: TestControl
let [laptop, desk] = [] as unknown as [TestMachine, TestMachine]
type Someone = { id: string; chat: number }
let people: Record<'operator' | 'approver' | 'owner' | 'onDesk' | 'inGroup' | 'gone' | 'blocked', Someone>

beforeAll(async () => {
  database = await newDatabase()
  control = await openTestControl({ databaseUrl: database.url })
  laptop = await addMachine(control.deps, { name: 'laptop' })
  desk = await addMachine(control.deps, { name: 'desk' })
  await control.deps.db.query("INSERT INTO chat (id, kind, title) VALUES ($1, 'supergroup', 'Team')", [GROUP])
  people = {
    operator: await someone('operator'),
    approver: await someone('approver'),
    owner: await someone('owner'),
    onDesk: await someone('approver'),
    inGroup: await someone('approver'),
    gone: await someone('approver'),
    blocked: await someone('owner'),
  }
  await addPerson(control.deps, 'owner') // has never started the bot
  await setEntitlement(
    control.deps.db,
    people.onDesk.id,
    { kind: 'machine', target: desk.agentId, on: true },
    null,
  )
  await setEntitlement(
    control.deps.db,
    people.inGroup.id,
    { kind: 'chat', target: String(GROUP), on: true },
    null,
  )
  await setRole(control.deps.db, people.gone.id, null, null)
  await control.deps.db.query('UPDATE chat SET blocked_at = now() WHERE id = $1', [people.blocked.chat])
})
afterAll(async () => {
  await control?.close()
  await database?.drop()
})

async function someone(role: Role): Promise<Someone> {
  const id = await addPerson(control.deps, role)
  const [row] = await control.deps.db.query<{ telegram_id: number }>(
    'SELECT telegram_id FROM person WHERE id = $1',
    [id],
  )
  const chat = row?.telegram_id ?? 0
  await control.deps.db.query("INSERT INTO chat (id, kind, title) VALUES ($1, 'private', 'x')", [chat])
  return { id, chat }
}

/** Who is told of what this person asked for in this chat; null: by a program, of no chat. */
async function told(
  asker: keyof typeof people | null,
  chat: keyof typeof people | 'group' | null,
  options: { on?: TestMachine; fourEyes?: boolean; quorum?: number; byProgram?: boolean } = {},
): Promise<string[]> {
  const { db } = control.deps
  const run = await startRun(
    control.deps,
    options.on ?? laptop,
    [{ key: 'a', command: 'touch x' }],
    asker && people[asker].id,
  )
  const chatId = chat === null ? null : chat === 'group' ? GROUP : people[chat].chat
  await db.query('UPDATE run SET chat_id = $2 WHERE id = $1', [run.id, chatId])
  if (chat !== null && !options.byProgram)
    await db.query(
      "INSERT INTO delivery (key, chat_id, method, payload) VALUES ($1, $2, 'sendMessage', '{}')",
      [`card:${run.id}`, chatId],
    )
  const [approval] = await db.query<{ id: string }>(
    'UPDATE approval SET quorum = $2 WHERE run_id = $1 RETURNING id',
    [run.id, options.quorum ?? 1],
  )
  const chats = await approversFor(db, { fourEyes: options.fourEyes ?? false }, approval?.id ?? '')
  return Object.entries(people).flatMap(([name, one]) => (chats.includes(one.chat) ? [name] : []))
}

describe('an approval goes to', () => {
  test.each([
    ['everybody entitled, from a group', 'operator', 'group', {}, ['approver', 'owner', 'inGroup']],
    ['the others, when an approver asks in a group', 'approver', 'group', {}, ['owner', 'inGroup']],
    [
      'who may act on its machine',
      'operator',
      'group',
      { on: 'desk' },
      ['approver', 'owner', 'onDesk', 'inGroup'],
    ],
    ['nobody else, when an approver asks in private', 'approver', 'approver', {}, []],
    ['others, when it takes several people', 'approver', 'approver', { quorum: 2 }, ['owner']],
    ['others, when who asked may not approve', 'approver', 'approver', { fourEyes: true }, ['owner']],
    ['approvers, when an operator asks in private', 'operator', 'operator', {}, ['approver', 'owner']],
    ['all, when a program asks and nobody was home', null, null, {}, ['approver', 'owner']],
    [
      'the others, when a program asks and an owner is home',
      null,
      'owner',
      { byProgram: true },
      ['approver'],
    ],
    ['who asked too, when their program did', 'approver', 'owner', { byProgram: true }, ['approver']],
  ] as const)('%s', async (_, asker, chat, options, expected) => {
    const on = 'on' in options ? { on: desk } : {}
    expect(await told(asker, chat, { ...options, ...on } as Parameters<typeof told>[2])).toEqual(expected)
  })

  test('nobody once it is answered', async () => {
    const run = await startRun(control.deps, laptop, [{ key: 'a', command: 'touch x' }], people.operator.id)
    const [approval] = await control.deps.db.query<{ id: string }>(
      "UPDATE approval SET status = 'expired' WHERE run_id = $1 RETURNING id",
      [run.id],
    )
    expect(await approversFor(control.deps.db, { fourEyes: false }, approval?.id ?? '')).toEqual([])
  })
})

test('a copy is for who may decide now', async () => {
  const { db } = control.deps
  const run = await startRun(control.deps, laptop, [{ key: 'a', command: 'touch x' }], people.operator.id)
  await db.query('UPDATE run SET chat_id = $2 WHERE id = $1', [run.id, GROUP])
  const may = async () => {
    const all = await Promise.all(
      Object.entries(people).map(
        async ([name, { chat }]) => [name, await mayDecideAbout(db, chat, run.id)] as const,
      ),
    )
    return all.flatMap(([name, yes]) => (yes ? [name] : []))
  }
  expect(await may()).toEqual(['approver', 'owner', 'inGroup', 'blocked'])
  await setRole(db, people.approver.id, 'operator', null)
  await setRole(db, people.owner.id, null, null)
  expect(await may()).toEqual(['inGroup', 'blocked'])
})
