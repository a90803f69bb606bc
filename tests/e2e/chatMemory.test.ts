import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { buttonsOf, type System, startSystem, textOf } from '../support/system.ts'

describe('/memory', () => {
  let system: System
  beforeAll(async () => {
    system = await startSystem()
  })
  afterAll(() => system?.stop())
  afterEach(() => expect(system.faults).toEqual([]))

  test('what a run came to is remembered by itself, found, corrected, brought back, and forgotten for good', async () => {
    const first = system.say('/memory')
    expect(textOf(await system.message(/remembered yet|memories/, { after: first }))).not.toContain(
      'git status',
    )
    const number = await system.ask('/run git status')
    await system.runIs(number, 'succeeded')
    await system.until(
      async () => (await system.db.query("SELECT 1 FROM memory WHERE kind = 'task'")).length > 0,
      'the run to be remembered',
    )

    const asked = system.say('/memory status of git')
    const page = await system.message(/What fits/, { after: asked })
    const [name = ''] = buttonsOf(page)
    expect(textOf(page)).toMatch(/M\d+ · outcome · \d+ min ago\nAsked: git status/)
    await system.tap(name, { on: page.message_id })
    const card = await system.message(/Done: git status \(ok\)/, { after: page.message_id })
    expect(buttonsOf(card)).toEqual(['Correct', 'Forget', 'All memories'])

    await system.tap('Correct', { on: card.message_id })
    const question = await system.message(/What is right\?/, { after: card.message_id })
    system.say('Git status is boring.')
    const corrected = await system.message(/is corrected/, { after: question.message_id })
    const reread = system.say(`/memory ${name}`)
    expect(textOf(await system.message(/Git status is boring/, { after: reread }))).toContain('Corrected')
    await system.tap('Undo', { on: corrected.message_id })
    const again = system.say(`/memory ${name}`)
    expect(textOf(await system.message(/M\d+ · outcome/, { after: again }))).toContain(
      'Done: git status (ok)',
    )

    await system.tap('Forget', { on: card.message_id })
    const shows = (words: RegExp, buttons: string[]) =>
      system.until(() => {
        const now = system.messages().find((m) => m.message_id === card.message_id)
        return now && words.test(textOf(now)) && String(buttonsOf(now)) === String(buttons)
      }, `the card to show ${words}`)
    await shows(/for good\?/, ['Forget it', 'Keep it'])
    await system.tap('Keep it', { on: card.message_id })
    await shows(/Done: git status/, ['Correct', 'Forget', 'All memories'])
    await system.tap('Forget', { on: card.message_id })
    await system.tap('Forget it', { on: card.message_id })
    await shows(/^M\d+ is forgotten\.$/, [])
    await system.until(
      async () => (await system.db.query("SELECT 1 FROM memory WHERE kind = 'task'")).length === 0,
      'it to be forgotten',
    )
    const gone = system.say(`/memory ${name}`)
    await system.message(/There is no M\d+ for you/, { after: gone })
  })

  test('something is put down in words; a run made without a model says why it has no memories', async () => {
    const said = system.say('/memory remember that the docs are built by make docs')
    expect(textOf(await system.message(/Remembered as M\d+/, { after: said }))).toBeTruthy()
    const found = system.say('/memory docs')
    expect(textOf(await system.message(/What fits docs/, { after: found }))).toContain('fact')
    const why = system.say('/memory #1')
    expect(
      textOf(await system.message(/The plan of #1 was made without memories/, { after: why })),
    ).toContain('just what was asked')
  })
})
