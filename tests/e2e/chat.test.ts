import { readdirSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ana, bob, buttonsOf, eve, type System, startSystem, textOf } from '../support/system.ts'

describe('a person and the bot', () => {
  let system: System
  beforeAll(async () => {
    system = await startSystem()
  })
  afterAll(() => system?.stop())

  test('/start greets and names the machine', async () => {
    system.say('/start')
    expect(textOf(await system.message(/Hello Ana/))).toContain('Connected: laptop')
  })

  test('/run git status is one message that becomes its outcome', async () => {
    const asked = system.say('/run git status')
    const card = await system.message(/#1 succeeded/)
    await system.runIs(1, 'succeeded')
    expect(textOf(card)).toContain('laptop:~/work/api')
    expect(textOf(card)).toContain('nothing to commit, working tree clean')
    expect(textOf(card)).toContain('no model used')
    expect(card.silent).toBe(true)
    expect(system.messages().filter((m) => m.message_id > asked)).toHaveLength(1)
  })

  test('a command that takes a while is a live card first, and its outcome a message of its own', async () => {
    const number = await system.ask('/run sleep 6')
    const card = await system.message(new RegExp(`#${number} running`))
    expect(buttonsOf(card)).toEqual(['Cancel', 'Pause', 'Logs'])
    const outcome = await system.message(new RegExp(`#${number} succeeded · 0:(0[6-9]|[1-5]\\d)\n`), {
      after: card.message_id,
    })
    const above = await system.message(new RegExp(`#${number} succeeded.*outcome below`))
    expect(above.message_id).toBe(card.message_id)
    expect(outcome.message_id).toBe(card.message_id + 1)
    expect(buttonsOf(above)).toEqual([])
  })

  test('a command that fails says so with sound, its exit and its last lines', async () => {
    const number = await system.ask('/run ls does-not-exist')
    const outcome = await system.message(new RegExp(`❌ #${number} failed · [\\d:]+\n`))
    expect(outcome.silent).toBe(false)
    expect(textOf(outcome)).toContain('exit 2')
    expect(textOf(outcome)).toContain("cannot access 'does-not-exist'")
    expect(buttonsOf(outcome)).toEqual(['Retry step 1', 'Run again', 'Log'])
    await system.message(new RegExp(`#${number} failed.*outcome below`))
    expect(system.messages().filter((m) => textOf(m).includes('cannot access'))).toHaveLength(1)
  })

  test('Retry runs the step again, and Run again asks anew', async () => {
    const number = await system.ask('/run test -e README.md -a ! -e package.json')
    await system.runIs(number, 'failed')
    const failed = await system.message(new RegExp(`❌ #${number} failed · [\\d:]+\n`))
    expect(await system.tap('Retry step 1', { on: failed.message_id })).toContain('runs again')
    const second = await system.message(new RegExp(`❌ #${number} failed · [\\d:]+\n`), {
      after: failed.message_id,
    })
    expect((await system.run(number)).tasks[0]?.attempts).toBe(2)
    await system.tap('Run again', { on: second.message_id })
    await system.runIs(number + 1, 'failed')
  })

  test('/run rm -rf / and its disguises are refused, with no button that runs them', async () => {
    const disguises = [
      'rm -rf /',
      'sudo rm -rf --no-preserve-root /',
      'bash -c "rm -rf /"',
      'eval rm -r -f /*',
      'echo cm0gLXJmIC8= | base64 -d | sh',
      "sh -c 'r''m -rf /'",
      'cd / && rm -rf .',
      'find / -delete',
    ]
    for (const command of disguises) {
      const number = await system.ask(`/run ${command}`)
      const run = await system.runIs(number, 'refused', 'awaiting_approval', 'running', 'succeeded', 'failed')
      expect(run.status, command).toBe('refused')
      const card = await system.message(new RegExp(`⛔ #${number} refused`))
      expect(buttonsOf(card), command).toEqual([])
      expect(textOf(card)).toMatch(/rule \S+/)
      expect(textOf(card)).toContain('No approval can lift this.')
      expect(run.tasks.map((t) => t.attempts)).toEqual([0])
    }
  })

  test('/policy says what would happen and does nothing', async () => {
    const before = system.messages().length
    await system.message(/would run at once/, { after: system.say('/policy git status') })
    system.say('/policy npm install left-pad')
    expect(textOf(await system.message(/would ask first/))).toMatch(/network yes/)
    system.say('/policy rm -rf /')
    await system.message(/would be refused/)
    expect(system.messages()).toHaveLength(before + 3)
    expect(readdirSync(system.path(''))).not.toContain('node_modules')
  })

  test('/status, /runs, /logs, /agent_status, /help and /use answer', async () => {
    const answer = (text: string, pattern: RegExp) => system.message(pattern, { after: system.say(text) })
    expect(textOf(await answer('/status', /Nothing is running/))).toContain('Machines: laptop')
    expect(textOf(await answer('/runs', /^Runs/))).toContain('#1 succeeded · git status')
    await answer('/runs ana failed 7d', /^Runs\n(#\d+ failed.*\n?)+$/)
    await answer('/runs nobody', /No run fits/)
    const log = await answer('/logs #1', /run-1\.log/)
    expect(log.document?.file_size).toBeGreaterThan(20)
    const machines = await answer('/agent_status', /1 of 1 machine ready/)
    expect(textOf(machines)).toContain('Worker Connected')
    expect(textOf(machines)).toContain('can: shell')
    expect(textOf(await answer('/help', /What I understand/))).toContain('/cancel [#12]')
    expect(textOf(await answer('/use', /You work in/))).toContain('laptop:~/work/api')
    await answer('/use nowhere', /I know no place called nowhere/)
    await answer('/use laptop api', /From now on you work in laptop:~\/work\/api/)
    await answer('/nonsense', /I do not know this command\. \/help/)
    await answer('/stauts #1', /Did you mean \/status #1\?/)
    await answer('/status #1', /#1 succeeded/)
  })

  test('replying to a message of a run means that run', async () => {
    const [first] = system.messages().filter((m) => /#1 succeeded/.test(textOf(m)))
    const said = system.say('/logs', { reply_to: first?.message_id ?? 0 })
    await system.message(/run-1\.log/, { after: said })
  })

  test('an edited request changes nothing and says so', async () => {
    const said = system.say('/policy git log')
    await system.message(/would run at once/, { after: said })
    system.telegram.edit(ana.id, said, '/run git log')
    await system.message(/do not act on edits/)
  })

  test('curly quotes are not guessed: the card asks and shows the plain form', async () => {
    const number = await system.ask('/run git log --grep=“x”')
    await system.runIs(number, 'awaiting_approval', 'refused', 'failed')
    system.say(`/cancel ${number}`)
    await system.runIs(number, 'cancelled', 'refused', 'failed')
  })

  test('a stranger gets one line, once, whatever is sent', async () => {
    for (const text of ['hello', '/run git status', '/start', '/status']) system.say(text, { from: eve })
    await system.message(/works for its owners only/, { chat: eve.id })
    for (const code of ['WRONG-CODE', 'WRONG-AGAIN', 'X']) system.say(`/pair ${code}`, { from: eve })
    await system.message(/This code is not valid/, { chat: eve.id })
    await system.until(async () => {
      const open = await system.db.query(
        `SELECT 1 FROM telegram_update WHERE handled_at IS NULL UNION ALL SELECT 1 FROM delivery WHERE status = 'pending'
         UNION ALL SELECT 1 WHERE 7 > (SELECT count(*) FROM telegram_update WHERE key LIKE '%:' || $1)`,
        [String(eve.id)],
      )
      return open.length === 0
    }, 'everything to be handled and sent')
    const answers = system.messages(eve.id).filter((message) => /not valid/.test(textOf(message)))
    // Once a minute: a minute may have begun between two of the three.
    expect(answers.length).toBeLessThanOrEqual(2)
    expect(system.messages(eve.id)).toHaveLength(1 + answers.length)
    expect(
      await system.db.query(
        'SELECT 1 FROM run r JOIN person p ON p.id = r.person_id WHERE p.telegram_id = $1',
        [eve.id],
      ),
    ).toEqual([])
  })

  test('a viewer looks, an operator starts; neither decides', async () => {
    await system.giveRole(bob, 'viewer')
    system.say('/run git status', { from: bob })
    await system.message(/Your role lets you look/, { chat: bob.id })
    system.say('/status', { from: bob })
    await system.message(/Nothing is running/, { chat: bob.id })
    await system.giveRole(bob, 'operator')
    const number = await system.ask('/run touch bobs', { from: bob })
    const run = await system.runIs(number, 'awaiting_approval', 'succeeded')
    if (run.status === 'awaiting_approval') {
      const toast = await system.tap(/Approve/, { chat: bob.id, from: bob })
      expect(toast).toContain('You may not decide this')
      expect((await system.run(number)).status).toBe('awaiting_approval')
    }
  })

  test('nothing was logged as an error', () => {
    expect(system.faults).toEqual([])
  })
})
