import { writeFileSync } from 'node:fs'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { ana, buttonsOf, type System, startSystem, textOf } from '../support/system.ts'

describe('plans on one machine', () => {
  let system: System
  beforeAll(async () => {
    system = await startSystem()
  })
  afterAll(() => system?.stop())
  afterEach(() => expect(system.faults).toEqual([]))

  test('a plan of several steps: approved once, its milestones make one message at most', async () => {
    writeFileSync(system.path('notes.txt'), 'a note\n')
    const number = await system.ask('Commit everything as a first note')
    const card = await system.message(/❓ [A-Z]\d/)
    expect(textOf(card)).toMatch(/1 of \d steps? asks?/)
    expect(textOf(card)).toContain('Allowed:')
    await system.tap('Approve', { on: card.message_id })
    const run = await system.runIs(number, 'succeeded')
    expect(run.tasks.map((t) => t.status)).toEqual(run.tasks.map(() => 'succeeded'))
    const outcome = await system.message(new RegExp(`✅ #${number} succeeded · [\\d:]+\n`))
    expect(textOf(outcome)).toContain('playbook commit-work · no model used')
    expect(system.messages().filter((m) => /🚩|🏁/.test(textOf(m))).length).toBeLessThanOrEqual(1)
    const events = await system.db.query<{ type: string }>(
      "SELECT type FROM event WHERE run_id = $1 AND type LIKE 'milestone.%' ORDER BY seq",
      [run.id],
    )
    expect(events.map((e) => e.type)).toEqual(
      run.milestones.flatMap(() => ['milestone.started', 'milestone.done']),
    )
  })

  test('/plan with a request plans it; a request nobody understands offers the nearest', async () => {
    const number = await system.ask('/plan show the last commits')
    await system.runIs(number, 'succeeded')
    const odd = await system.ask('translate the moon\ninto soup')
    await system.runIs(odd, 'failed')
    const card = await system.message(/I do not know how to do that yet\n“translate the moon into soup”/)
    expect(textOf(card)).toContain('/help')
    expect(textOf(card)).toContain('OLLAMA_BASE_URL')
    expect(textOf(card)).not.toMatch(/#\d|failed|❌/)
    expect(buttonsOf(card).length).toBeGreaterThan(0)
    const listed = system.say('/runs')
    const runs = await system.message(/^Runs\n/, { after: listed })
    expect(textOf(runs)).toContain(`#${number} succeeded`)
    expect(textOf(runs)).not.toContain(`#${odd}`)
    await system.restartBot()
    expect(system.messages().filter((m) => /translate the moon into soup/.test(textOf(m)))).toHaveLength(1)
    await system.tap(buttonsOf(card)[0] ?? '', { on: card.message_id })
    await system.runIs(odd + 1, 'succeeded', 'failed', 'awaiting_approval')
    system.say(`/cancel ${odd + 1}`)
    await system.message(new RegExp(`#${odd + 1} (is|has) `))
  })

  test('/plan alone asks what and whether there is more; an answer counts once; a restart in the middle changes nothing', async () => {
    const before = (await system.db.query('SELECT 1 FROM run')).length
    const said = system.say('/plan')
    const question = await system.message(/What should be done\?/, { after: said })
    expect(question.reply_markup).toMatchObject({ force_reply: true })
    await system.restartBot()
    system.say('/status')
    await system.message(/Machines: laptop/, { after: said })
    system.say('show the last commits')
    const note = await system.message(/Anything to keep in mind\?/, { after: said })
    expect(textOf(note)).toContain('In laptop:~/work/api')
    const answer = system.telegram.updates().findLast((u) => u.message?.text === 'show the last commits')
    system.telegram.redeliver(answer?.update_id ?? 0)
    await system.restartBot()
    expect(await system.db.query('SELECT 1 FROM run')).toHaveLength(before)
    await system.tap('No, go', { on: note.message_id })
    const run = await system.runIs(before + 1, 'succeeded')
    expect(run.request).toBe('show the last commits')
  })

  test('/cancel leaves the question, and other buttons and commands go on working in the middle of it', async () => {
    const number = await system.ask('/run touch a-file')
    const card = await system.message(/❓.*touch a-file/)
    const said = system.say('/plan')
    await system.message(/What should be done\?/, { after: said })
    expect(await system.tap('Deny', { on: card.message_id })).toContain('Denied')
    await system.runIs(number, 'denied')
    system.say('/cancel')
    await system.message(/Left the question/, { after: said })
    const again = system.say('/plan')
    await system.message(/What should be done\?/, { after: again })
    const twice = system.say('/plan')
    await system.message(/What should be done\?/, { after: twice })
    const other = await system.ask('/run git log -1')
    const line = await system.message(/I put my question aside for this.* \/plan asks again\./, {
      after: twice,
    })
    await system.runIs(other, 'succeeded')
    expect(system.messages().filter((m) => /put my question aside/.test(textOf(m)))).toEqual([line])
    const free = await system.ask('what changed?')
    await system.runIs(free, 'succeeded')
  })

  test('a question about work in progress is answered', async () => {
    const said = system.say('how far is it?')
    await system.message(/Nothing of yours is running/, { after: said })
    const number = await system.ask('/run sleep 4123')
    await system.message(new RegExp(`#${number} running`))
    const asked = system.say('how far is it?')
    await system.message(new RegExp(`#${number} running`), { after: asked })
    await system.message(new RegExp(`#${number} · continued below`))
    system.say('stop it')
    await system.runIs(number, 'cancelled')
  })
})

describe('two machines', () => {
  let system: System
  beforeAll(async () => {
    system = await startSystem({
      machines: [
        { name: 'laptop', repositories: ['api'] },
        { name: 'server', repositories: ['web'] },
      ],
    })
  })
  afterAll(() => system?.stop())

  test('a request without a place asks where; the answer starts it there', async () => {
    system.say('what changed?')
    const question = await system.message(/Where\?/)
    expect(buttonsOf(question)).toEqual(expect.arrayContaining(['laptop:~/work/api', 'server:~/work/web']))
    system.say('somewhere')
    await system.message(/Tap one of the places above/)
    await system.tap('server:~/work/web', { on: question.message_id })
    const run = await system.runIs(1, 'succeeded')
    expect(run.agentName).toBe('server')
  })

  test('a command without a place asks where; its button starts it', async () => {
    system.say('/run git status')
    const question = await system.message(/Where should this run\?/)
    await system.tap('laptop:~/work/api', { on: question.message_id })
    expect((await system.runIs(2, 'succeeded')).agentName).toBe('laptop')
  })

  test('the place can be named in the request, and set with /use', async () => {
    expect((await system.runIs(await system.ask('/run @server:web git status'), 'succeeded')).agentName).toBe(
      'server',
    )
    expect(
      (await system.runIs(await system.ask('what changed in api on laptop?'), 'succeeded')).agentName,
    ).toBe('laptop')
    const said = system.say('/use server web')
    await system.message(/From now on you work in server:~\/work\/web/, { after: said })
    expect((await system.runIs(await system.ask('/run git status'), 'succeeded')).agentName).toBe('server')
    system.say('/run @nowhere:x git status')
    await system.message(/I know no place called nowhere:x/)
    expect(system.faults).toEqual([])
    expect(system.messages(ana.id).length).toBeGreaterThan(5)
  })

  test('a machine that is away: the run can go to another one, and is cancelled where it waited', async () => {
    await system.stopAgent('server')
    await system.until(
      async () => (await system.db.query('SELECT 1 FROM agent WHERE NOT connected')).length > 0,
      'the machine to be away',
    )
    const waiting = await system.ask('/run @server:web git status')
    const card = await system.message(new RegExp(`⏳ #${waiting} waiting`))
    expect(buttonsOf(card)).toEqual(['Other machine', 'Cancel'])
    await system.tap('Other machine', { on: card.message_id })
    const question = await system.message(/Where instead\?/)
    expect(buttonsOf(question).every((label) => label.startsWith('laptop:'))).toBe(true)
    await system.tap('laptop:~/work/api', { on: question.message_id })
    await system.runIs(waiting, 'cancelled')
    expect((await system.runIs(waiting + 1, 'succeeded')).agentName).toBe('laptop')
  })
})
