import { writeFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { newCode } from '../../core/fleet/oneTimeCodes.ts'
import { ana, bob, eve, type System, startSystem, textOf } from '../support/system.ts'

const GROUP = -4242

describe('a group', () => {
  let system: System
  beforeAll(async () => {
    system = await startSystem()
    await system.giveRole(bob, 'operator')
    system.telegram.createGroup({ id: GROUP, title: 'Team', members: [ana, bob, eve] })
  })
  afterAll(() => system?.stop())

  test('works only after an owner has paired it', async () => {
    system.say('/run git status', { chat_id: GROUP, from: bob })
    await system.message(/This group is not paired yet/, { chat: GROUP })
    system.say('/pair', { chat_id: GROUP, from: bob })
    system.say('/pair', { chat_id: GROUP, from: eve })
    system.say('/pair', { chat_id: GROUP })
    await system.message(/This group is paired/, { chat: GROUP })
    expect(await system.db.query('SELECT 1 FROM run')).toEqual([])
    expect(system.messages(GROUP)).toHaveLength(2)
  })

  test('commands and replies work there, in the group; a stranger stays unheard', async () => {
    const before = system.messages(GROUP).length
    system.say('/run git status', { chat_id: GROUP, from: eve })
    const number = await system.ask('/run git status', { chat_id: GROUP, from: bob })
    await system.message(/#1 (failed|succeeded)/, { chat: GROUP })
    expect(number).toBe(1)
    expect(system.messages(GROUP).length).toBeGreaterThan(before)
    expect(system.messages(eve.id)).toEqual([])
    expect((await system.run(number)).personName).toBe('Bob')
  })

  test('each member has a place and a conversation of their own', async () => {
    system.say('/use laptop api', { chat_id: GROUP, from: bob })
    await system.message(/From now on you work in/, { chat: GROUP })
    system.say('/plan', { chat_id: GROUP, from: bob })
    const question = await system.message(/What should be done/, { chat: GROUP })
    const runs = (await system.db.query('SELECT 1 FROM run')).length
    system.say('paint the moon', { chat_id: GROUP, from: ana, reply_to: question.message_id })
    await system.message(/I do not know how to do that yet|Where\?/, {
      chat: GROUP,
      after: question.message_id,
    })
    system.say('show the last commits', { chat_id: GROUP, from: bob, reply_to: question.message_id })
    await system.message(/Anything to keep in mind/, { chat: GROUP })
    await system.tap('No, go', { chat: GROUP, from: bob })
    await system.until(
      async () =>
        (
          await system.db.query(
            "SELECT 1 FROM run WHERE request = 'show the last commits' AND status = 'succeeded'",
          )
        ).length === 1,
      'the run of the conversation',
      undefined,
      GROUP,
    )
    expect((await system.db.query('SELECT 1 FROM run')).length).toBeLessThanOrEqual(runs + 2)
  })

  test('a group that becomes a supergroup takes its pairing, cards and runs along', async () => {
    const number = await system.ask('/run until [ -e go ]; do sleep 0.1; done', { chat_id: GROUP, from: bob })
    await system.message(new RegExp(`#${number} running`), { chat: GROUP })
    const moved = -1_000_000_004_242
    system.telegram.migrateGroup(GROUP, moved)
    writeFileSync(system.path('go'), '')
    await system.runIs(number, 'succeeded')
    system.say('/status', { chat_id: moved, from: bob })
    await system.message(/Machines: laptop/, { chat: moved })
    expect(system.faults).toEqual([])
  })

  test('a pairing code makes an owner, once', async () => {
    const code = await newCode(system.db, 'pair', 60_000, null)
    system.say(`/pair ${code.toLowerCase()}`, { from: eve })
    expect(textOf(await system.message(/Paired: you are an owner now/, { chat: eve.id }))).toContain('✅')
    const said = system.say(`/pair ${code}`, { from: bob })
    await system.message(/This code is not valid/, { chat: bob.id, after: said })
    const look = system.say('/status', { from: eve })
    await system.message(/Machines: laptop/, { chat: eve.id, after: look })
  })
})
