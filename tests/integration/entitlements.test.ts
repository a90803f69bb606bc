import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  actEverywhere,
  entitlementsOf,
  foreignMachine,
  mayActIn,
  setEntitlement,
  whereWords,
} from '../../core/people/entitlements.ts'
import { openTestControl, type TestControl } from '../support/control.ts'
import { newDatabase, type TestDatabase } from '../support/database.ts'
import { addMachine, addPerson, type TestMachine } from '../support/fleet.ts'

let database: TestDatabase
let control: TestControl
let [laptop, desk] = [] as unknown as [TestMachine, TestMachine]
beforeAll(async () => {
  database = await newDatabase()
  control = await openTestControl({ databaseUrl: database.url })
  laptop = await addMachine(control.deps, { name: 'laptop' })
  desk = await addMachine(control.deps, { name: 'desk' })
})
afterAll(async () => {
  await control?.close()
  await database?.drop()
})

const words = async (id: string) => whereWords(await entitlementsOf(control.deps.db, id))
const machine = (target: string, on: boolean) => ({ kind: 'machine' as const, target, on })

describe('where a person may act', () => {
  test('everywhere, until one machine is named; nowhere when the last is taken away, until it is said', async () => {
    const { db } = control.deps
    const id = await addPerson(control.deps, 'approver')
    const foreign = () => foreignMachine(db, id, [laptop.agentId, desk.agentId])
    expect([await words(id), await foreign()]).toEqual(['acts everywhere', null])
    expect(await setEntitlement(db, id, machine(laptop.agentId, true), null)).toBe(true)
    expect(await setEntitlement(db, id, machine(laptop.agentId, true), null)).toBe(false)
    expect([await words(id), await foreign()]).toEqual(['acts only on laptop', 'desk'])
    expect(await setEntitlement(db, id, machine(desk.agentId, false), null)).toBe(false)
    expect(await setEntitlement(db, id, machine(laptop.agentId, false), null)).toBe(true)
    expect([await words(id), await foreign()]).toEqual(['acts on no machine', 'desk'])
    expect(await foreignMachine(db, id, [laptop.agentId])).toBe('laptop')
    expect(await mayActIn(db, id, -5)).toBe(true)
    await setEntitlement(db, id, machine(desk.agentId, true), null)
    expect([await words(id), await foreign()]).toEqual(['acts only on desk', 'laptop'])
    expect(await actEverywhere(db, id, 'machine', null)).toBe(true)
    expect(await actEverywhere(db, id, 'machine', null)).toBe(false)
    expect([await words(id), await foreign()]).toEqual(['acts everywhere', null])
  })

  test('the same for chats, and for work of no chat', async () => {
    const { db } = control.deps
    const id = await addPerson(control.deps, 'approver')
    const chat = (on: boolean) => ({ kind: 'chat' as const, target: '-42', on })
    await setEntitlement(db, id, chat(true), null)
    await setEntitlement(db, id, chat(false), null)
    expect(await words(id)).toBe('acts in no chat')
    expect([await mayActIn(db, id, -42), await mayActIn(db, id, 0)]).toEqual([false, false])
  })

  test('every change is told, with who made it', async () => {
    const { db } = control.deps
    const id = await addPerson(control.deps, 'operator')
    await setEntitlement(db, id, machine(desk.agentId, true), { cli: 'ana@laptop' })
    await actEverywhere(db, id, 'machine', { cli: 'ana@laptop' })
    const told = await db.query<{ data: object }>(
      "SELECT data FROM event WHERE type = 'person.entitled' AND data->>'person_id' = $1 ORDER BY seq",
      [id],
    )
    expect(told.map(({ data }) => data)).toEqual([
      { person_id: id, kind: 'machine', target: desk.agentId, on: true, by: null, cli: 'ana@laptop' },
      { person_id: id, kind: 'machine', target: 'everywhere', on: true, by: null, cli: 'ana@laptop' },
    ])
  })
})
